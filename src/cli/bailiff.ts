// One call of `bailiff`: reads the command line, runs the verb, and turns what it throws into one sentence and an exit
// status. main.ts hands it the real streams, tests hand it their own.
import { BailiffError, CATALOGUE, EXIT } from '../errors.ts';
import { printable } from '../text.ts';
import { readCommandLine } from './command.ts';
import type { GlobalOptions } from './command.ts';
import { findPaths, refusesColor } from './paths.ts';
import type { Context } from './verb.ts';
import { loadVerbs } from './verbs.ts';
import { readVersion } from './version.ts';

/** Where a call's words go. */
export type Streams = Pick<Context, 'out' | 'err' | 'terminal'>;

/** @returns the exit status. Never throws. */
export async function bailiff(argv: readonly string[], streams: Streams): Promise<number> {
  try {
    const version = readVersion();
    const request = await readCommandLine(argv, version);
    if (request.kind === 'text') {
      streams.out(request.text);
      return EXIT.done;
    }
    const context = createContext(version, request.globals, streams);
    return await request.verb.run(context, request.args, request.options);
  } catch (error) {
    if (error instanceof BailiffError) {
      streams.err(`bailiff: ${printable(error.message, 2_000)}\n`);
      return error.exit;
    }
    // A defect of ours: its stack is what a report needs.
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const lines = stack.split('\n').map((line) => printable(line, 2_000));
    streams.err(`bailiff: a promise inside Bailiff was broken, please report it:\n${lines.join('\n')}\n`);
    return CATALOGUE.E_INTERNAL.exit;
  }
}

function createContext(version: string, globals: GlobalOptions, streams: Streams): Context {
  const paths = findPaths(globals);
  return {
    ...streams,
    version,
    paths,
    json: globals.json === true,
    verbose: globals.verbose === true,
    color: streams.terminal && globals.color && !refusesColor(),
    verbs: loadVerbs,
    async client(role = 'control') {
      const { createClient } = await import('../api/index.ts');
      return createClient(paths.runtime, role);
    },
  };
}
