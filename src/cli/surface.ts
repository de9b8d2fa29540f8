// The command line as data: what help, completions, man page and reference are made from. There is one definition, the
// table of verbs with their terms; commander reads the terms here as it does for a call.
import { Argument, Option } from 'commander';
import { GLOBALS, HELP, VERSION } from './globals.ts';
import type { Term, Verb } from './verb.ts';

/** What a word completes to: words that are known, or something that is looked up. `text` is anybody's to write. */
export type Takes =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'jail' | 'filter' | 'address' | 'file' | 'folder' | 'text' };

export interface OptionTerm {
  /** As it is written in the table: `-f, --follow`. */
  readonly term: string;
  /** `-f`, `--follow`, or both. */
  readonly names: readonly string[];
  /** undefined: a flag. */
  readonly takes: Takes | undefined;
  readonly summary: string;
}

export interface ArgumentTerm {
  readonly term: string;
  readonly name: string;
  readonly takes: Takes;
  /** May it be given again and again? */
  readonly isList: boolean;
  readonly summary: string;
}

export interface VerbTerm {
  readonly name: string;
  readonly summary: string;
  readonly arguments: readonly ArgumentTerm[];
  readonly options: readonly OptionTerm[];
  readonly details: string | undefined;
}

export interface Surface {
  readonly globals: readonly OptionTerm[];
  /** In the order of `bailiff --help`. */
  readonly verbs: readonly VerbTerm[];
}

/** What a placeholder says of its value: `<file...>`, `--jail <names>`. */
const BY_NAME: Readonly<Record<string, Exclude<Takes, { kind: 'words' }>['kind']>> = {
  jail: 'jail',
  filter: 'filter',
  address: 'address',
  file: 'file',
  dir: 'folder',
};

/** Pure: the verbs are loaded by whoever asks. */
export function surfaceOf(verbs: readonly Verb[]): Surface {
  return {
    globals: [...GLOBALS, VERSION, HELP].map(optionOf),
    verbs: verbs.map(({ name, summary, arguments: args, options, details }) => ({
      ...{ name, summary, details },
      arguments: args.map(argumentOf),
      options: options.map(optionOf),
    })),
  };
}

function optionOf(term: Term): OptionTerm {
  const { short, long, flags, required, optional } = new Option(term.term);
  const placeholder = /[<[]([^\]>]+)[\]>]/.exec(flags)?.[1] ?? '';
  return {
    term: term.term,
    names: [short, long].filter((name) => name !== undefined),
    // What the option is called says more of its value than the placeholder does: `--jail <name>`.
    takes: required || optional ? takesOf(term, long?.slice(2) ?? '', placeholder) : undefined,
    summary: term.summary,
  };
}

function argumentOf(term: Term): ArgumentTerm {
  const argument = new Argument(term.term);
  const name = argument.name();
  return {
    term: term.term,
    name,
    takes: takesOf(term, name),
    isList: argument.variadic,
    summary: term.summary,
  };
}

function takesOf({ choices }: Term, ...names: string[]): Takes {
  if (choices) return { kind: 'words', words: choices };
  const known = names.find((name) => Object.hasOwn(BY_NAME, name));
  return { kind: known === undefined ? 'text' : BY_NAME[known]! };
}
