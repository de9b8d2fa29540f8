// A program: the least in Node that says of a benchmark's log what our jails must say of it. It looks for one regex, made
// for this log, in the text of whole chunks, and counts whom it finds in a map of windows. It has no config, no filters, no
// evidence, no ledger and no kernel, and a crafted line could have anybody banned. So it is what every program in Node pays
// that counts what it finds: beside it one can read a ratio against a program that only searches.
// `node bench/bare.ts selective|everything|sshd|json LOG` prints {lines, verdicts: {JAIL: {matches, banned}}}.
import { openSync, readSync } from 'node:fs';
import { counted } from './lib/addresses.ts';
import { reckon, type Reckoner } from './lib/verdicts.ts';
import { FIND_TIME, MAX_RETRY, PER_MINUTE, RULES } from './inputs/rules.ts';

const READ = 1 << 20;
const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec';
const NEWLINE = 10;

/** What is done with text of whole lines. */
type Look = (text: string) => void;

interface Bare {
  readonly jails: Readonly<Record<string, Reckoner>>;
  readonly look: Look;
}

/** A function that remembers its last answer: stamps come many times in a row. */
function remembering<T>(read: (text: string) => T): (text: string) => T {
  let [last, answer]: [string | undefined, T | undefined] = [undefined, undefined];
  return (text) => {
    if (text !== last) [last, answer] = [text, read(text)];
    return answer!;
  };
}

/** `05/Jan/2026:00:00:16 +0000` in seconds. */
const commonSeconds = remembering((stamp) => {
  const month = MONTHS.indexOf(stamp.slice(3, 6)) / 3;
  const [hour, minute, second] = [stamp.slice(12, 14), stamp.slice(15, 17), stamp.slice(18, 20)];
  return Date.UTC(+stamp.slice(7, 11), month, +stamp.slice(0, 2), +hour, +minute, +second) / 1_000;
});

/** `Jan  5 00:00:16` in seconds, of the year of the inputs. */
const syslogSeconds = remembering((stamp) => {
  const [hour, minute, second] = [stamp.slice(7, 9), stamp.slice(10, 12), stamp.slice(13, 15)];
  const month = MONTHS.indexOf(stamp.slice(0, 3)) / 3;
  return Date.UTC(2026, month, +stamp.slice(4, 6), +hour, +minute, +second) / 1_000;
});

/** Counts an access line that begins at `from`. */
function countAccess(text: string, from: number, jail: Reckoner): void {
  const end = text.indexOf(' ', from);
  const stamp = text.indexOf('[', end) + 1;
  jail.match(counted(text.slice(from, end)), commonSeconds(text.slice(stamp, stamp + 26)));
}

function selective(): Bare {
  const jails = Object.fromEntries(RULES.map(({ name }) => [name, reckon(MAX_RETRY, FIND_TIME)]));
  const all = Object.values(jails);
  // Behind each rule an empty group says which it was.
  const union = new RegExp(RULES.map(({ regex }) => `${regex}()`).join('|'), 'g');
  return {
    jails,
    look(text) {
      union.lastIndex = 0;
      for (let found = union.exec(text); found; found = union.exec(text)) {
        const which = found.indexOf('', 1) - 1;
        countAccess(text, text.lastIndexOf('\n', found.index) + 1, all[which]!);
      }
    },
  };
}

function everything(): Bare {
  const jail = reckon(PER_MINUTE + 1, 60);
  return {
    jails: { everything: jail },
    look(text) {
      for (let from = 0; from < text.length; from = text.indexOf('\n', from) + 1)
        countAccess(text, from, jail);
    },
  };
}

function sshd(): Bare {
  const jail = reckon(MAX_RETRY, FIND_TIME);
  const failed = /sshd\[\d+\]: Failed password for .* from ([0-9a-f.:]+) port \d+/g;
  return {
    jails: { sshd: jail },
    look(text) {
      failed.lastIndex = 0;
      for (let found = failed.exec(text); found; found = failed.exec(text)) {
        const line = text.lastIndexOf('\n', found.index) + 1;
        jail.match(counted(found[1]!), syslogSeconds(text.slice(line, line + 15)));
      }
    },
  };
}

function json(): Bare {
  const jail = reckon(MAX_RETRY, FIND_TIME);
  const refused = '"msg":"login failed"';
  return {
    jails: { app: jail },
    look(text) {
      for (let at = text.indexOf(refused); at >= 0; at = text.indexOf(refused, at)) {
        const from = text.lastIndexOf('\n', at) + 1;
        at = text.indexOf('\n', at);
        const { time, req } = JSON.parse(text.slice(from, at)) as {
          time: number;
          req: { remoteAddress: string };
        };
        jail.match(counted(req.remoteAddress), time / 1_000);
      }
    },
  };
}

/** Gives whole lines to `look`, a chunk at a time. @returns how many there were. */
function readThrough(path: string, look: Look): number {
  const file = openSync(path, 'r');
  const buffer = Buffer.allocUnsafe(READ);
  let lines = 0;
  for (let kept = 0, read: number; (read = readSync(file, buffer, kept, READ - kept, null)) > 0;) {
    const filled = kept + read;
    const whole = buffer.lastIndexOf(NEWLINE, filled - 1) + 1;
    const text = buffer.toString('latin1', 0, whole);
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines++;
    look(text);
    buffer.copyWithin(0, whole, filled);
    kept = filled - whole;
  }
  return lines;
}

const KINDS: Readonly<Record<string, () => Bare>> = { selective, everything, sshd, json };
const [kind = '', path = ''] = process.argv.slice(2);
const begin = KINDS[kind];
if (!begin) throw new Error(`no such log: ${kind}; there are ${Object.keys(KINDS).join(', ')}`);
const { jails, look } = begin();
const lines = readThrough(path, look);
const verdicts = Object.fromEntries(Object.entries(jails).map(([name, jail]) => [name, jail.verdict()]));
process.stdout.write(JSON.stringify({ lines, verdicts }));
