// A filter's definition → a filter that runs, or every fault that stands against it.
import type { Fault } from '../errors.ts';
import { createStamps } from '../time.ts';
import type { Stamps } from '../time.ts';
import { accessFields, createAccessLayout } from './access.ts';
import { compileByFields } from './by-fields.ts';
import { compileByRecords, isJsonFormat, jsonAccessFields } from './by-json.ts';
import { TEXT_FIELDS, compileByPatterns } from './by-patterns.ts';
import type {
  Compiled,
  FilterDefinition,
  FilterFault,
  FilterOptions,
  LayoutName,
  LineVerdict,
} from './contract.ts';
import type { Engine, EngineFilter, Report } from './engine.ts';
import { createRelay, judgeFramed } from './frames.ts';
import { parseLogFormat } from './logformat.ts';
import { NO_SESSIONS } from './sessions.ts';

/**
 * Compiles a filter for a jail's options.
 * @returns all faults at once: E_FILTER_PATTERN (its syntax), E_FILTER_PLACEHOLDER, E_FILTER_NOT_LINEAR, E_FILTER_LITERALS,
 *   E_FILTER_FIELD, E_FILTER_CONDITION, E_FILTER_LOG_FORMAT, E_FILTER_LAYOUT, E_FILTER_EMPTY, E_FILTER_ZONE. Those of the
 *   options have an empty `file`, and name the condition where it is one: only the caller knows where the jail stands.
 *   Warnings: W_FILTER_NO_LITERAL.
 * @throws BailiffError E_INTERNAL where node was started without its linear regex engine.
 */
export function compileFilter(definition: FilterDefinition, options: FilterOptions): Compiled {
  const faults: FilterFault[] = [];
  const report: Report = (whose, code, message, hint) => {
    const file = whose === 'filter' ? definition.file : '';
    const option = typeof whose === 'object' && { option: whose };
    const advice = hint !== undefined && { hint };
    faults.push({ code, file, line: 0, column: 0, message, ...advice, ...option });
  };
  const stamps = stampsOf(options.zone, report);
  const engine = stamps && compileEngine(definition, options, stamps, report, faults);
  if (!engine || faults.length > 0) return { ok: false, faults };

  const relay = createRelay(definition, stamps);
  const filter: EngineFilter = {
    definition,
    options,
    engine,
    relay,
    judge(line, arrivedAt, sessions = NO_SESSIONS): LineVerdict {
      if (line.includes('\n')) return engine.misfit;
      return judgeFramed(engine, relay, line, arrivedAt, sessions);
    },
  };
  // The tokenizer of access logs looks at each line as a matter of course; patterns that must are worth a word.
  const isSlow = engine.literals === undefined && definition.layout !== 'access';
  return { ok: true, filter, warnings: isSlow ? [withoutLiteral(definition)] : [] };
}

/**
 * The fields that conditions may name on lines of a layout, besides the placeholders of a filter's own patterns.
 * @param logFormat for `access`; default: combined. An unreadable one has no fields. In JSON any path is a field as well.
 */
export function fieldsOf(layout: LayoutName, logFormat: string | undefined): readonly string[] {
  if (layout === 'json' || layout === 'logfmt') return [];
  if (layout === 'access' && isJsonFormat(logFormat)) return jsonAccessFields();
  if (layout !== 'access')
    return layout === 'syslog' ? TEXT_FIELDS : TEXT_FIELDS.filter((name) => name !== 'program');
  const parsed = parseLogFormat(logFormat ?? 'combined');
  return parsed.ok ? [...accessFields(createAccessLayout(parsed.format, createStamps('UTC'))).keys()] : [];
}

function compileEngine(
  definition: FilterDefinition,
  options: FilterOptions,
  stamps: Stamps,
  report: Report,
  faults: Fault[],
): Engine<unknown> | undefined {
  const { layout } = definition;
  if (layout === 'syslog' || layout === 'plain')
    return compileByPatterns(definition, layout, options, stamps, report, faults);
  if (definition.match.length + definition.success.length + definition.except.length > 0)
    report(
      'filter',
      'E_FILTER_LAYOUT',
      `${layout === 'access' ? 'access logs are' : `layout ${layout} is`} matched by field: write conditions instead of patterns`,
    );
  const isRecord = layout !== 'access' || isJsonFormat(options.logFormat);
  return isRecord
    ? compileByRecords(definition, options, stamps, report)
    : compileByFields(definition, options, stamps, report);
}

function stampsOf(zone: string | undefined, report: Report): Stamps | undefined {
  try {
    return createStamps(zone);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    report(
      'jail',
      'E_FILTER_ZONE',
      `${JSON.stringify(zone)} is no time zone`,
      'write UTC or a name such as Europe/Berlin',
    );
    return undefined;
  }
}

function withoutLiteral(definition: FilterDefinition): Fault {
  return {
    code: 'W_FILTER_NO_LITERAL',
    file: definition.file,
    line: 0,
    column: 0,
    message: `no text stands in every line that the filter ${definition.name} takes, so that it looks at each line of the log`,
  };
}
