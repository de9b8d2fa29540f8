// What a hostile day writes: a script of appends and rotations made from a seed. The same seed gives the same bytes, so
// that a run with kills and one without read the same lines.
import type { JournalEntry } from '../support/journal.ts';
import { createRandom } from './random.ts';
import type { Random } from './random.ts';

export type Step =
  /** Bytes at the end of the live file; they may end within a line or a character, and the next step goes on there. */
  | { readonly what: 'append'; readonly log: string; readonly bytes: Buffer }
  /**
   * Rename and create. `late` is what the writer, still holding the old file, writes to it after the rename.
   * `compress`: what was rotated before is compressed.
   */
  | { readonly what: 'rename'; readonly log: string; readonly late: Buffer; readonly compress: boolean }
  | { readonly what: 'copytruncate'; readonly log: string }
  | { readonly what: 'journal'; readonly entries: readonly JournalEntry[] }
  /** The entries to come stand in a new file. */
  | { readonly what: 'journal-rotation' }
  /** All of it at once: then one source is read while a chunk of another waits its turn. */
  | { readonly what: 'burst'; readonly steps: readonly Step[] };

export const LOGS = ['access.log', 'auth.log'] as const;
type LogName = (typeof LOGS)[number];

const OFFENDERS = 10;
/** Offenders whose bans are lifted in the middle: none of their lines counts afterwards, for all are stamped long before. */
export const PARDONED = ['198.18.0.2', '2001:db8:4::1', '198.19.0.3'];
/** An offender who also logs in, so that he is protected for a while. */
const GUEST = '198.19.0.9';
/** They log in all the time. Others do once: what is forgotten of that is told by no later line. */
const REGULARS = Array.from({ length: 8 }, () => '198.19.1.1');
const WORKERS = 30;
const MINUTE = 60_000;
/** Between two lines of a log pass so many milliseconds at most. */
const PACE = 3_000;
const LONG = 300 * 1_024;
/** One step in so many is a burst. */
const BURSTS = 40;
/** So many lines at once are several chunks: while they are read, what else is to come waits. */
const BURST = 1_500;

/** @param start the first stamp: it lies in the past, so that the outcome doesn't hang on when the script is run. */
export function writeScript(seed: number, steps: number, start: number): Step[] {
  const random = createRandom(seed);
  const script: Step[] = [];
  const writers = LOGS.map((log) => createWriter(log, random, start));
  for (const { log, lines } of writers) script.push({ what: 'append', log, bytes: lines(5) });
  const journal = createJournalWriter(random, start);
  for (let i = 0; i < steps; i++) {
    if (random.below(6) === 0) {
      script.push(journal.step());
      continue;
    }
    if (random.below(BURSTS) === 0) {
      script.push({
        what: 'burst',
        steps: [journal.entries(BURST), ...writers.map((writer) => writer.burst())],
      });
      continue;
    }
    const writer = random.pick(writers);
    const kind = random.below(14);
    if (kind === 0)
      script.push(...writer.finish(), {
        what: 'rename',
        log: writer.log,
        late: writer.lines(random.below(4)),
        compress: random.below(3) === 0,
      });
    else if (kind === 2) script.push(...writer.endless());
    else if (kind === 1) script.push(...writer.finish(), { what: 'copytruncate', log: writer.log });
    else
      script.push({ what: 'append', log: writer.log, bytes: writer.cut(writer.lines(5 + random.below(40))) });
  }
  return [...script, ...writers.flatMap((writer) => writer.finish())];
}

/** What stands in a log before anybody looks at it: attacks that must never count. */
export function oldLines(log: LogName, seed: number, start: number): Buffer {
  return createWriter(log, createRandom(seed ^ 0x01d), start - MINUTE).lines(60);
}

/** What stands in the journal before anybody looks at it. */
export function oldEntries(seed: number, start: number): Step {
  return createJournalWriter(createRandom(seed ^ 0x01d), start - 10 * MINUTE).entries(60);
}

function createJournalWriter(random: Random, start: number) {
  let now = start;
  const entries = (count: number): Step => ({
    what: 'journal',
    entries: Array.from({ length: count }, () => {
      now += 1 + random.below(PACE);
      const unit = random.below(5) === 0 ? 'other.service' : 'ssh.service';
      return {
        at: now,
        message: journalMessage(random),
        fields: { _SYSTEMD_UNIT: unit, _PID: String(random.below(30_000)) },
      };
    }),
  });
  return {
    entries,
    step: (): Step => (random.below(5) === 0 ? { what: 'journal-rotation' } : entries(5 + random.below(60))),
  };
}

