// Reads the sample logs of fail2ban's tests: lines as services write them, and in comments before each what its filter
// must make of it. This is what the comments hold, as the logs themselves show:
//
//   # failJSON: { "match": true, "host": "192.0.2.1", "time": "2005-06-21T16:47:48" }
//     of each line up to the next one. `host` may be missing where the address stands in an earlier line. `time` is local,
//     as of the tests' own day, and null where the line has none. `constraint` says under which options it holds at all:
//     elsewhere the line is not read. `attempts`, `user`, `users`, `dns` and `desc` are not compared.
//   # filterOptions: [{}, {"mode": "aggressive"}]
//     the options under which the lines are read, each in turn, up to the next such comment.
//   # fileOptions: { "logtype": "journal" }
//     what all later options of this file hold besides.
//   # addFILE: "sshd-journal"
//     that file's lines belong to this service too.
//
// In options `test.condition` says for which filter they are meant, and `test.prefix-line` what to put before each line.

/** What a filter of fail2ban is set to: `{ mode: "aggressive" }`. */
export type Options = Readonly<Record<string, unknown>>;

export interface Expectation {
  readonly match: boolean;
  /** An address or the name of a host. */
  readonly host: string | undefined;
  readonly time: string | undefined;
}

/** One line of a sample log. */
export interface Sample {
  readonly file: string;
  /** Its place in the file, from 1. */
  readonly number: number;
  /** latin1, with what goes before it. */
  readonly text: string;
  readonly expected: Expectation;
  /** The options under which it is read so; never empty. */
  readonly options: readonly Options[];
}

type Facts = Readonly<Record<string, unknown>>;

/**
 * The samples of one service.
 * @param name of its log, and so of fail2ban's filter.
 * @param read gives a log's bytes as latin1.
 * @throws Error that names file and line where a comment can't be understood: better than to compare something else.
 */
export function readSamples(name: string, read: (file: string) => string): Sample[] {
  return samplesIn(name, name, read, []);
}

function samplesIn(
  filter: string,
  file: string,
  read: (file: string) => string,
  before: readonly string[],
): Sample[] {
  const samples: Sample[] = [];
  const added: string[] = [];
  let ofFile: Facts = {};
  let sets: readonly Facts[] = [{}];
  let facts: Facts = {};
  for (const [index, line] of read(file).split(/\r?\n/).entries()) {
    const number = index + 1;
    const [, word, json] = /^#+ ?(failJSON|filterOptions|fileOptions|addFILE):(.+)$/.exec(line) ?? [];
    try {
      if (word === 'failJSON') facts = objectOf(parse(json!));
      else if (word === 'fileOptions') sets = [(ofFile = objectOf(parse(json!)))];
      else if (word === 'filterOptions') sets = setsOf(parse(json!)).map((set) => ({ ...ofFile, ...set }));
      else if (word === 'addFILE') added.push(textOf(parse(json!)));
      else if (line.trim() !== '' && !line.startsWith('#')) samples.push(...read1(line, number));
    } catch (error) {
      throw new Error(`${file}:${number}: ${(error as Error).message}`, { cause: error });
    }
  }
  const seen = [...before, file];
  const others = added.filter((other) => !seen.includes(other));
  return [...samples, ...others.flatMap((other) => samplesIn(filter, other, read, seen))];

  function read1(line: string, number: number): Sample[] {
    const options = sets.filter(
      (set) => holds(set['test.condition'], filter, set) && holds(facts['constraint'], filter, set),
    );
    if (options.length === 0) return [];
    const prefix = options[0]!['test.prefix-line'] ?? '';
    const expected: Expectation = {
      match: facts['match'] === true,
      host: optional(facts['host']),
      time: optional(facts['time']),
    };
    return [{ file, number, text: `${textOf(prefix)}${line}`, expected, options }];
  }
}

/** Comments are UTF-8. */
function parse(json: string): unknown {
  return JSON.parse(Buffer.from(json, 'latin1').toString('utf8'));
}

function setsOf(value: unknown): Facts[] {
  return (Array.isArray(value) ? (value as unknown[]) : [value]).map(objectOf);
}

function objectOf(value: unknown): Facts {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Facts;
  throw new Error(`no object: ${JSON.stringify(value)}`);
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new Error(`no text: ${JSON.stringify(value)}`);
}

function optional(value: unknown): string | undefined {
  return value === undefined || value === null ? undefined : textOf(value);
}

/**
 * Conditions are written in Python, of which this is used: `name == 'sshd'`, `opts.get('mode') != 'aggressive'`, and
 * several of them with `and` or `or` between them.
 */
function holds(condition: unknown, filter: string, options: Facts): boolean {
  if (condition === undefined) return true;
  return textOf(condition)
    .split(/\bor\b/)
    .some((either) => either.split(/\band\b/).every((part) => compare(part.trim(), filter, options)));
}

function compare(text: string, filter: string, options: Facts): boolean {
  const parts = /^(?:name|opts\.get\((?:'(\w+)'|"(\w+)")\)) *(==|!=) *(?:'([^']*)'|"([^"]*)")$/.exec(text);
  if (!parts) throw new Error(`a condition that is not understood: ${text}`);
  const [, single, double, operator] = parts;
  const key = single ?? double;
  const value = key === undefined ? filter : options[key];
  return (value === (parts[4] ?? parts[5])) === (operator === '==');
}
