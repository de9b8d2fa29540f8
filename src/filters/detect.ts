// Which of the formats that have a name a log is written in, found from its lines. Nothing that clients write can bend it:
// it takes nine lines in ten, and what is asked of a line is what its server makes of it.
import { createAccessLayout } from './access.ts';
import type { AccessLayout } from './access.ts';
import { createAddressReader } from './addresses.ts';
import { unwrapLine } from './containers.ts';
import type { Relay } from './engine.ts';
import { createRelay } from './frames.ts';
import { ADDRESS_VARIABLE, parseLogFormat } from './logformat.ts';
import { createStamps } from '../time.ts';

export interface Detected {
  /** A name that `logFormat` takes. */
  readonly logFormat: string;
  /** What stands around most of the lines: `docker`, `cri`, `syslog`, `docker and syslog`, …; undefined: nothing. */
  readonly frame: string | undefined;
  /** The part of the lines that fit, 0 to 1. */
  readonly share: number;
}

/** The more particular ones first: `combined` takes lines that go on behind it, such as Traefik's. */
const CANDIDATES = ['traefik', 'haproxy', 'vhost_combined', 'common', 'combined'] as const;
const MOST_LINES = 200;
/** Stamps without a year are of some year before: which one, nobody asks. */
const SOME_DAY = Date.UTC(2100, 0, 1);

/**
 * @param lines of an access log, latin1, without their ends; the first 200 that hold anything are looked at.
 * @returns the format that most of them fit, undefined where none fits any.
 */
export function detectFormat(lines: readonly string[]): Detected | undefined {
  const stamps = createStamps('UTC');
  const relay = createRelay({ layout: 'access', program: [] }, stamps)!;
  const formats = [
    ...CANDIDATES.map((name) => ({ name, fits: fitting(name) })),
    { name: 'json', fits: isRecord },
  ];
  const sample = lines.filter((line) => line !== '').slice(0, MOST_LINES);
  const found = formats.map(({ name, fits }) => {
    const frames = sample.flatMap((line) => frameOf(line, relay, fits) ?? []);
    return { name, frames };
  });
  const [best] = found.toSorted((a, b) => b.frames.length - a.frames.length);
  if (!best || best.frames.length === 0) return undefined;
  const frame = commonest(best.frames);
  return {
    logFormat: best.name,
    frame: frame === '' ? undefined : frame,
    share: best.frames.length / sample.length,
  };
}

/** What stands around the line; empty where nothing does, undefined where the line doesn't fit. */
function frameOf(line: string, relay: Relay, fits: (text: string) => boolean): string | undefined {
  const opened = unwrapLine(line, 0, line.length);
  const container = opened && (line.startsWith('{') ? 'docker' : 'cri');
  const text = opened?.text ?? line;
  if (fits(text)) return container ?? '';
  const relayed = relay.read(text, 0, text.length, SOME_DAY);
  if (!relayed || relayed.isForeign || !fits(text.slice(relayed.from))) return undefined;
  return [container, 'syslog'].filter(Boolean).join(' and ');
}

function fitting(name: string): (text: string) => boolean {
  const parsed = parseLogFormat(name);
  if (!parsed.ok) return () => false;
  const { format } = parsed;
  const layout: AccessLayout = createAccessLayout(format, createStamps('UTC'));
  const readAddress = createAddressReader();
  const slot = format.variables.indexOf(ADDRESS_VARIABLE);
  return (text) => {
    const line = layout.open(text, 0, text.length, SOME_DAY);
    return (
      layout.reach(line, format.sections.length - 1) &&
      readAddress(layout.raw(line, slot)) !== undefined &&
      layout.stampOf(line) !== undefined
    );
  };
}

function isRecord(text: string): boolean {
  if (!text.startsWith('{')) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function commonest(texts: readonly string[]): string {
  const [most] = [...Map.groupBy(texts, (text) => text)].toSorted(([, a], [, b]) => b.length - a.length);
  return most?.[0] ?? '';
}
