// The reading end of /v1/events.
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { BailiffError } from '../errors.ts';
import type { EventsQuery, LiveEvent } from './contract.ts';

/** Longer than several heartbeats of the daemon, in milliseconds. */
const PATIENCE = 60_000;
/** An event is a few kilobytes. Whoever sends more without an end is no Bailiff. */
const LONGEST = 1024 * 1024;

export interface EventReader {
  /** The id to hand back as `after`; moves with each event, and once before the first. */
  readonly at: string | undefined;
  /** Ends when the daemon ends it, or cuts it off; throws like the client where the connection breaks. */
  readonly events: AsyncIterable<LiveEvent>;
}

/** @param wrong turns a failed call, or a refusal's status and text, into what the client throws. */
export async function readEvents(
  socketPath: string,
  route: string,
  { after }: EventsQuery,
  signal: AbortSignal,
  wrong: { unreachable(error: Error): BailiffError; refused(status: number, text: string): unknown },
): Promise<EventReader> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const outgoing = request({
    ...{ socketPath, path: route, agent: false, timeout: PATIENCE, signal },
    headers: after === undefined ? {} : { 'last-event-id': after },
  });
  outgoing.on('response', resolve);
  outgoing.on('timeout', () => outgoing.destroy(new Error('it fell silent')));
  outgoing.on('error', (error) => reject(wrong.unreachable(error)));
  outgoing.end();
  const incoming = await promise;
  incoming.setEncoding('utf8');
  if (incoming.statusCode !== 200) {
    let text = '';
    for await (const piece of incoming) text += piece as string;
    wrong.refused(incoming.statusCode ?? 0, text);
  }
  const reader = {
    at: after,
    events: parse(incoming, (id) => (reader.at = id)),
  };
  return reader;
}

async function* parse(incoming: IncomingMessage, place: (id: string) => void): AsyncGenerator<LiveEvent> {
  let text = '';
  try {
    for await (const piece of incoming) {
      text += piece as string;
      const blocks = text.split('\n\n');
      text = blocks.pop()!;
      if (text.length > LONGEST) break;
      for (const block of blocks) {
        const fields = new Map(block.split('\n').map((line) => splitAt(line, line.indexOf(': '))));
        const [id, data] = [fields.get('id'), fields.get('data')];
        if (id !== undefined) place(id);
        if (data !== undefined) yield JSON.parse(data) as LiveEvent;
      }
    }
  } catch (error) {
    // Cut off, or ended by ourselves: either way there is no more, and whoever wants to goes on from `at`.
    if (error instanceof SyntaxError) throw error;
  } finally {
    incoming.destroy();
  }
}

function splitAt(line: string, at: number): [string, string] {
  return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 2)];
}
