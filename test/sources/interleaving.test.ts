// A writer does not wait until a look at the folder is over. Here it goes on between any two calls of the file system that
// the reader makes: the calls are the real ones, and each is an instant at which the log may be rotated.
import fc from 'fast-check';
import type * as FileSystem from 'node:fs';
import { expect, test, vi } from 'vitest';
import { createReader, temporaryFolder, untilStampsDiffer } from './kit.ts';

const writer = vi.hoisted(() => ({ beforeCall: (): void => undefined }));

vi.mock('node:fs', async (importOriginal) => {
  const real = await importOriginal<typeof FileSystem>();
  const names = ['statSync', 'lstatSync', 'fstatSync', 'openSync', 'readSync', 'readdirSync'] as const;
  const watched = names.map((name) => [
    name,
    (...parameters: unknown[]) => {
      writer.beforeCall();
      return Reflect.apply(real[name], real, parameters);
    },
  ]);
  return { ...real, ...Object.fromEntries(watched) };
});

const fs = await vi.importActual<typeof FileSystem>('node:fs');

/** What logrotate and the program that logs do, each a call or a few. */
type Move = 'append' | 'half' | 'rename' | 'copytruncate';
type Action = { reader: 'take'; chunks: number } | { reader: 'commit' | 'crash' };

/** A log that is written in small steps, of which the reader may see any. */
class Log {
  readonly written: string[] = [];
  private readonly path: string;
  private next = 0;
  private rotations = 0;
  private half = '';

  constructor(path: string) {
    this.path = path;
    fs.writeFileSync(path, '');
  }

  stepsOf(move: Move): (() => void)[] {
    switch (move) {
      case 'append':
        return [() => this.append()];
      case 'half':
        return [() => this.appendHalf()];
      case 'rename':
        // The program has the old file open until it is told to open the new one.
        return [
          () => this.begin(),
          ...this.shift(),
          () => fs.renameSync(this.path, `${this.path}.1`),
          () => this.append(`${this.path}.1`),
          () => fs.writeFileSync(this.path, ''),
        ];
      case 'copytruncate':
        return [
          () => this.begin(),
          ...this.shift(),
          () => this.copy(0.5),
          () => this.copy(1),
          () => fs.truncateSync(this.path, 0),
        ];
    }
  }

  private append(path = this.path): void {
    this.finish(path);
    for (let i = 0; i < 3; i++) fs.appendFileSync(path, `${this.line()}\n`);
  }

  private appendHalf(): void {
    this.finish();
    this.half = this.line();
    fs.appendFileSync(this.path, this.half.slice(0, 9));
  }

  private finish(path = this.path): void {
    if (this.half) fs.appendFileSync(path, `${this.half.slice(9)}\n`);
    this.half = '';
  }

  /** Within one tick of the clock that stamps files (4 ms) nobody rotates twice: their order could not be told afterwards. */
  private begin(): void {
    this.finish();
    untilStampsDiffer(`${this.path}-spare`);
  }

  private line(): string {
    const line = `line ${String(this.next++).padStart(6, '0')} of the log`;
    this.written.push(line);
    return line;
  }

  private copy(share: number): void {
    const bytes = fs.readFileSync(this.path);
    fs.writeFileSync(`${this.path}.1`, bytes.subarray(0, Math.round(bytes.length * share)));
  }

  private shift(): (() => void)[] {
    const names = Array.from({ length: this.rotations++ }, (_, n) => n + 1).toReversed();
    return names.map((n) => () => fs.renameSync(`${this.path}.${n}`, `${this.path}.${n + 1}`));
  }
}

const timed = fc.record({
  move: fc.constantFrom<Move>('append', 'append', 'append', 'half', 'rename', 'copytruncate'),
  /** After how many more calls of the reader each of its steps is done; mostly all of them at once. */
  gaps: fc.array(
    fc.oneof(
      { weight: 4, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.integer({ min: 1, max: 60 }) },
    ),
    { minLength: 5, maxLength: 5 },
  ),
});

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ reader: fc.constant('take' as const), chunks: fc.integer({ min: 1, max: 5 }) }),
  },
  { weight: 2, arbitrary: fc.constant<Action>({ reader: 'commit' }) },
  { weight: 1, arbitrary: fc.constant<Action>({ reader: 'crash' }) },
);

async function run(
  moves: readonly { move: Move; gaps: number[] }[],
  actions: readonly Action[],
): Promise<void> {
  const folder = temporaryFolder();
  const log = new Log(folder.file('app.log'));
  const steps = moves.flatMap(({ move, gaps }) =>
    log.stepsOf(move).map((step, at) => ({ step, gap: gaps[at % gaps.length]! })),
  );
  const reader = createReader([folder.file('app.log')]);
  reader.start();
  await reader.take();
  reader.commit();
  let calls = 0;
  let isWriting = false;
  writer.beforeCall = () => {
    if (isWriting) return;
    isWriting = true;
    calls++;
    while (steps[0] && calls >= steps[0].gap) {
      calls = 0;
      steps.shift()!.step();
    }
    isWriting = false;
  };
  try {
    for (const one of actions) {
      if (one.reader === 'take') await reader.take(one.chunks);
      if (one.reader === 'commit') reader.commit();
      if (one.reader !== 'crash') continue;
      await reader.stop(true);
      reader.start();
    }
    writer.beforeCall = () => undefined;
    for (const { step } of steps) step();
    await reader.take();
    expect(reader.lines()).toEqual(log.written.slice(0, reader.lines().length));
    expect(log.written.length - reader.lines().length).toBeLessThanOrEqual(1);
  } finally {
    writer.beforeCall = () => undefined;
    await reader.stop();
    folder.remove();
  }
}

/** A fixed walk by default; with FC_RUNS as many new ones as wanted. */
const WALKS = process.env['FC_RUNS']
  ? { numRuns: Number(process.env['FC_RUNS']) }
  : { numRuns: 400, seed: 20_261_125 };

test(
  'whichever calls of the reader a rotation falls between, each line is applied once and in order',
  { timeout: 0 },
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(timed, { minLength: 2, maxLength: 20 }),
        fc.array(action, { minLength: 4, maxLength: 16 }),
        run,
      ),
      WALKS,
    );
  },
);
