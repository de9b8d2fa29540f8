// What of a page is to be run. A block of commands is marked in its first line: ```sh run. Such blocks are run in the
// order in which they stand, to the letter, as a reader would who follows the page from its top.
//
//   ```sh run            in the first terminal; each command must succeed
//   ```sh run look       it only looks, and is repeated until what is seen is seen
//   ```sh run ends=28    its last command ends with this status
//   ```sh run terminal   in the second terminal; it stays
//   ```text seen         behind a block: what one sees
//   <!-- keys: Ctrl-C in the second terminal -->
//   <!-- staged          commands up to -->, which make the situation that the page speaks of
//   <!-- fresh -->       another host begins here
import { readFileSync } from 'node:fs';

/** Commands to be run; also those that are staged. */
export interface Block {
  readonly kind: 'run';
  readonly line: number;
  readonly code: string;
  /** The status with which the last command ends. */
  readonly ends: number;
  /** May be repeated until `seen` is seen. */
  readonly look: boolean;
  readonly terminal: boolean;
  readonly seen: string | undefined;
}

interface Sign<Kind> {
  readonly kind: Kind;
  readonly line: number;
}

export type Step = Block | Sign<'interrupt'> | Sign<'fresh'>;

const BLOCK = /^```(\S*)(.*)\n([^]*?)^```$|^<!-- (staged)\n([^]*?)^-->$|^<!-- (keys: Ctrl-C|fresh)\b.*-->$/gm;

export function readPage(file: string): Step[] {
  return stepsOf(readFileSync(file, 'utf8'), file);
}

/** @throws where a mark is none that is known, or what is seen stands behind nothing that was run. */
export function stepsOf(text: string, name: string): Step[] {
  const steps: Step[] = [];
  let last: Block | undefined;
  for (const found of text.matchAll(BLOCK)) {
    const [, language, words = '', code = '', staged, hidden = '', sign] = found;
    const line = text.slice(0, found.index).split('\n').length;
    const marks = words.trim().split(/\s+/);
    const fault = (what: string) => new Error(`${name}:${line}: ${what}`);
    if (staged !== undefined)
      steps.push({ kind: 'run', line, code: hidden, seen: undefined, ...marksOf([], fault) });
    else if (sign !== undefined)
      steps.push(sign === 'fresh' ? { kind: 'fresh', line } : { kind: 'interrupt', line });
    else if (language === 'text' && marks[0] === 'seen') {
      if (last === undefined) throw fault('nothing was run that this could be seen of');
      steps[steps.indexOf(last)] = { ...last, seen: code };
    } else if (language === 'sh' && marks[0] === 'run') {
      last = { kind: 'run', line, code, seen: undefined, ...marksOf(marks.slice(1), fault) };
      steps.push(last);
      continue;
    } else if (marks[0] !== '') throw fault(`the mark "${words.trim()}" is not known`);
    last = undefined;
  }
  for (const step of steps)
    if (step.kind === 'run' && (step.look || step.terminal) && step.seen === undefined)
      throw new Error(`${name}:${step.line}: what is seen of it must be told`);
  return steps;
}

function marksOf(
  marks: readonly string[],
  fault: (what: string) => Error,
): Pick<Block, 'ends' | 'look' | 'terminal'> {
  let ends = 0;
  for (const mark of marks) {
    const status = /^ends=(\d+)$/.exec(mark)?.[1];
    if (status !== undefined) ends = Number(status);
    else if (mark !== 'look' && mark !== 'terminal') throw fault(`the mark "${mark}" is not known`);
  }
  return { ends, look: marks.includes('look'), terminal: marks.includes('terminal') };
}
