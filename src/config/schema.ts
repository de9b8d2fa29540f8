// The config's keys: type, default, unit and one sentence each, in this one place. The JSON Schema and the reference
// page are made from it, and a test asks of every key that changing it changes something.
import * as v from 'valibot';
import { respond } from './respond.ts';
import {
  allowList,
  conditions,
  duration,
  ending,
  finite,
  isRate,
  isZone,
  key,
  listOf,
  number,
  oneOf,
  positive,
  rate,
  says,
  text,
  whole,
  yesOrNo,
} from './values.ts';

/** What holds where neither the jail nor `defaults` says anything. */
export const BUILT_IN = {
  enabled: true,
  reports: false,
  maxRetry: 5,
  findTime: '10m',
  ports: [] as number[],
  protocol: 'any',
  ipv6Prefix: 64,
  mode: 'normal',
  dryRun: false,
  resetOnSuccess: false,
  protectAfterSuccess: '1d',
  brake: 'behaving',
  respond: 'drop',
  banTime: { first: '10m', factor: 4, max: '1w', forget: '30d', scope: 'jail' },
  history: { keep: '365d', maxSize: 1_024 },
  limits: { offendersPerJail: 100_000, offenders: 250_000, evidence: 128, bans: 250_000 },
} as const;

/** The jail under which bans by hand stand. */
export const RESERVED_JAIL = 'manual';

export const JAIL_NAME = /^[a-z0-9][a-z0-9_.-]{0,63}$/;

export const banTimeObject = v.strictObject({
  first: key(positive, {
    says: 'How long the first sentence lasts; bans by hand last as long as that of `defaults`.',
    default: BUILT_IN.banTime.first,
    unit: 'seconds where it is a bare number',
  }),
  factor: key(number('a number of at least 1', 1, 1_000_000), {
    says: 'How many times longer each further sentence is than the one before; 1 keeps them all alike.',
    default: BUILT_IN.banTime.factor,
    unit: 'times',
  }),
  max: key(positive, {
    says: 'No sentence is longer than this; at least `first`. Unless it is written, a longer `first` or step raises it.',
    default: BUILT_IN.banTime.max,
    unit: 'seconds where it is a bare number',
  }),
  forget: key(duration, {
    says: 'This long after the end of the last sentence the next one is a first one again.',
    default: BUILT_IN.banTime.forget,
    unit: 'seconds where it is a bare number',
  }),
  steps: key(
    v.pipe(
      listOf(positive, 'a list of durations'),
      v.minLength(1, says('E_CONFIG_VALUE', 'at least one duration')),
      v.maxLength(100, says('E_CONFIG_VALUE', 'at most 100 durations')),
    ),
    {
      says: 'The sentences one by one, instead of `first` and `factor`; the last one repeats.',
      otherwise: 'none',
      unit: 'seconds where they are bare numbers',
    },
  ),
  scope: key(oneOf(['jail', 'all']), {
    says: 'Whose earlier sentences count: those of this jail or those of all.',
    default: BUILT_IN.banTime.scope,
  }),
});
const banTime = v.union(
  [positive, banTimeObject],
  says('E_CONFIG_TYPE', 'a duration, or an object with first, factor, max, forget, steps and scope'),
);

const PATH = 'an absolute path or glob, or "-" for standard input';
const PORT = 'a port from 1 to 65535';
const TERM = 'a journal match such as _SYSTEMD_UNIT=ssh.service, or "+" between two groups of them';
const TERM_FORM = /^(?:\+|[A-Z_][A-Z\d_]{0,63}=[^\0]*)$/;
const isBetween = (terms: readonly string[], i: number) =>
  [terms[i - 1], terms[i + 1]].every((beside) => beside !== undefined && beside !== '+');
const DIRECTORY = 'the absolute path of a folder';
const filterName = text('the name of a filter');

