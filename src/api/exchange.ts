// One request and its answer over a unix socket, in HTTP/1.0: the answer ends where its connection does, so that only its
// head has to be understood. Verbs are started often, and node:http would take as long as all else that asking does.
import { connect } from 'node:net';

export interface Asked {
  readonly method: string;
  /** Path and query; what could end a line must have been escaped. */
  readonly route: string;
  /** JSON. */
  readonly body: string | undefined;
  /** Milliseconds without a byte in either direction. */
  readonly patience: number;
  readonly signal: AbortSignal | undefined;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

const END_OF_HEAD = '\r\n\r\n';

/**
 * @param silent what is thrown after `patience`.
 * @throws the system's error, an AbortError, or one that says what is wrong with the answer.
 */
export function exchange(path: string, asked: Asked, silent: () => Error): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const { patience: timeout, signal } = asked;
  const socket = connect({ path, timeout, ...(signal && { signal }) });
  const received: Buffer[] = [];
  let failure: Error | undefined;
  socket.on('data', (piece) => void received.push(piece));
  socket.on('timeout', () => socket.destroy(silent()));
  socket.on('error', (error) => (failure = error));
  // Who is told that he sends too much is answered while he sends: the answer counts, not that nobody took the rest.
  socket.on('close', () => {
    const answer = readAnswer(Buffer.concat(received));
    if (answer && !signal?.aborted) resolve(answer);
    else reject(failure ?? new Error('it closed the connection'));
  });
  socket.write(headOf(asked));
  if (asked.body !== undefined) socket.write(asked.body);
  return promise;
}

function headOf({ method, route, body }: Asked): string {
  const about =
    body === undefined
      ? []
      : ['content-type: application/json', `content-length: ${Buffer.byteLength(body)}`];
  return [`${method} ${route} HTTP/1.0`, 'host: bailiff', ...about].join('\r\n') + END_OF_HEAD;
}

/** @returns undefined where it is not whole, or no answer at all. */
function readAnswer(bytes: Buffer): Answer | undefined {
  const end = bytes.indexOf(END_OF_HEAD);
  if (end < 0) return undefined;
  const [line = '', ...fields] = bytes.toString('latin1', 0, end).split('\r\n');
  const status = /^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(line)?.[1];
  const length = fields.map((field) => /^content-length: *(\d+)$/i.exec(field)?.[1]).find(Boolean);
  const body = bytes.subarray(end + END_OF_HEAD.length);
  if (status === undefined || (length !== undefined && body.length !== Number(length))) return undefined;
  return { status: Number(status), text: body.toString() };
}
