import type { EventsQuery } from '../../api/contract.ts';
import { NEWS_KINDS } from '../../api/contract.ts';
import type { Client } from '../../api/index.ts';
import { createClock } from '../../daemon/system.ts';
import { BailiffError, EXIT } from '../../errors.ts';
import { checkAddresses, oneOf } from '../arguments.ts';
import { formatEvent } from '../event-line.ts';
import { followEvents, TRIES } from '../following.ts';
import { formatJson } from '../json.ts';
import { createLiveScreen } from '../live-screen.ts';
import { takeTerminal } from '../terminal.ts';
import { untilOver } from '../until-over.ts';
import type { Context, Options, Verb } from '../verb.ts';

/** Milliseconds between two looks at status, and the least between two frames. */
const LOOK = 2_000;
const FRAME = 200;
/** Events that a screen begins with. */
const SEED = 200;

export const verb: Verb = {
  name: 'watch',
  summary: 'what happens, live',
  arguments: [],
  options: [
    { term: '--jail <names>', summary: 'events of these jails alone (a,b)' },
    {
      term: '--kind <kinds>',
      summary: `of these kinds alone: ${NEWS_KINDS.join(', ')}`,
      choices: NEWS_KINDS,
    },
    { term: '--address <addresses>', summary: 'about these addresses, or inside these networks' },
    { term: '--last <count>', summary: 'begin with the latest events that are remembered' },
    { term: '--after <id>', summary: 'go on behind this event' },
    { term: '--lines', summary: 'one event a line on a terminal too' },
  ],
  details: `On a terminal a screen that redraws (q ends it); else, or with --lines or --json, one event a line.
docs/events.md lists the events. Without root, what clients wrote is left out.`,
  async run(context, _args, options) {
    const query = queryOf(options);
    const isScreen = context.terminal && !context.json && options['lines'] !== true;
    await untilOver((over) =>
      asPermitted(context, (client) =>
        isScreen ? screen(context, client, query, over) : lines(context, client, query, over.signal),
      ),
    );
    return EXIT.done;
  },
};

/** Whoever may not open control.sock gets what status.sock shows. */
async function asPermitted(context: Context, task: (client: Client) => Promise<void>): Promise<void> {
  try {
    await task(await context.client('control'));
  } catch (error) {
    if (!(error instanceof BailiffError && error.code === 'E_NOT_PERMITTED')) throw error;
    await task(await context.client('status'));
  }
}

async function lines(
  context: Context,
  client: Client,
  query: EventsQuery,
  signal: AbortSignal,
): Promise<void> {
  const onConnection = (isThere: boolean): void =>
    context.err(
      isThere ? 'bailiff: the daemon is there again\n' : 'bailiff: the daemon is gone; waiting for it\n',
    );
  for await (const event of followEvents(client, query, { signal, tries: TRIES, onConnection }))
    context.out(context.json ? formatJson(event) : formatEvent(context, event));
}

async function screen(
  context: Context,
  client: Client,
  query: EventsQuery,
  over: AbortController,
): Promise<void> {
  const { signal } = over;
  const clock = createClock();
  const view = createLiveScreen(context, query.jail);
  let trouble: string | undefined;
  const look = async (): Promise<void> => view.look(await client.status(), clock.monotonic());
  // Before the terminal is taken: what goes wrong now is told as ever.
  await look();
  const terminal = takeTerminal({ onResize: () => draw(), onQuit: () => over.abort() });
  function draw(): void {
    terminal.draw(view.lines(terminal, trouble, clock.now()));
  }
  const frames = setInterval(draw, FRAME);
  const looks = setInterval(() => void look().catch(() => undefined), LOOK);
  const onConnection = (isThere: boolean): void => {
    trouble = isThere ? undefined : 'the daemon does not answer; waiting for it';
  };
  try {
    draw();
    const seeded = query.after === undefined && query.last === undefined ? { ...query, last: SEED } : query;
    // Whoever looks at a screen sees that the daemon is gone, and may wait for it as long as he likes.
    for await (const event of followEvents(client, seeded, { signal, tries: Infinity, onConnection }))
      view.event(event);
  } finally {
    clearInterval(frames);
    clearInterval(looks);
    terminal.leave();
  }
}

function queryOf(options: Options): EventsQuery {
  const listOf = (key: string): string[] | undefined => {
    const given = options[key];
    return typeof given === 'string' ? given.split(',').map((each) => each.trim()) : undefined;
  };
  const [jail, kind, address] = [listOf('jail'), listOf('kind'), listOf('address')];
  if (address) checkAddresses(address);
  const { after, last } = options;
  if (typeof last === 'string' && !/^\d{1,4}$/.test(last))
    throw new BailiffError('E_USAGE', `"${last}" is no count; write --last 20, say`);
  return {
    ...(jail && { jail }),
    ...(kind && { kind: kind.map((name) => oneOf(NEWS_KINDS, name, 'kind of event')) }),
    ...(address && { address }),
    ...(typeof after === 'string' && { after }),
    ...(typeof last === 'string' && { last: Number(last) }),
  };
}
