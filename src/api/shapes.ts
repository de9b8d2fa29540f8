// The answers of contract.ts as schemas, for the OpenAPI document and for tests. Loaded only when asked for.
// The types at the end make the compiler hold the two together.
import * as v from 'valibot';
import type * as contract from './contract.ts';
import { LiveEvent } from './event-shapes.ts';
import { LOG_LEVELS } from './contract.ts';

const instant = v.pipe(v.string(), v.isoTimestamp(), v.description('ISO 8601 in UTC.'));
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const seconds = v.pipe(v.number(), v.minValue(0), v.description('Seconds.'));

const RuntimeFault = v.strictObject({
  code: v.string(),
  message: v.string(),
  count,
  since: instant,
  last: v.optional(instant),
  hint: v.pipe(v.optional(v.string()), v.description('What to do about it.')),
});

const Alive = v.strictObject({ version: v.string(), pid: count });

const SourceView = v.strictObject({
  id: v.string(),
  kind: v.string(),
  path: v.optional(v.string()),
  state: v.picklist(['following', 'catching-up', 'waiting', 'failed']),
  lag: v.pipe(count, v.description('Bytes not read yet.')),
  firstLine: v.pipe(
    v.optional(count),
    v.description('The number of the first line that was or will be read since the start.'),
  ),
  lines: count,
  skipped: count,
  lastLine: v.pipe(
    v.optional(v.nullable(instant)),
    v.description('When lines of it were last read; null: not since the start.'),
  ),
  faults: v.array(RuntimeFault),
});

const JailView = v.strictObject({
  name: v.string(),
  state: v.picklist(['active', 'dry-run', 'disabled', 'tripped']),
  tripped: v.pipe(
    v.optional(v.strictObject({ at: instant, why: v.string() })),
    v.description('Its brake has tripped: it only detects until `enable` answers.'),
  ),
  filters: v.array(v.string()),
  matches: count,
  ignored: count,
  late: count,
  offenders: count,
  banned: count,
  bansTotal: count,
  evicted: count,
  crowds: v.pipe(
    v.optional(
      v.array(v.strictObject({ network: v.string(), forgotten: count, matches: count, last: instant })),
    ),
    v.description('Networks of offenders who had to make room, the busiest first. Nobody is banned by it.'),
  ),
  hour: v.pipe(
    v.optional(
      v.strictObject({
        step: v.pipe(v.number(), v.description('Seconds that one number stands for.')),
        matches: v.array(count),
        bans: v.array(count),
      }),
    ),
    v.description('The last hour, oldest first, by when lines were read.'),
  ),
});

const protectedBy = v.picklist(['log-in', 'session', 'command']);

const PresentView = v.strictObject({
  address: v.string(),
  outcome: v.pipe(
    v.picklist(['protected', 'unchanged']),
    v.description("`unchanged`: it is allowed, or this host's own, or no jail protects who logged in."),
  ),
  until: v.pipe(v.nullable(instant), v.description('null: in no jail.')),
});

const mode = v.picklist(['enforcing', 'detect-only', 'stood-down']);

const StatusView = v.strictObject({
  ...Alive.entries,
  startedAt: instant,
  mode,
  firewall: v.strictObject({
    kind: v.string(),
    healthy: v.boolean(),
    fault: v.optional(v.string()),
    dropped: v.optional(v.strictObject({ packets: count, bytes: count })),
    blocked: v.pipe(v.optional(count), v.description('Networks that the kernel holds.')),
  }),
  intent: v.pipe(
    v.optional(v.picklist(['enforcing', 'detect-only'])),
    v.description('What the daemon was started for.'),
  ),
  latency: v.pipe(
    v.optional(v.strictObject({ bans: count, median: v.nullable(v.number()), p99: v.nullable(v.number()) })),
    v.description('Seconds from the reading of the deciding line to the kernel, over the last so many bans.'),
  ),
  health: v.pipe(
    v.optional(v.strictObject({ ok: v.boolean(), problems: v.array(v.string()) })),
    v.description('For monitoring: does what should work, work?'),
  ),
  caughtUp: v.boolean(),
  sources: v.array(SourceView),
  jails: v.array(JailView),
  bounds: v.pipe(
    v.optional(
      v.array(v.strictObject({ what: v.string(), held: count, most: v.nullable(count), dropped: count })),
    ),
    v.description('What memory and disk hold, how much they may, and what was let go.'),
  ),
  administrators: v.pipe(
    v.optional(
      v.array(v.strictObject({ address: v.string(), by: protectedBy, last: instant, until: instant })),
    ),
    v.description(
      'Who is or was logged in from elsewhere, or ran `bailiff` over ssh: protected as after a log-in. The latest 100.',
    ),
  ),
  faults: v.array(RuntimeFault),
});

