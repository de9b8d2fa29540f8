// One request in and one answer out.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { BailiffError } from '../errors.ts';

/** 1 MiB: the largest body that is read. */
export const BODY_LIMIT = 1024 * 1024;

/**
 * Of a body that nobody waits for, so much more is read, and so long, that its sender can read the answer; then he is cut
 * off. Bytes and milliseconds.
 */
const DRAINED = 2 * BODY_LIMIT;
const DRAINING = 1_000;

/** The bodies that one socket has in hand, from their first byte until their requests are answered. */
export interface Intake {
  /**
   * Reads a body as text and works on it.
   * @throws BailiffError E_BODY_TOO_LARGE as soon as more than {@link BODY_LIMIT} bytes are announced or have come,
   * E_BUSY where all bodies together are more than the socket takes, and what `work` throws.
   */
  receive<T>(incoming: IncomingMessage, work: (text: string, size: number) => Promise<T>): Promise<T>;
}

/** @param most bytes of all bodies in hand. */
export function createIntake(most: number): Intake {
  let held = 0;
  return {
    async receive(incoming, work) {
      if (Number(incoming.headers['content-length']) > BODY_LIMIT) throw tooLarge();
      let size = 0;
      const take = (piece: Uint8Array): BailiffError | undefined => {
        size += piece.length;
        held += piece.length;
        if (size > BODY_LIMIT) return tooLarge();
        return held > most ? busy() : undefined;
      };
      try {
        return await work(await bodyOf(incoming, take), size);
      } finally {
        held -= size;
      }
    },
  };
}

/** Sends JSON. The connection stays, unless so much of the body is still to come that nobody wants it. */
export function answer(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  status: number,
  value: unknown,
  more: Readonly<Record<string, string>> = {},
): void {
  const text = `${JSON.stringify(value)}\n`;
  const headers = { 'content-type': 'application/json', ...more };
  // It went while it was worked for, or a stream broke after its beginning.
  if (outgoing.headersSent || outgoing.destroyed) return void outgoing.destroy();
  outgoing.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text) });
  if (incoming.complete) outgoing.end(text);
  else {
    outgoing.write(text);
    endOnceRead(incoming, outgoing);
  }
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

/** Sees each piece of a body as it comes. @returns what is wrong where it is one too many. */
type Take = (piece: Uint8Array) => BailiffError | undefined;

function bodyOf(incoming: IncomingMessage, take: Take): Promise<string> {
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