function journalMessage(random: Random): string | Buffer {
  const failed = `Failed password for root from 198.19.3.${random.below(OFFENDERS) + 1} port 40022 ssh2`;
  return random.pick<string | Buffer>([
    failed,
    failed,
    failed,
    // Nobody who logs in by another source: a log-in protects in every jail, and order between sources is not promised.
    'Accepted publickey for ops from 198.19.4.1 port 40022 ssh2',
    // Neither is a line of its own, nor does either end well.
    `x\n${failed}`,
    Buffer.from(`${failed}\0\xff`, 'latin1'),
  ]);
}

function createWriter(log: LogName, random: Random, start: number) {
  let now = start;
  /** What the last append held back. */
  let held = Buffer.alloc(0);
  let longLines = 0;
  const line = log === 'access.log' ? accessLine : authLine;
  return {
    log,
    lines(count: number): Buffer {
      let text = '';
      for (let i = 0; i < count; i++) {
        now += random.below(PACE);
        // Some stamps are late, as those of requests that took long.
        text += `${line(random, now - (random.below(10) === 0 ? random.below(2 * MINUTE) : 0))}\n`;
      }
      return Buffer.from(text, 'utf8');
    },
    /** All but a few bytes of the last line; they come with the next append. */
    cut(bytes: Buffer): Buffer {
      const all = Buffer.concat([held, bytes]);
      const keep = random.below(3) === 0 ? random.below(30) : 0;
      held = all.subarray(all.length - keep);
      return all.subarray(0, all.length - keep);
    },
    /** A line that is too long to be read whole. What is held back of it would be a line by itself, were it not its end. */
    endless(): Step[] {
      // Stamped as every log's lines are: files are told apart by their heads, and no two lines of a log are alike.
      const bytes = Buffer.concat([
        held,
        Buffer.alloc(LONG, `${new Date(now).toISOString()} ${++longLines} `),
      ]);
      held = Buffer.from(this.lines(1));
      return [{ what: 'append', log, bytes }];
    },
    burst(): Step {
      const bytes = Buffer.concat([held, this.lines(BURST)]);
      held = Buffer.alloc(0);
      return { what: 'append', log, bytes };
    },
    finish(): Step[] {
      const rest = held;
      held = Buffer.alloc(0);
      return rest.length > 0 ? [{ what: 'append', log, bytes: rest }] : [];
    },
  };
}

function accessLine(random: Random, at: number): string {
  const n = random.below(OFFENDERS);
  const ip = n % 3 === 0 ? `2001:db8:${n + 1}::${(random.below(9) + 1).toString(16)}` : `198.18.0.${n + 1}`;
  const [request, status] = random.pick([
    ['POST /login HTTP/1.1', 401],
    ['POST //log%69n HTTP/1.1', 403],
    ['GET /api/items HTTP/1.1', 200],
    ['GET /api/items?page=2 HTTP/1.1', 200],
    ['GET /style.css HTTP/1.1', 200],
    ['POST /login HTTP/1.1', 200],
  ] as const);
  const date = new Date(at);
  const month = date.toUTCString().slice(8, 11);
  const day = String(date.getUTCDate()).padStart(2, '0');
  const stamp = `${day}/${month}/${date.getUTCFullYear()}:${date.toISOString().slice(11, 19)} +0000`;
  const agent = random.pick(['curl/8', 'Grüße/1.0 “日本”', '203.0.113.66 - - [x] \\x22POST /login', '-']);
  return `${ip} - - [${stamp}] "${request}" ${status} 12 "-" "${agent}"`;
}

function authLine(random: Random, at: number): string {
  const ip = `198.19.0.${random.below(OFFENDERS) + 1}`;
  const date = new Date(at);
  const stamp = `${date.toUTCString().slice(8, 11)} ${String(date.getUTCDate()).padStart(2, ' ')} ${date.toISOString().slice(11, 19)}`;
  // What was said just before came again, says the syslog daemon.
  if (random.below(8) === 0) return `${stamp} web last message repeated ${1 + random.below(3)} times`;
  if (random.below(5) === 0) {
    const said = random.below(4) === 0 ? `hello from 198.19.2.${random.below(OFFENDERS) + 1}` : 'refused';
    return `${stamp} web worker[${random.below(WORKERS)}]: ${said}`;
  }
  const user = random.pick([
    'root',
    'invalid user józsef',
    'invalid user x from 203.0.113.9 port 1',
    'admin',
  ]);
  // Now and then it is an offender who logs in.
  const guest = random.pick([GUEST, ...REGULARS, `198.19.${32 + random.below(32)}.${random.below(256)}`]);
  const message = random.pick([
    `Failed password for ${user} from ${ip} port ${1_024 + random.below(60_000)} ssh2`,
    `Accepted publickey for ops from ${guest} port 40022 ssh2`,
    `Received disconnect from ${ip} port 40022:11: Bye Bye [preauth]`,
  ]);
  return `${stamp} web sshd[${random.below(30_000)}]: ${message}`;
}