/** The keys of a jail, and of `defaults`. */
export const jailSchema = v.strictObject(
  {
    enabled: key(yesOrNo, { says: 'Whether the jail runs.', default: BUILT_IN.enabled }),
    filter: key(
      v.union(
        [
          filterName,
          v.pipe(listOf(filterName, ''), v.minLength(1, says('E_CONFIG_VALUE', 'at least one filter'))),
        ],
        says('E_CONFIG_TYPE', 'the name of a filter or a list of names'),
      ),
      {
        says: 'Which filter recognises the lines, or which ones. The name `recidive` is taken: such a jail has no logs, its matches are the bans of the other jails.',
        otherwise: 'none: a jail needs one, or takes `reports`',
      },
    ),
    logs: key(
      listOf(
        v.pipe(
          text(PATH),
          v.check((path) => path.startsWith('/') || path === '-', says('E_CONFIG_VALUE', PATH)),
          v.check((path) => !path.includes('\0'), says('E_CONFIG_VALUE', PATH)),
        ),
        'a list of absolute paths and globs',
      ),
      {
        says: 'The files that are followed: absolute paths and globs. Files that appear later are picked up while running. `-` is standard input.',
        otherwise: 'none: a jail needs `logs` or `journal`, or takes `reports`',
      },
    ),
    journal: key(
      v.pipe(
        listOf(
          v.pipe(text(TERM), v.regex(TERM_FORM, says('E_CONFIG_VALUE', TERM))),
          'a list of journal matches',
        ),
        v.check(
          (terms) => terms.every((term, i) => term !== '+' || isBetween(terms, i)),
          says('E_CONFIG_VALUE', 'a "+" only between two matches'),
        ),
      ),
      {
        says: 'Which entries of the journal are followed where none of `logs` exists: match terms as journalctl takes them. Terms of different fields must all hold, of the same field one; `+` stands between groups of which one must hold.',
        otherwise: 'none',
      },
    ),
    reports: key(yesOrNo, {
      says: 'Whether applications may report to the jail, on `report.sock`. A jail that takes reports needs neither filter nor logs. Leave it off where a broken application must not ban anybody.',
      default: BUILT_IN.reports,
    }),
    sources: key(oneOf(['all']), {
      says: '`all` follows the journal beside `logs` that exist.',
      otherwise: 'the journal only where none of `logs` exists',
    }),
    start: key(oneOf(['beginning', 'end']), {
      says: 'Where a file is read from that exists when Bailiff first meets it. It belongs to the file: jails that name the same one must agree.',
      otherwise: 'the first line that is younger than the largest `findTime` of its jails',
    }),
    maxRetry: key(whole('a whole number from 1 to 1000000000', 1, 1_000_000_000), {
      says: 'The match with this number, within `findTime`, bans.',
      default: BUILT_IN.maxRetry,
      unit: 'matches',
    }),
    findTime: key(finite, {
      says: 'The matches that ban are at most this far apart.',
      default: BUILT_IN.findTime,
      unit: 'seconds where it is a bare number',
    }),
    limit: key(rate, {
      says: 'Instead of `maxRetry` and `findTime`: `"100/1m"` lets 100 pass within any minute and bans at the next.',
      otherwise: 'none',
    }),
    banTime: key(banTime, {
      says: 'How long a ban lasts: an object with the keys below, or a duration that every ban of the jail lasts.',
      default: BUILT_IN.banTime,
    }),
    respond: key(respond, {
      says: 'What a ban does: `"drop"`, `"reject"`, or a list with a step for the first offence of an address, the second and so on, of which the last one repeats. Whom it holds and until when is settled when the ban is decided; what becomes of the traffic follows the config in force. Bans by hand drop.',
      default: BUILT_IN.respond,
    }),
    ports: key(listOf(whole(PORT, 1, 65_535), 'a list of ports'), {
      says: 'The published ports that a ban covers; an empty list is all of them.',
      default: BUILT_IN.ports,
      unit: 'port numbers',
    }),
    protocol: key(oneOf(['any', 'tcp', 'udp']), {
      says: 'Which traffic a ban covers; with `ports`, `any` is TCP and UDP.',
      default: BUILT_IN.protocol,
    }),
    ignore: key(allowList, {
      says: 'Addresses, networks, names and `file:` lists that this jail never counts, added to `allow`.',
      otherwise: 'none',
    }),
    ipv6Prefix: key(whole('a prefix length from 32 to 128', 32, 128), {
      says: 'IPv6 addresses are counted and banned by their prefix of this length.',
      default: BUILT_IN.ipv6Prefix,
      unit: 'bits',
    }),
    brake: key(
      v.pipe(
        text('"behaving", "off" or a rate such as "300/1m"'),
        v.check(
          (written) => written === 'behaving' || written === 'off' || isRate(written),
          says('E_CONFIG_VALUE', '"behaving", "off" or a rate such as "300/1m"'),
        ),
      ),
      {
        says: 'When the jail trips: from then on it only detects, with an alarm, until `bailiff enable JAIL` answers. `"behaving"`: when most of the last twenty addresses that it banned had behaved before: somebody logged in from there, or they have a record of many lines without a match in the access logs that are followed. `"300/1m"`: when it bans more than 300 times within a minute. `"off"`: never.',
        default: BUILT_IN.brake,
      },
    ),
    mode: key(oneOf(['normal', 'aggressive']), {
      says: '`aggressive` takes in the patterns that a filter marks so.',
      default: BUILT_IN.mode,
    }),
    dryRun: key(yesOrNo, {
      says: 'The jail counts and passes sentence, but nothing is blocked.',
      default: BUILT_IN.dryRun,
    }),
    resetOnSuccess: key(yesOrNo, {
      says: 'A successful log-in of an address begins its count anew.',
      default: BUILT_IN.resetOnSuccess,
    }),
    protectAfterSuccess: key(ending, {
      says: 'How long an address is protected here from which someone logged in: its matches are ignored, and only ten times as many of them ban. Log-ins that the filters of the jail tell protect, and those at sshd and the like, whichever jail reads them; who is banned all the same is protected again by a log-in after the ban. `0` protects nobody.',
      default: BUILT_IN.protectAfterSuccess,
      unit: 'seconds where it is a bare number',
    }),
    zone: key(
      v.pipe(
        text('an IANA time zone'),
        v.check(isZone, says('E_CONFIG_VALUE', 'an IANA time zone such as UTC or Europe/Berlin')),
      ),
      {
        says: 'The time zone of stamps that name none. It belongs to the file: jails that name the same one must agree.',
        otherwise: "the host's",
      },
    ),
    logFormat: key(
      text(
        'an nginx log_format or Apache LogFormat string, "combined", "common", "vhost_combined", "haproxy", "traefik" or "json"',
      ),
      {
        says: 'How the lines are laid out: an nginx `log_format` string (with `escape=json` too), an Apache `LogFormat` string, `combined`, `common`, `vhost_combined`, `haproxy`, `traefik`, or `json` for lines in JSON under the usual keys: of Caddy, Traefik, pino-http, and nginx with the names of its variables.',
        otherwise: 'what the log is found to be, else `combined`',
      },
    ),
    where: key(conditions, {
      says: "Narrows the filter: only lines whose fields fulfil all of these conditions count. The form is that of a filter's `where`.",
      otherwise: 'no condition',
    }),
    except: key(conditions, {
      says: 'Narrows the filter: lines whose fields fulfil all of these conditions do not count.',
      otherwise: 'no exception',
    }),
  },
  says('E_CONFIG_TYPE', 'an object with the keys of a jail'),
);

