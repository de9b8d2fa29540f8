// A reader who follows a page to the letter, and looks whether what it says is what one sees.
import { relative } from 'node:path';
import { eventually } from '../support/run.ts';
import { ROOT } from '../support/checkout.ts';
import { readPage, type Block, type Step } from './pages.ts';
import { difference } from './seen.ts';
import { createStand, type Stand } from './stand.ts';
import { openTerminal, PATIENCE, type Finished, type Terminal } from './terminal.ts';

/** Set, it prints what is seen: for whoever writes a page. */
const ALOUD = process.env['DOCS_ALOUD'] !== undefined;

class Reader {
  private readonly name: string;
  private stand: Stand | undefined;
  private terminals: Terminal[] = [];

  constructor(name: string) {
    this.name = name;
  }

  async leave(): Promise<void> {
    await Promise.all(this.terminals.map((terminal) => terminal.close()));
    this.terminals = [];
    await this.stand?.remove();
    this.stand = undefined;
  }

  async follow(step: Step): Promise<void> {
    if (step.kind === 'fresh') return this.leave();
    this.stand ??= await createStand();
    if (step.kind === 'interrupt') return (await this.terminal(1)).interrupt();
    return this.run(step);
  }

  private async run(step: Block): Promise<void> {
    if (step.terminal) return this.watch(step);
    if (step.look) return this.look(step);
    this.check(step, await (await this.terminal(0)).run(step.code));
  }

  private async terminal(index: number): Promise<Terminal> {
    while (this.terminals.length <= index) this.terminals.push(await openTerminal(this.stand!));
    return this.terminals[index]!;
  }

  /** A block that stays: waits until what was told is seen. */
  private async watch(step: Block): Promise<void> {
    const seen = (await this.terminal(1)).begin(step.code);
    // Lines that come later are nothing that was promised not to come.
    await this.wait(step, seen, () => difference(`${step.seen}…\n`, seen()));
  }

  private async look(step: Block): Promise<void> {
    let last: Finished | undefined;
    const look = async (): Promise<string | undefined> => {
      last = await (await this.terminal(0)).run(step.code);
      return this.fault(step, last);
    };
    await this.wait(step, () => last?.output ?? '', look);
  }

  private async wait(
    step: Step,
    seen: () => string,
    fault: () => string | undefined | Promise<string | undefined>,
  ): Promise<void> {
    let why: string | undefined;
    try {
      await eventually('it is seen', async () => (why = await fault()) === undefined, PATIENCE);
    } catch (error) {
      throw this.broken(step, `${why ?? 'nothing was seen'} (${String(error)})`, seen());
    }
    if (ALOUD) console.log(`── ${this.name}:${step.line}\n${seen()}`);
  }

  private check(step: Block, finished: Finished): void {
    if (ALOUD) console.log(`── ${this.name}:${step.line}\n${finished.output}`);
    const why = this.fault(step, finished);
    if (why !== undefined) throw this.broken(step, why, finished.output);
  }

  private fault(step: Block, { status, failed, output }: Finished): string | undefined {
    if (status !== step.ends) return `it ended with ${status}, not with ${step.ends}`;
    if (failed.length > (step.ends === 0 ? 0 : 1)) return `commands in it ended with ${failed.join(', ')}`;
    return step.seen !== undefined ? difference(step.seen, output) : undefined;
  }

  private broken(step: Step, why: string, seen: string): Error {
    return new Error(`${this.name}:${step.line}: ${why}\n${seen.trimEnd()}`);
  }
}

/** @throws at the first block that doesn't do what the page says. @returns how many blocks were run. */
export async function followPage(file: string): Promise<number> {
  const steps = readPage(file);
  const reader = new Reader(relative(ROOT, file));
  try {
    for (const step of steps) await reader.follow(step);
  } finally {
    await reader.leave();
  }
  return steps.length;
}
