// Filters over access logs: conditions on fields, no regex.
import { readWords } from '../address-words.ts';
import type { Conditions, Instant, Match, Network } from '../model.ts';
import type { Stamps } from '../time.ts';
import { accessFields, createAccessLayout } from './access.ts';
import { literalsOfAccess } from './access-literals.ts';
import type { AccessCase, AccessField, AccessLine } from './access.ts';
import { createAddressReaderAt, decoded } from './addresses.ts';
import { compileConditions } from './conditions.ts';
import type { ConditionFault, Fields, Holds } from './conditions.ts';
import type { FilterDefinition, FilterOptions, LineVerdict } from './contract.ts';
import { whoseCondition } from './engine.ts';
import type { Engine, Owner, Report } from './engine.ts';
import { createForwarding, FORWARDING_VARIABLES } from './forwarded.ts';
import { anyOf } from './literals.ts';
import { ADDRESS_VARIABLE, TIME_VARIABLES, faultOf, isNumericVariable, parseLogFormat } from './logformat.ts';
import type { LogFormat } from './logformat.ts';
import { planReading } from './short/plan.ts';

const MISFIT: LineVerdict = { outcome: 'no-layout', why: 'the line does not fit the log format' };
const NO_MATCH: LineVerdict = { outcome: 'no-match', why: "the filter's conditions do not hold" };
const NARROWED: LineVerdict = { outcome: 'no-match', why: "the jail's conditions do not hold" };
const FILTER_EXCEPTS = 'what the filter says under "except" holds';
const JAIL_EXCEPTS = 'what the jail says under "except" holds';
const NOBODY: LineVerdict = { outcome: 'no-match', why: 'the line names no address' };
export const UNFORWARDED: LineVerdict = {
  outcome: 'no-layout',
  why: 'a trusted proxy handed the request on, and the log format has no forwarding header that would name the client',
};
const UNNAMED: LineVerdict = {
  outcome: 'no-match',
  why: 'a trusted proxy handed the request on, and the forwarding header names no client',
};

/** The one case of a filter that has its conditions under `where` only. */
const ALWAYS: AccessCase = { index: 0, counts: 1 };