const AnswerView = v.strictObject({
  do: v.picklist(['drop', 'reject', 'throttle']),
  rate: v.pipe(
    v.optional(v.string()),
    v.description('Of `throttle`: packets in a unit of time, such as `10/1m`.'),
  ),
  protocol: v.picklist(['any', 'tcp', 'udp']),
  ports: v.pipe(v.array(count), v.description('Empty: all.')),
});

const BanView = v.strictObject({
  id: count,
  address: v.string(),
  jail: v.string(),
  state: v.picklist(['pending', 'blocked', 'detected', 'unenforceable', 'ended']),
  since: instant,
  until: v.pipe(v.nullable(instant), v.description('null: no end.')),
  nth: count,
  reason: v.pipe(v.string(), v.description('May quote a log line: hostile text. Empty on status.sock.')),
  by: v.string(),
  endedBy: v.optional(v.string()),
  why: v.optional(v.string()),
  ineffective: v.pipe(
    v.optional(
      v.strictObject({
        cause: v.picklist([
          'ports',
          'proxy',
          'flowtable',
          'allowed',
          'accepted-first',
          'clock',
          'not-in-kernel',
          'unknown',
        ]),
        seen: v.pipe(v.string(), v.description('What it was found by.')),
        mend: v.pipe(v.string(), v.description('What to do about it.')),
        lines: count,
        since: instant,
        last: instant,
      }),
    ),
    v.description('Lines from the address keep arriving though the ban is in force.'),
  ),
  answer: v.pipe(
    v.optional(AnswerView),
    v.description('What becomes of which traffic; left out where only detected.'),
  ),
});

const EvidenceView = v.strictObject({
  file: v.string(),
  line: count,
  at: instant,
  text: v.pipe(v.string(), v.description('A log line: hostile text.')),
});

const HistoryView = v.strictObject({
  address: v.string(),
  bans: v.array(v.strictObject({ ...BanView.entries, evidence: v.array(EvidenceView) })),
  offenders: v.array(
    v.strictObject({
      jail: v.string(),
      count,
      of: count,
      window: seconds,
      last: v.nullable(instant),
    }),
  ),
  protected: v.pipe(
    v.array(
      v.strictObject({ jail: v.string(), loggedIn: instant, until: instant, by: v.optional(protectedBy) }),
    ),
    v.description('The jails in which a log-in of late protects the address.'),
  ),
  next: v.array(
    v.strictObject({
      jail: v.string(),
      nth: count,
      for: v.pipe(v.nullable(seconds), v.description('Seconds; null: for good.')),
      never: v.pipe(
        v.optional(v.string()),
        v.description(
          "Why there would be none: the address is allowed, ignored by this jail, or the host's own.",
        ),
      ),
      answer: v.optional(AnswerView),
      wider: v.pipe(
        v.optional(
          v.strictObject({
            network: v.string(),
            offenders: count,
            when: count,
            spared: v.optional(v.string()),
          }),
        ),
        v.description(
          'The network that would be banned from `when` offenders on, this one among them; `spared`: why it would not be all the same.',
        ),
      ),
    }),
  ),
});

const BanPage = v.strictObject({
  items: v.array(BanView),
  next: v.pipe(
    v.nullable(v.string()),
    v.description('Hand it back as `after` for the next page; null: the end.'),
  ),
});

const BanOutcomes = v.array(
  v.strictObject({
    address: v.string(),
    outcome: v.picklist(['banned', 'extended', 'unchanged', 'refused']),
    why: v.optional(v.string()),
    durable: v.pipe(v.optional(v.boolean()), v.description('false: in force, but not on the disk yet.')),
  }),
);

const UnbanOutcomes = v.array(
  v.strictObject({
    address: v.string(),
    jail: v.string(),
    outcome: v.picklist(['released', 'not-banned']),
    why: v.optional(v.string()),
    durable: v.optional(v.boolean()),
  }),
);

const ReportOutcomes = v.array(
  v.strictObject({
    address: v.string(),
    outcome: v.picklist(['counted', 'banned', 'recorded', 'ignored', 'late', 'success', 'refused']),
    why: v.optional(v.string()),
    code: v.pipe(
      v.optional(v.picklist(['E_UNKNOWN_JAIL', 'E_ADDRESS', 'E_USAGE'])),
      v.description('Of a refused report.'),
    ),
    id: v.optional(v.string()),
    repeated: v.pipe(
      v.optional(v.boolean()),
      v.description('true: it came before, and this is what was answered then.'),
    ),
  }),
);

