// Requests checked against the fields of their route; what is wrong is said in one sentence.
import * as v from 'valibot';
import { BailiffError } from '../errors.ts';
import { nearest } from '../text.ts';
import type { Fields } from './route.ts';

/**
 * A check of the fields of a query, of a body, or of one report in a body. Made once and used for every request.
 * @returns what throws BailiffError E_USAGE naming every unknown key and every field that is wrong.
 */
export function createCheck<F extends Fields>(
  fields: F,
  where: 'query' | 'body' | 'report',
): (input: unknown) => v.InferOutput<v.ObjectSchema<F, undefined>> {
  const schema = v.object(fields);
  const known = Object.keys(fields);
  return (input) => {
    if (typeof input !== 'object' || input === null || Array.isArray(input))
      throw new BailiffError('E_USAGE', `the ${where} must be a JSON object`);
    const problems = Object.keys(input).flatMap((key) => unknownKey(key, known));
    const result = v.safeParse(schema, input);
    for (const issue of result.issues ?? []) problems.push(`"${v.getDotPath(issue)}" ${complaintOf(issue)}`);
    if (result.success && problems.length === 0) return result.output;
    throw new BailiffError('E_USAGE', `the ${where} is not as it should be: ${problems.join('; ')}`, {
      problems,
    });
  };
}

/**
 * Reads a query into an object; a key that stands there several times becomes a list.
 */
export function readQuery(search: URLSearchParams): Record<string, string | string[]> {
  const query: [string, string | string[]][] = [];
  for (const key of new Set(search.keys())) {
    const values = search.getAll(key);
    query.push([key, values.length === 1 ? values[0]! : values]);
  }
  // Own properties only, whatever they are called (`__proto__`).
  return Object.fromEntries(query);
}

/** @throws BailiffError E_USAGE for a body that is no JSON, or that calls itself something else. */
export function readJson(text: string, contentType: string | undefined): unknown {
  if (text === '') return {};
  const type = contentType?.split(';')[0]!.trim().toLowerCase();
  if (type !== 'application/json')
    throw new BailiffError('E_USAGE', 'send the body as JSON, with "content-type: application/json"');
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new BailiffError('E_USAGE', `the body is no JSON: ${(error as Error).message}`, {}, error);
  }
}

/** What is wrong with a field, in words: the validator's own speak of its insides. */
function complaintOf({ type, input, expected, requirement }: v.BaseIssue<unknown>): string {
  if (input === undefined) return 'is missing';
  const unit = Array.isArray(input) ? 'entries' : 'characters';
  switch (type) {
    case 'non_empty':
      return 'must not be empty';
    case 'max_length':
      return `is too long: ${String(requirement)} ${unit} at most`;
    case 'min_value':
      return `must be at least ${String(requirement)}`;
    default:
      return `must be ${alternatives(expected ?? '')}`;
  }
}

/** valibot's `(string | number)` and `("true" | "1")`. */
function alternatives(expected: string): string {
  const words = expected.replace(/^\((.*)\)$/, '$1').split(' | ');
  const kinds = words.map((word) => KINDS[word] ?? (word.startsWith('"') ? word : undefined));
  return kinds.includes(undefined) ? 'what /v1/openapi.json describes' : kinds.join(' or ');
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  boolean: 'true or false',
  Array: 'a list',
  Object: 'an object',
};

function unknownKey(key: string, known: readonly string[]): string[] {
  if (known.includes(key)) return [];
  const near = nearest(key, known);
  return [`unknown key "${key}"${near === undefined ? '' : `, did you mean "${near}"?`}`];
}