const jailName = v.pipe(
  v.string(),
  v.regex(
    JAIL_NAME,
    says(
      'E_CONFIG_NAME',
      'a name of 1 to 64 characters: a to z, 0 to 9, "_", "." and "-", the first a letter or digit',
    ),
  ),
  v.notValue(
    RESERVED_JAIL,
    says('E_CONFIG_NAME', `another name than "${RESERVED_JAIL}", under which bans by hand stand`),
  ),
);

export const historySchema = v.strictObject(
  {
    keep: key(positive, {
      says: 'How long a ban is remembered after its end; never shorter than the longest `banTime.forget` of a jail.',
      default: BUILT_IN.history.keep,
      unit: 'seconds where it is a bare number',
    }),
    maxSize: key(whole('a whole number of MiB, at least 16', 16, 1_000_000), {
      says: 'How large `ledger.sqlite` may grow: before it does, the bans that ended first are forgotten, younger than `keep` or not. How often someone was banned is remembered all the same.',
      default: BUILT_IN.history.maxSize,
      unit: 'MiB',
    }),
  },
  says('E_CONFIG_TYPE', 'an object with keep and maxSize'),
);

const many = whole('a whole number from 1000 to 10000000', 1_000, 10_000_000);

export const limitsSchema = v.strictObject(
  {
    offendersPerJail: key(many, {
      says: 'How many offenders one jail remembers, those who are banned aside. Beyond it those go who are furthest from a ban and were silent for longest; `status` counts them.',
      default: BUILT_IN.limits.offendersPerJail,
      unit: 'offenders of some 0.7 KiB each, without evidence',
    }),
    offenders: key(many, {
      says: 'How many all jails together remember, those who are banned aside: beyond it the jail that remembers most lets one go.',
      default: BUILT_IN.limits.offenders,
      unit: 'offenders',
    }),
    evidence: key(whole('a whole number of MiB from 1 to 100000', 1, 100_000), {
      says: 'How much the lines take that are kept as evidence against those who are not banned, shared out equally among the jails. Beyond it others lose theirs, in turn; their matches count all the same.',
      default: BUILT_IN.limits.evidence,
      unit: 'MiB',
    }),
    bans: key(many, {
      says: 'How many bans are in force at a time. Beyond it the one ends that would have ended first; bans by hand and those without an end never do.',
      default: BUILT_IN.limits.bans,
      unit: 'bans',
    }),
  },
  says('E_CONFIG_TYPE', 'an object with offendersPerJail, offenders, evidence and bans'),
);