/** Builds the engine of a filter over an access log; undefined where something was reported. */
export function compileByFields(
  definition: FilterDefinition,
  options: FilterOptions,
  stamps: Stamps,
  report: Report,
): Engine<AccessLine> | undefined {
  const parsed = parseLogFormat(options.logFormat ?? 'combined');
  if (!parsed.ok) {
    report('jail', 'E_FILTER_LOG_FORMAT', parsed.message, parsed.hint);
    return undefined;
  }
  const { format } = parsed;
  const layout = createAccessLayout(format, stamps);
  const fields = accessFields(layout);
  const readRest = createRestReader(format, stamps);
  const addressSlot = format.variables.indexOf(ADDRESS_VARIABLE);
  const timeSlots = TIME_VARIABLES.map((name) => format.variables.indexOf(name));
  const used = new Set([addressSlot, ...timeSlots]);
  let isSound = true;
  const compile = (owner: Owner, conditions: Conditions | undefined): Holds<AccessLine> | undefined => {
    if (!conditions) return undefined;
    const fault = ({ code, field, message, hint }: ConditionFault): void => {
      isSound = false;
      report(whoseCondition(owner, field), `E_FILTER_${code}`, message, hint);
    };
    for (const name of Object.keys(conditions)) {
      const slot = fields.get(name)?.slot;
      if (slot === undefined) continue;
      used.add(slot);
      const blurred = faultOf(format, slot);
      if (!blurred) continue;
      isSound = false;
      report('jail', 'E_FILTER_LOG_FORMAT', blurred.message, blurred.hint);
    }
    return compileConditions(conditions, asFields(fields), fault);
  };
  const where = compile('filter', definition.where);
  const except = compile('filter', definition.exceptWhere);
  const cases = definition.matchWhere.map((each, index) => ({
    index,
    // "session" is refused as the file is read: a request is a session.
    counts: each.counts === 'session' ? 1 : each.counts,
    isInUse: each.mode === 'normal' || options.mode === 'aggressive',
    holds: compile('filter', each.where)!,
  }));
  const inUse = cases.filter(({ isInUse }) => isInUse);
  const jailWhere = compile('where', options.where);
  const jailExcept = compile('except', options.except);
  if (!isSound) return undefined;

  const readAddress = createAddressReaderAt();
  const forwarding = createForwarding(options.trustedProxies ?? [], (written) =>
    readAddress(written, 0, written.length),
  );
  const headers = forwarding ? FORWARDING_VARIABLES.flatMap((name) => fields.get(name) ?? []) : [];
  for (const { slot } of headers) {
    used.add(slot);
    const blurred = faultOf(format, slot);
    if (!blurred) continue;
    report('jail', 'E_FILTER_LOG_FORMAT', blurred.message, blurred.hint);
    return undefined;
  }
  const depthOf = (slots: Iterable<number>): number =>
    Math.max(...Array.from(slots, (slot) => format.sectionOf[slot] ?? 0));
  const depth = depthOf(used);
  const ownLayout = createAccessLayout(format, stamps); // it may be asked whose a line is while another one is open
  const senderDepth = depthOf([addressSlot, ...timeSlots, ...headers.map(({ slot }) => slot)]);
  const connectingOf = (line: AccessLine): Network | undefined =>
    // Filters of one source share the line.
    line.address === null
      ? (line.address = readAddress(
          line.text,
          line.bounds[addressSlot * 2]!,
          line.bounds[addressSlot * 2 + 1]!,
        ))
      : line.address;
  /** Who sent the request, where whoever connected may be a proxy that handed it on; else why that can't be told. */
  const senderOf = (line: AccessLine, connecting: Network): Network | LineVerdict => {
    if (!forwarding?.isTrusted(connecting)) return connecting;
    if (headers.length === 0) return UNFORWARDED;
    return forwarding.clientOf(headers.map((header) => header.read(line))) ?? UNNAMED;
  };
  /** Of a scan, which reads it at once: a verdict of its own for each line would be a third of what it leaves behind. */
  let found: { outcome: 'match'; match: Match } | undefined;
  /** What the filter itself says of a line; jails with the same filter and conditions of their own ask for it once. */
  const caseOf = (line: AccessLine): AccessCase | undefined => {
    if (line.askedOf !== definition || line.askedIn !== options.mode) {
      line.askedOf = definition;
      line.askedIn = options.mode;
      const mayFit = !where || where(line);
      line.fits = !mayFit ? undefined : cases.length === 0 ? ALWAYS : inUse.find(({ holds }) => holds(line));
    }
    return line.fits;
  };
  const isUnconditional =
    !forwarding &&
    cases.length === 0 &&
    isNothing(definition.where) &&
    isNothing(options.where) &&
    except === undefined &&
    jailExcept === undefined;
  const timeSlot = timeSlots.find((slot) => slot >= 0);
  const plan =
    isUnconditional && timeSlot !== undefined ? planReading(format, depth, addressSlot, timeSlot) : undefined;
  return {
    framing: { key: JSON.stringify(['access', format.written, options.zone]), open: layout.open },
    literals: anyOf(
      casesOf(definition, options).map((where) =>
        literalsOfAccess([definition.where, where, options.where], fields, format),
      ),
    ),
    misfit: MISFIT,
    whose(text, start, end, arrivedAt) {
      const line = ownLayout.open(text, start, end, arrivedAt);
      const connecting = ownLayout.reach(line, senderDepth) ? connectingOf(line) : undefined;
      const sender = connecting && senderOf(line, connecting);
      return !sender || 'outcome' in sender ? undefined : { address: sender, at: ownLayout.stampOf(line) };
    },
    short: {
      open: layout.openBytes,
      reading: plan && { plan, minute: layout.minute },
      tell(line, found) {
        // Misfits may have been relayed by a syslog daemon, and proxies speak for others.
        if (forwarding || !layout.reach(line, depth)) return 'unsure';
        const fits = caseOf(line);
        if (!fits || (jailWhere && !jailWhere(line)) || except?.(line) || jailExcept?.(line))
          return 'no-match';
        const from = line.base + line.bounds[addressSlot * 2]!;
        const to = line.base + line.bounds[addressSlot * 2 + 1]!;
        if (fits.counts !== 1 || !readWords(line.bytes, from, to, found.address)) return 'unsure';
        const at = layout.stampOf(line);
        if (at === undefined) return 'unsure';
        found.at = at;
        return 'match';
      },
    },
    examine(line, _start, _end, explains) {
      if (!layout.reach(line, depth)) return MISFIT;
      const fits = caseOf(line);
      if (!fits) return NO_MATCH;
      if (jailWhere && !jailWhere(line)) return NARROWED;
      const excepted = except?.(line) ? FILTER_EXCEPTS : jailExcept?.(line) ? JAIL_EXCEPTS : undefined;
      if (excepted !== undefined && !explains) return NO_MATCH;
      const connecting = connectingOf(line);
      if (!connecting) return NOBODY;
      const sender = forwarding ? senderOf(line, connecting) : connecting;
      if ('outcome' in sender) return sender;
      const via = sender === connecting ? undefined : connecting;
      const at = layout.stampOf(line);
      const match = new AccessMatch(line, definition.name, fits, sender, via, at, readRest);
      if (excepted !== undefined) return { outcome: 'excepted', why: excepted, match };
      if (explains) return { outcome: 'match', match };
      found ??= { outcome: 'match', match };
      found.match = match;
      return found;
    },
  };
}

