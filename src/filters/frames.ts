// What stands around a line before a filter's layout sees it: the header of a syslog daemon that relayed it, and what a
// container engine put around both (containers.ts). Each frame is known by its strict beginning, line by line, and only the
// outermost of its kind is taken off: text inside can't fake one, nor escape it.
import type { Instant, Match } from '../model.ts';
import type { Stamps } from '../time.ts';
import { createBacklook } from './again.ts';
import { UNFORWARDED } from './by-fields.ts';
import { receivedAt, unwrapLine } from './containers.ts';
import type { FilterDefinition, LineVerdict, SessionMemory, TellWhose } from './contract.ts';
import type { Engine, Relay, Surroundings } from './engine.ts';
import { LEVEL, afterPriority, readHeader5424 } from './layouts.ts';
import { namesPrograms } from './programs.ts';

/**
 * Tags under which web servers log. A file that all programs write to holds text that others let a client begin, so that
 * not every tag may speak for an access log.
 */
const WEB_SERVERS =
  /^(?:nginx|openresty|angie|apache2?|httpd|haproxy|traefik|caddy|lighttpd|varnishncsa|envoy)(?:[-_./].*)?$/;
/** `Jan  5 10:11:12 web nginx[812]: `; the stamp may be ISO 8601 with its zone, as rsyslog writes it. */
const HEADER =
  /^(?:[A-Z][a-z]{2} (?: \d|\d\d?) \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)) ([\w.:-]*[\w.-]) ([\w./-]+)(?:\[\d+\])?:(?: |$)/;
const LONGEST_HEADER = 512;
const MOST_PRIORITY = 191;
const FOREIGN: LineVerdict = {
  outcome: 'no-match',
  why: 'the line was written by a program that the filter doesn\'t name under "program" (an access log: by no web server)',
};
const PART: LineVerdict = {
  outcome: 'no-layout',
  why: 'the line is a part of a longer one, which is looked at as a whole',
};

/** @returns undefined for `syslog`, which is this frame. */
export function createRelay(
  { layout, program }: Pick<FilterDefinition, 'layout' | 'program'>,
  stamps: Stamps,
): Relay | undefined {
  if (layout === 'syslog') return undefined;
  const named = namesPrograms(program);
  // A plain line is taken as it stands where nobody says who relays it: its own words may look like a header.
  const mayHaveHeader = layout !== 'plain' || program.length > 0;
  const isOwn = (name: string): boolean =>
    program.length > 0 ? named(name) : layout !== 'access' || WEB_SERVERS.test(name);
  return {
    layoutFirst: layout !== 'plain',
    read(text, start, end, now) {
      const from = afterPriority(text, start);
      if (from > start && Number(text.slice(start + 1, from - 1)) > MOST_PRIORITY) return undefined;
      const header = mayHaveHeader ? readHeader(stamps, text, start, from, end, now) : undefined;
      if (header)
        return { from: header.end, at: header.at, host: header.host, isForeign: !isOwn(header.program) };
      return from > start ? { from, at: undefined, host: undefined, isForeign: false } : undefined;
    },
  };
}

interface Header {
  readonly host: string | undefined;
  readonly program: string;
  readonly at: Instant | undefined;
  readonly end: number;
}

function readHeader(
  stamps: Stamps,
  text: string,
  start: number,
  from: number,
  end: number,
  now: Instant,
): Header | undefined {
  if (from > start && text.startsWith('1 ', from)) return readHeader5424(stamps, text, from + 2, end, now);
  const [head, host, program] = HEADER.exec(text.slice(from, Math.min(end, from + LONGEST_HEADER))) ?? [];
  if (head === undefined || host === undefined || program === undefined) return undefined;
  const stamp = stamps.at(text, from, now);
  // Programs that write `2026-01-05T10:11:12Z ERROR app: …` are no host of that name.
  if (!stamp || LEVEL.test(host)) return undefined;
  return { host, program, at: stamp.instant, end: from + head.length };
}

/**
 * Asks a filter about one line of a chunk.
 * @param line it, as the filter's framing opened it; still open afterwards.
 */
export function examineFramed<L>(
  engine: Engine<L>,
  relay: Relay | undefined,
  line: L | undefined,
  text: string,
  start: number,
  end: number,
  explains: boolean,
  around: Surroundings,
): LineVerdict {
  if (relay && !relay.layoutFirst) {
    const inside = examineInside(engine, relay, text, start, end, explains, around);
    if (inside) return inside;
  }
  const verdict = line === undefined ? engine.misfit : engine.examine(line, start, end, explains, around);
  // A line that lacks a header only is one of the log format, whatever a client wrote further on.
  if (!relay?.layoutFirst || verdict.outcome !== 'no-layout' || verdict === UNFORWARDED) return verdict;
  const inside = examineInside(engine, relay, text, start, end, explains, around);
  // A framing may keep one line only, and others still want it as it stands.
  if (inside) engine.framing.open(text, start, end, around.arrivedAt);
  return inside ?? verdict;
}