/** The whole file. */
export const configSchema = v.strictObject(
  {
    $schema: key(v.string(says('E_CONFIG_TYPE', 'the path of a JSON Schema')), {
      says: 'For editors, which check and complete the keys by it. Bailiff does not read it.',
      otherwise: 'none',
    }),
    defaults: key(jailSchema, {
      says: 'Any keys of a jail: they hold for every jail that does not say otherwise. The keys of `banTime` are taken over one by one.',
      otherwise: 'what is built in',
    }),
    allow: key(allowList, {
      says: 'Who is never counted and never dropped, on the whole host: addresses, networks, names, `file:` with the absolute path of a list, `self` (which changes nothing: the host is protected in any case). A name is looked up again when its time to live ends, a list when its file changes.',
      otherwise: 'nobody',
    }),
    trustedProxies: key(allowList, {
      says: 'Proxies whose forwarding header is believed, by address, network or `file:`: behind them the offender is the right-most address of the header (X-Forwarded-For, Forwarded, X-Real-IP or CF-Connecting-IP, whichever the log has) that is no trusted proxy. They are never counted and never dropped.',
      default: [],
    }),
    history: key(historySchema, {
      says: 'What is remembered of bans that have ended, for `bans --all` and `history`: an object with the keys below.',
      default: BUILT_IN.history,
    }),
    limits: key(limitsSchema, {
      says: 'How much is held in memory, so that nobody can fill it: an object with the keys below. `status` shows how far each is used.',
      default: BUILT_IN.limits,
    }),
    journalDirectory: key(v.pipe(text(DIRECTORY), v.startsWith('/', says('E_CONFIG_VALUE', DIRECTORY))), {
      says: "The folder with the journal's files where they are another machine's: those of the host, in a container. A change takes effect at the next start.",
      otherwise: "this host's own",
    }),
    jails: key(v.record(jailName, jailSchema, says('E_CONFIG_TYPE', 'an object of jails by name')), {
      says: 'The jails by name: what is watched, what is counted, what it costs.',
      otherwise: 'none: only bans by hand work',
    }),
  },
  says('E_CONFIG_TYPE', 'an object'),
);

export type ConfigInput = v.InferOutput<typeof configSchema>;
export type JailInput = v.InferOutput<typeof jailSchema>;
export type BanTimeInput = v.InferOutput<typeof banTime>;
