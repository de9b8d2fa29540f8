import { setTimeout as pause } from 'node:timers/promises';
import type { LogLine, LogQuery } from '../../api/contract.ts';
import { LOG_LEVELS } from '../../api/contract.ts';
import type { Client } from '../../api/index.ts';
import { createClock } from '../../daemon/system.ts';
import { BailiffError, EXIT } from '../../errors.ts';
import { formatInstant, parseDuration } from '../../time.ts';
import { oneOf } from '../arguments.ts';
import { AGAIN, TRIES } from '../following.ts';
import { formatJson } from '../json.ts';
import { formatLogLine } from '../log-line.ts';
import { untilOver } from '../until-over.ts';
import type { Context, Options, Verb } from '../verb.ts';

/** Seconds that the daemon holds back an answer for want of lines. */
const WAIT = 20;

export const verb: Verb = {
  name: 'logs',
  summary: "the daemon's own log: what it did, and what it complains of",
  arguments: [{ term: '[jail]', summary: 'lines about this jail alone' }],
  options: [
    { term: '-f, --follow', summary: 'go on with each line as it is written, until Ctrl-C' },
    {
      term: '--level <level>',
      summary: `${LOG_LEVELS.join(', ')}: lines of this level and the more pressing ones`,
      choices: LOG_LEVELS,
    },
    {
      term: '--since <when>',
      summary: 'lines from then on: 10m ago, or an instant such as 2026-01-31T12:00Z',
    },
    { term: '--lines <count>', summary: 'the latest ones of them' },
  ],
  details: `The latest lines since the daemon started, out of its memory; the journal, or wherever its standard output goes,
has those before. Which logs the jails read, and how far: bailiff status. Debug lines are there under "bailiff -v run".`,
  async run(context, [jail], options) {
    const query = queryOf(jail, options);
    const most = countOf(options['lines']);
    const client = await context.client();
    const show = (line: LogLine): void =>
      context.out(context.json ? formatJson(line) : formatLogLine(context, line));
    const isFollowing = options['follow'] === true;
    const pid = isFollowing ? (await client.ping()).pid : 0;
    const { lines, last } = await readAll(client, query);
    for (const line of lines.slice(-(most ?? Infinity))) show(line);
    if (isFollowing)
      await untilOver(({ signal }) =>
        follow(context, client, { ...query, after: last }, { pid, show, signal }),
      );
    return EXIT.done;
  },
};

async function readAll(client: Client, query: LogQuery): Promise<{ lines: LogLine[]; last: number }> {
  const lines: LogLine[] = [];
  for (let after = 0; ;) {
    const page = await client.log({ ...query, after });
    lines.push(...page.items);
    after = page.last;
    if (page.next === null) return { lines, last: page.last };
  }
}

interface Following {
  /** Whose numbers `after` means. */
  readonly pid: number;
  show(line: LogLine): void;
  readonly signal: AbortSignal;
}

/** @throws what the client throws, once the daemon stays away. */
async function follow(
  context: Context,
  client: Client,
  query: LogQuery,
  { pid: first, show, signal }: Following,
): Promise<void> {
  let { after = 0 } = query;
  let pid = first;
  for (let failures = 0; !signal.aborted;) {
    try {
      if (failures > 0) {
        const now = await client.ping();
        if (now.pid !== pid) after = 0;
        pid = now.pid;
        context.err('bailiff: the daemon is there again\n');
        failures = 0;
      }
      const page = await client.log({ ...query, after, wait: WAIT }, signal);
      if (page.missed > 0 && after > 0)
        context.err(`bailiff: ${page.missed} lines came too fast and are not kept\n`);
      for (const line of page.items) show(line);
      after = page.last;
    } catch (error) {
      if (signal.aborted) return;
      const isGone = error instanceof BailiffError && error.code === 'E_NOT_RUNNING';
      if (!isGone || ++failures > TRIES) throw error;
      if (failures === 1) context.err('bailiff: the daemon is gone; waiting for it\n');
      await pause(AGAIN, undefined, { signal }).catch(() => undefined);
    }
  }
}

function queryOf(jail: string | undefined, options: Options): LogQuery {
  const { level, since } = options;
  return {
    ...(jail !== undefined && { jail }),
    ...(typeof level === 'string' && { level: oneOf(LOG_LEVELS, level, 'level') }),
    ...(typeof since === 'string' && { since: formatInstant(instantOf(since)) }),
  };
}

function instantOf(written: string): number {
  const duration = parseDuration(written);
  const instant = duration === undefined ? Date.parse(written) : createClock().now() - duration;
  if (Number.isFinite(instant)) return instant;
  throw new BailiffError(
    'E_USAGE',
    `"${written}" is neither a duration nor an instant; write 10m, or 2026-01-31T12:00Z`,
  );
}

function countOf(written: Options[string]): number | undefined {
  if (written === undefined) return undefined;
  if (typeof written === 'string' && /^[1-9]\d{0,5}$/.test(written)) return Number(written);
  throw new BailiffError('E_USAGE', `"${written}" is no count; write --lines 20, say`);
}