/** @returns undefined where nobody relayed the line. */
function examineInside<L>(
  engine: Engine<L>,
  relay: Relay,
  text: string,
  start: number,
  end: number,
  explains: boolean,
  around: Surroundings,
): LineVerdict | undefined {
  const { arrivedAt } = around;
  const relayed = relay.read(text, start, end, arrivedAt);
  if (!relayed) return undefined;
  if (relayed.isForeign) return FOREIGN;
  const line = engine.framing.open(text, relayed.from, end, arrivedAt);
  if (line === undefined) return engine.misfit;
  const { at, host } = relayed;
  const receivedAt = at === undefined ? () => around.receivedAt(start) : () => at;
  const inside: Surroundings = { ...around, host, receivedAt };
  const verdict = engine.examine(line, relayed.from, end, explains, inside);
  return reframedVerdict(verdict, start, end, relayed.at);
}

/**
 * Whose a line is, as the filter's layout tells it, whoever relayed it.
 * @returns undefined for a filter whose lines are nobody's.
 */
export function whoseFramed({ whose }: Engine<unknown>, relay: Relay | undefined): TellWhose | undefined {
  if (!whose) return undefined;
  const relayedWhose: TellWhose = (text, start, end, arrivedAt) => {
    const told = whose(text, start, end, arrivedAt);
    if (told || !relay) return told;
    const relayed = relay.read(text, start, end, arrivedAt);
    if (!relayed || relayed.isForeign) return undefined;
    const inside = whose(text, relayed.from, end, arrivedAt);
    return inside && { address: inside.address, at: inside.at ?? relayed.at };
  };
  return (text, start, end, arrivedAt) => {
    const opened = unwrapLine(text, start, end);
    if (!opened) return relayedWhose(text, start, end, arrivedAt);
    if (opened.isPart || mayEndAnother(text, start)) return undefined;
    const inside = relayedWhose(opened.text, 0, opened.text.length, arrivedAt);
    return inside && { address: inside.address, at: inside.at ?? receivedAt(opened) };
  };
}

/** May the line be the last part of a longer one? Then a client may have chosen where it begins. */
function mayEndAnother(text: string, start: number): boolean {
  if (start === 0) return true;
  const before = text.lastIndexOf('\n', start - 2) + 1;
  return unwrapLine(text, before, start - 1)?.isPart !== false;
}

/** Asks a filter about one line by itself, without its end. */
export function judgeFramed<L>(
  engine: Engine<L>,
  relay: Relay | undefined,
  line: string,
  arrivedAt: Instant,
  sessions: SessionMemory,
): LineVerdict {
  const opened = unwrapLine(line, 0, line.length);
  if (opened?.isPart) return PART;
  const text = opened?.text ?? line;
  const open = engine.framing.open(text, 0, text.length, arrivedAt);
  const received = opened && receivedAt(opened);
  const look = createBacklook({ text }, sessions);
  const around: Surroundings = {
    ...{ sessions, host: undefined, arrivedAt, before: look.before, among: undefined },
    receivedAt: () => received ?? arrivedAt,
  };
  const verdict = examineFramed(engine, relay, open, text, 0, text.length, true, around);
  const isTaken = verdict.outcome === 'match' || verdict.outcome === 'success';
  if (isTaken && engine.heedsRepeats === true) look.took(0);
  look.settle(arrivedAt);
  return opened ? reframedVerdict(verdict, 0, line.length, received) : verdict;
}

function reframedVerdict(
  verdict: LineVerdict,
  start: number,
  end: number,
  at: Instant | undefined,
): LineVerdict {
  return 'match' in verdict ? { ...verdict, match: reframed(verdict.match, start, end, at) } : verdict;
}

/** A match as one of the line [start, end) around it; `at` counts where the match has no stamp of its own. */
export function reframed(match: Match, start: number, end: number, at: Instant | undefined): Match {
  return new FramedMatch(match, start, end, match.at ?? at);
}

class FramedMatch implements Match {
  readonly start: number;
  readonly end: number;
  readonly filter: string;
  readonly pattern: number;
  readonly outcome: Match['outcome'];
  readonly address: Match['address'];
  readonly via: Match['via'];
  readonly at: Instant | undefined;
  readonly counts: number;
  readonly oncePerSession: boolean;
  readonly session: string | undefined;
  readonly #inner: Match;

  constructor(inner: Match, start: number, end: number, at: Instant | undefined) {
    this.start = start;
    this.end = end;
    this.filter = inner.filter;
    this.pattern = inner.pattern;
    this.outcome = inner.outcome;
    this.address = inner.address;
    this.via = inner.via;
    this.at = at;
    this.counts = inner.counts;
    this.oncePerSession = inner.oncePerSession;
    this.session = inner.session;
    this.#inner = inner;
  }

  // Read from the line when it is asked for.
  get fields(): Match['fields'] {
    return this.#inner.fields;
  }
}
