// The command line, read by commander. A verb's file is loaded only when that verb is called, or for the help.
import { Command, CommanderError } from 'commander';
import { BailiffError } from '../errors.ts';
import { nearest } from '../text.ts';
import { formatJson } from './json.ts';
import { GLOBALS, HELP, PURPOSE, VERSION } from './globals.ts';
import type { Options, Verb } from './verb.ts';
import { VERBS } from './verbs.ts';

/** Accepted before and after the verb. */
export interface GlobalOptions {
  readonly config?: string;
  readonly runtime?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
  /** false after `--no-color`. */
  readonly color: boolean;
}

/** What the command line asks for. */
export type Request =
  | {
      readonly kind: 'verb';
      readonly verb: Verb;
      readonly args: readonly string[];
      readonly options: Options;
      readonly globals: GlobalOptions;
    }
  /** Help or the version: nothing is left but to print it. */
  | { readonly kind: 'text'; readonly text: string };

/**
 * Reads the command line (without the program's own name).
 * @throws BailiffError E_USAGE in one sentence, with the nearest name that exists.
 */
export async function readCommandLine(argv: readonly string[], version: string): Promise<Request> {
  let text = '';
  const print = (piece: string): void => void (text += piece);
  let name: string | undefined;
  try {
    const program = createProgram(version, print);
    name = findVerb(argv, program);
    if (name === undefined && !asksForHelp(argv))
      throw new BailiffError('E_USAGE', 'say what to do: "bailiff --help" lists the verbs');
    // `bailiff help ban` is `bailiff ban --help`.
    if (name === 'help')
      return await readCommandLine([...argv.filter((word) => word !== 'help'), '--help'], version);
    if (name === undefined) addSummaries(program);
    const verb = name === undefined ? undefined : await load(name);
    let called: { args: readonly string[]; options: Options } | undefined;
    if (verb) addVerb(program, verb, (args, options) => (called = { args, options }));
    const words = asksForHelp(argv) ? [...(name === undefined ? [] : [name]), '--help'] : argv;
    program.parse(words, { from: 'user' });
    if (!verb || !called) throw new Error('commander ended without a verb and without a fault');
    return { kind: 'verb', verb, ...called, globals: program.opts<GlobalOptions>() };
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === 'commander.version' && argv.includes('--json')) text = formatJson({ version });
    if (error.exitCode === 0) return { kind: 'text', text };
    throw new BailiffError('E_USAGE', sentence(error.message, name), {}, error);
  }
}

function createProgram(version: string, print: (text: string) => void): Command {
  const program = new Command('bailiff').description(PURPOSE);
  for (const { term, summary } of GLOBALS) program.option(term, summary);
  return program
    .version(version, VERSION.term, VERSION.summary)
    .helpCommand(false)
    .helpOption(HELP.term, HELP.summary)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeOut: print, writeErr() {}, getOutHasColors: () => false })
    .exitOverride();
}

function addVerb(program: Command, verb: Verb, call: (args: string[], options: Options) => void): void {
  const command = program.command(verb.name).description(verb.summary);
  for (const each of verb.arguments) command.argument(each.term, each.summary);
  for (const each of verb.options) command.option(each.term, each.summary);
  if (verb.details !== undefined) command.addHelpText('after', `\n${verb.details}`);
  command.action(() => call(command.args, command.opts()));
}

/** For the help alone: no verb is loaded. */
function addSummaries(program: Command): void {
  for (const [name, { summary }] of Object.entries(VERBS)) program.command(name).description(summary);
}

/** The first word that is no global option, nor the value of one. */
function findVerb(argv: readonly string[], program: Command): string | undefined {
  const { operands, unknown } = program.parseOptions([...argv]);
  // An option that only a verb knows, ahead of the verb: commander will name it.
  return operands[0] ?? unknown.find((word) => Object.hasOwn(VERBS, word));
}

async function load(name: string): Promise<Verb> {
  const row = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined;
  if (row) return (await row.load()).verb;
  const names = Object.keys(VERBS);
  // Who stops in the middle of a word means the one that goes on so: more than the edits between the two would allow.
  const begun = names.filter((each) => name.length > 1 && each.startsWith(name));
  const near = begun.length === 1 ? begun[0] : nearest(name, names);
  const hint = near === undefined ? '' : `did you mean "${near}"? `;
  throw new BailiffError('E_USAGE', `there is no verb "${name}"; ${hint}"bailiff --help" lists all`);
}

function asksForHelp(argv: readonly string[]): boolean {
  return argv.includes('--help') || argv.includes('-h');
}

/** commander's own words as one sentence: "error: unknown option '--fro'\n(Did you mean --for?)". */
function sentence(message: string, name: string | undefined): string {
  const [what = '', hint] = message.replace(/^error: /, '').split('\n');
  const said = what.replace('. Expected', ': expected').replace(/\.$/, '');
  const near = hint === undefined ? '' : `, ${hint.replace(/^\(?Did/, 'did').replace(/\)$/, '')}`;
  const help = name !== undefined && Object.hasOwn(VERBS, name) ? `bailiff ${name} --help` : 'bailiff --help';
  return `${said}${near}; "${help}" tells more`;
}
