// One request in and one answer out. hono finds the route; body and answer go past its Request and Response, whose web
// streams take several times as long as all the rest of a report (bench/reports.ts).
import type { IncomingMessage, ServerResponse } from 'node:http';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Context } from 'hono';
import { BailiffError } from '../errors.ts';

/** 1 MiB: the largest body that is read. */
export const BODY_LIMIT = 1024 * 1024;

/**
 * Of a body that nobody waits for, so much more is read, and so long, that its sender can read the answer; then he is cut
 * off. Bytes and milliseconds.
 */
const DRAINED = 2 * BODY_LIMIT;
const DRAINING = 1_000;

/** What @hono/node-server hands on; nothing where a test calls the application without a socket. */
interface Wire {
  readonly incoming?: IncomingMessage;
  readonly outgoing?: ServerResponse;
}

/** The bodies that one socket has in hand, from their first byte until their requests are answered. */
export interface Intake {
  /**
   * Reads a body as text and works on it.
   * @throws BailiffError E_BODY_TOO_LARGE as soon as more than {@link BODY_LIMIT} bytes are announced or have come,
   * E_BUSY where all bodies together are more than the socket takes, and what `work` throws.
   */
  receive<T>(context: Context, work: (text: string, size: number) => Promise<T>): Promise<T>;
}

/** @param most bytes of all bodies in hand. */
export function createIntake(most: number): Intake {
  let held = 0;
  return {
    async receive(context, work) {
      if (Number(context.req.header('content-length')) > BODY_LIMIT) throw tooLarge();
      let size = 0;
      const take = (piece: Uint8Array): BailiffError | undefined => {
        size += piece.length;
        held += piece.length;
        if (size > BODY_LIMIT) return tooLarge();
        return held > most ? busy() : undefined;
      };
      try {
        return await work(await bodyOf(context, take), size);
      } finally {
        held -= size;
      }
    },
  };
}

/** Sends JSON. The connection stays, unless so much of the body is still to come that nobody wants it. */
export function answer(
  context: Context,
  status: number,
  value: unknown,
  more: Readonly<Record<string, string>> = {},
): Response {
  const text = `${JSON.stringify(value)}\n`;
  const headers = { 'content-type': 'application/json', ...more };
  const { incoming, outgoing } = wireOf(context);
  if (!outgoing) return context.body(text, status as 200, headers);
  outgoing.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text) });
  if (!incoming || incoming.complete) outgoing.end(text);
  else {
    outgoing.write(text);
    endOnceRead(incoming, outgoing);
  }
  return RESPONSE_ALREADY_SENT;
}

/** The answer is given: what still comes of the body is thrown away, as far as it is little. */
function endOnceRead(incoming: IncomingMessage, outgoing: ServerResponse): void {
  let left = DRAINED;
  const timer = setTimeout(() => outgoing.destroy(), DRAINING);
  incoming.on('data', (piece: Buffer) => {
    left -= piece.length;
    if (left < 0) outgoing.destroy();
  });
  incoming.once('end', () => outgoing.end());
  outgoing.once('close', () => clearTimeout(timer));
  incoming.resume();
}

/** How to end the connection without more ado; undefined where there is none, in a test. */
export function cutOffOf(context: Context): (() => void) | undefined {
  const { outgoing } = wireOf(context);
  return outgoing && (() => outgoing.destroy());
}

function wireOf(context: Context): Wire {
  return (context.env ?? {}) as Wire;
}

/** Sees each piece of a body as it comes. @returns what is wrong where it is one too many. */
type Take = (piece: Uint8Array) => BailiffError | undefined;

async function bodyOf(context: Context, take: Take): Promise<string> {
  const { incoming } = wireOf(context);
  if (incoming) return incomingBody(incoming, take);
  const body = Buffer.from(await context.req.arrayBuffer());
  const fault = take(body);
  if (fault) throw fault;
  return body.toString('utf8');
}

function incomingBody(incoming: IncomingMessage, take: Take): Promise<string> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    const hear = (piece: Buffer): void => {
      const fault = take(piece);
      if (!fault) return void pieces.push(piece);
      // What still comes is dealt with once the answer is given.
      incoming.off('data', hear).pause();
      reject(fault);
    };
    incoming.on('data', hear);
    incoming.once('end', () => resolve(Buffer.concat(pieces).toString('utf8')));
    // Nobody is there any more to hear of it.
    incoming.once('error', () => reject(brokenOff()));
    incoming.once('close', () => {
      if (!incoming.readableEnded) reject(brokenOff());
    });
  });
}

function brokenOff(): BailiffError {
  return new BailiffError('E_USAGE', 'the request broke off before its end');
}

function busy(): BailiffError {
  return new BailiffError('E_BUSY', 'too much is being sent to this socket at once; try again in a moment');
}

function tooLarge(): BailiffError {
  return new BailiffError(
    'E_BODY_TOO_LARGE',
    `the body is larger than ${BODY_LIMIT} bytes; send less at a time`,
    {
      limit: BODY_LIMIT,
    },
  );
}