/** No condition holds always. */
function isNothing(conditions: Conditions | undefined): boolean {
  return conditions === undefined || Object.keys(conditions).length === 0;
}

/** What one of must hold besides `where`, by the cases in use. */
function casesOf({ matchWhere }: FilterDefinition, { mode }: FilterOptions): (Conditions | undefined)[] {
  if (matchWhere.length === 0) return [undefined];
  return matchWhere
    .filter((each) => each.mode === 'normal' || mode === 'aggressive')
    .map(({ where }) => where);
}

/**
 * A match whose fields are taken apart when they are asked for: most matches are only counted. It is a class because an
 * accessor in an object literal costs more than all the rest of a line (measured: a third of the time of nginx-api).
 */
class AccessMatch implements Match {
  readonly start: number;
  readonly end: number;
  readonly filter: string;
  readonly pattern: number;
  readonly outcome = 'failure';
  readonly address: Network;
  readonly via: Network | undefined;
  readonly at: Instant | undefined;
  readonly counts: number;
  readonly #text: string;
  readonly #readRest: ReadRest;

  constructor(
    line: AccessLine,
    filter: string,
    fits: AccessCase,
    address: Network,
    via: Network | undefined,
    at: Instant | undefined,
    readRest: ReadRest,
  ) {
    this.start = line.start;
    this.end = line.end;
    this.filter = filter;
    this.pattern = fits.index;
    this.counts = fits.counts;
    this.address = address;
    this.via = via;
    this.at = at;
    this.#text = line.text;
    this.#readRest = readRest;
  }

  // Of the class, not of each match: a request is a session of its own.
  get oncePerSession(): boolean {
    return false;
  }

  get session(): undefined {
    return undefined;
  }

  get fields(): Readonly<Record<string, string>> {
    return this.#readRest(this.#text);
  }
}

type ReadRest = (line: string) => Readonly<Record<string, string>>;

function asFields(fields: ReadonlyMap<string, AccessField>): Fields<AccessLine> {
  return {
    names: [...fields.keys()],
    reader: (name) => fields.get(name)?.read,
    isNumeric: (name) => isNumericVariable(name),
  };
}

/** Reads all fields of a matched line, decoded as UTF-8: the variables but address and stamp, `user`, and the parts of the request. */
function createRestReader(format: LogFormat, stamps: Stamps): ReadRest {
  const layout = createAccessLayout(format, stamps); // of its own: it may be asked while another line is open
  const kept = [...accessFields(layout)].filter(
    ([name, { slot }]) =>
      !UNKEPT.has(name) && format.variables[slot] !== ADDRESS_VARIABLE && !format.blurred.has(slot),
  );
  return (text) => {
    const line = layout.open(text, 0, text.length, 0);
    let depth = 0;
    while (depth < format.sections.length && layout.reach(line, depth)) depth++;
    const values = kept.flatMap(([name, { slot, read }]): [string, string][] => {
      const value = format.sectionOf[slot]! < depth ? read(line) : undefined;
      return value === undefined ? [] : [[name, decoded(value)]];
    });
    // What is no request is kept as it came.
    const isRequest = values.some(([name]) => name === 'method');
    return Object.fromEntries(values.filter(([name]) => name !== 'request' || !isRequest));
  };
}

const UNKEPT: ReadonlySet<string> = new Set([...TIME_VARIABLES, 'referer', 'user_agent', 'bytes']);