const AttemptOutcomes = v.array(
  v.strictObject({
    address: v.string(),
    outcome: v.picklist(['counted', 'banned', 'ignored']),
    why: v.optional(v.string()),
    durable: v.optional(v.boolean()),
  }),
);

const StandingView = v.strictObject({ mode });

const FaultView = v.strictObject({
  code: v.string(),
  file: v.string(),
  line: count,
  column: count,
  message: v.string(),
  hint: v.optional(v.string()),
});

const ReloadView = v.strictObject({
  jails: v.strictObject({
    added: v.array(v.string()),
    removed: v.array(v.string()),
    changed: v.array(v.string()),
  }),
  sources: v.array(
    v.strictObject({
      id: v.string(),
      from: v.pipe(v.nullable(count), v.description('The first line that is read; null: no file is there.')),
    }),
  ),
  released: v.pipe(count, v.description('Bans of removed jails that were lifted.')),
  warnings: v.array(FaultView),
  confirmBy: v.pipe(v.nullable(instant), v.description('Until when `confirm` must come; null: it stays.')),
});

const ConfirmView = v.strictObject({ outcome: v.picklist(['confirmed', 'unchanged']) });

const JailSwitches = v.array(
  v.strictObject({ jail: v.string(), outcome: v.picklist(['enabled', 'disabled', 'unchanged']) }),
);

const LogPage = v.strictObject({
  items: v.array(
    v.strictObject({
      n: v.pipe(count, v.description('Numbered from 1 since the daemon started.')),
      at: instant,
      level: v.picklist(LOG_LEVELS),
      message: v.string(),
      facts: v.pipe(v.record(v.string(), v.unknown()), v.description('May quote a log line: hostile text.')),
    }),
  ),
  next: v.pipe(v.nullable(v.string()), v.description('Hand it back as `after`; null: the end for now.')),
  last: v.pipe(count, v.description('The last line that was looked at: for `after`, once `next` is null.')),
  missed: v.pipe(count, v.description('Lines after `after` that are not kept any more.')),
});

/** An OpenAPI 3.1 document; its own specification says what stands in it. */
const OpenApi = v.record(v.string(), v.unknown());

export const SHAPES = {
  Alive,
  StatusView,
  BanPage,
  HistoryView,
  BanOutcomes,
  UnbanOutcomes,
  ReportOutcomes,
  AttemptOutcomes,
  StandingView,
  PresentView,
  ReloadView,
  ConfirmView,
  JailSwitches,
  LiveEvent,
  LogPage,
  OpenApi,
};
export type ShapeName = keyof typeof SHAPES;

/** A fault, whatever the route. Facts of its own may stand beside the two. */
export const FaultShape = v.looseObject({ code: v.string(), message: v.string() });

type Shape<Name extends ShapeName> = v.InferOutput<(typeof SHAPES)[Name]>;
type Same<A, B> = [A, B] extends [B, A] ? true : false;
type Hold<Claims extends readonly true[]> = Claims;
/** Fails to compile where a schema and the contract differ. */
export type Agreement = Hold<
  [
    Same<Shape<'Alive'>, contract.Alive>,
    Same<Shape<'StatusView'>, contract.StatusView>,
    Same<Shape<'BanPage'>, contract.Page<contract.BanView>>,
    Same<Shape<'HistoryView'>, contract.HistoryView>,
    Same<Shape<'BanOutcomes'>, contract.BanOutcome[]>,
    Same<Shape<'UnbanOutcomes'>, contract.UnbanOutcome[]>,
    Same<Shape<'ReportOutcomes'>, contract.ReportOutcome[]>,
    Same<Shape<'AttemptOutcomes'>, contract.AttemptOutcome[]>,
    Same<Shape<'StandingView'>, contract.StandingView>,
    Same<Shape<'PresentView'>, contract.PresentView>,
    Same<Shape<'ReloadView'>, contract.ReloadView>,
    Same<Shape<'ConfirmView'>, contract.ConfirmView>,
    Same<Shape<'JailSwitches'>, contract.JailSwitch[]>,
    Same<Shape<'LiveEvent'>, contract.LiveEvent>,
    Same<Shape<'LogPage'>, contract.LogPage>,
  ]
>;
