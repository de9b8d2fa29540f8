// The memory in which searches run. One is enough for many searches, since they take turns: V8 sets aside ten gigabytes of
// addresses (not of memory) for each.
import { BEHIND, FOUND, MOST_FOUND, TABLE, TEXT } from './emit.ts';

type Run = (from: number, to: number) => number;

/** What `emitSearch` promises. */
export interface Program {
  readonly find: Run;
  readonly collect: Run;
}

export interface SearchRoom {
  /** Takes a text in, and the table of its search, in place of those before. @returns where it ends; it begins at TEXT. */
  take(text: string, table?: Uint8Array): number;
  /** What `collect` wrote; good until the next text is taken in. */
  readonly found: Int32Array;
  /** Makes a program of `emitSearch` ready. @returns undefined where this Node can't: it has no compiler, or no addresses are left. */
  instantiate(program: Uint8Array<ArrayBuffer>): Program | undefined;
}

/** What V8 offers; Node's types don't tell. */
declare const WebAssembly: {
  readonly Memory: new (limits: { readonly initial: number }) => Memory;
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (
    module: object,
    imports: { readonly env: { readonly memory: Memory } },
  ) => { readonly exports: Readonly<Record<string, Run>> };
};
interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

const PAGE = 64 * 1024;
/** Enough for a chunk, and for what stands before it. */
const FIRST_PAGES = 4;

/** Nothing is set aside before the first program is made ready. */
export function createSearchRoom(): SearchRoom {
  let memory: Memory | undefined;
  let bytes: Buffer = Buffer.alloc(0);
  let found = new Int32Array(0);

  function look({ buffer }: Memory): void {
    bytes = Buffer.from(buffer);
    found = new Int32Array(buffer, FOUND, MOST_FOUND);
  }

  return {
    get found() {
      return found;
    },
    take(text, table) {
      const missing = TEXT + text.length + BEHIND - bytes.length;
      if (missing > 0 && memory) {
        memory.grow(Math.ceil(missing / PAGE));
        look(memory);
      }
      if (table) bytes.set(table, TABLE);
      return TEXT + bytes.write(text, TEXT, 'latin1');
    },
    instantiate(program) {
      try {
        if (!memory) look((memory = new WebAssembly.Memory({ initial: FIRST_PAGES })));
        const { exports } = new WebAssembly.Instance(new WebAssembly.Module(program), { env: { memory } });
        return { find: exports['find']!, collect: exports['collect']! };
      } catch {
        return undefined;
      }
    },
  };
}
