// What is no request, or never becomes a whole one: Node finds out before any route is asked. Its own answer to that has no
// body; this one says why, as every fault does.
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

interface Refusal {
  readonly status: number;
  readonly message: string;
}

const NO_HTTP: Refusal = { status: 400, message: 'what came is no HTTP/1.1 request' };

/** By the code of Node's error. */
const REFUSALS = new Map<string | undefined, Refusal>([
  ['HPE_HEADER_OVERFLOW', { status: 431, message: 'the headers are larger than 16 KiB' }],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', { status: 413, message: 'a chunk has an extension larger than 16 KiB' }],
  ['ERR_HTTP_REQUEST_TIMEOUT', { status: 408, message: 'the request did not come whole in time' }],
]);

/**
 * Answers and cuts the connection off.
 * @param isAnswering part of an answer is on its way on this connection: a second one in it would be taken for its rest.
 */
export function refuseMalformed(error: NodeJS.ErrnoException, socket: Duplex, isAnswering: boolean): void {
  if (socket.writable && !isAnswering) socket.write(answerTo(REFUSALS.get(error.code) ?? NO_HTTP));
  // So short an answer is with the kernel already; who takes none must not keep his place.
  socket.destroy();
}

function answerTo({ status, message }: Refusal): string {
  const body = `${JSON.stringify({ code: 'E_USAGE', message })}\n`;
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
    '',
    body,
  ].join('\r\n');
}
