// Requests checked against the fields of their route; what is wrong is said in one sentence.
import * as v from 'valibot';
import { BailiffError } from '../errors.ts';
import { nearest } from '../text.ts';
import type { Fields } from './route.ts';

/** 1 MiB: the largest body that is read. */
export const BODY_LIMIT = 1024 * 1024;

/**
 * Checks the fields of a query, of a body, or of one report in a body.
 * @throws BailiffError E_USAGE naming every unknown key and every field that is wrong.
 */
export function checkFields<F extends Fields>(
  fields: F,
  input: unknown,
  where: 'query' | 'body' | 'report',
): v.InferOutput<v.ObjectSchema<F, undefined>> {
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    throw new BailiffError('E_USAGE', `the ${where} must be a JSON object`);
  const problems = Object.keys(input).flatMap((key) => unknownKey(key, Object.keys(fields)));
  const result = v.safeParse(v.object(fields), input);
  for (const issue of result.issues ?? []) problems.push(`"${v.getDotPath(issue)}" ${complaintOf(issue)}`);
  if (result.success && problems.length === 0) return result.output;
  throw new BailiffError('E_USAGE', `the ${where} is not as it should be: ${problems.join('; ')}`, {
    problems,
  });
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

/**
 * Reads a body as text. hono's own limit makes a second request of a chunked body, which needs a global that
 * `getRequestListener` would have to replace.
 * @throws BailiffError E_BODY_TOO_LARGE as soon as more than {@link BODY_LIMIT} bytes are announced or have come.
 */
export async function readBody(request: Request): Promise<string> {
  if (Number(request.headers.get('content-length')) > BODY_LIMIT) throw tooLarge();
  if (!request.body) return '';
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of request.body) {
    size += piece.length;
    if (size > BODY_LIMIT) throw tooLarge();
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
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

function tooLarge(): BailiffError {
  return new BailiffError(
    'E_BODY_TOO_LARGE',
    `the body is larger than ${BODY_LIMIT} bytes; send less at a time`,
    {
      limit: BODY_LIMIT,
    },
  );
}

function unknownKey(key: string, known: readonly string[]): string[] {
  if (known.includes(key)) return [];
  const near = nearest(key, known);
  return [`unknown key "${key}"${near === undefined ? '' : `, did you mean "${near}"?`}`];
}
