// A small assembler of WebAssembly: instructions as lists of bytes, the module around them, and its start. All but the last is pure.
// Source of the numbers: the WebAssembly core specification 2.0, chapter 5, and its proposal "relaxed SIMD".

/** Encoded instructions, one behind the other. */
export type Code = readonly number[];

/** A function of a module: all parameters, results and locals but `vectors` are i32. */
export interface WasmFunction {
  /** Under which it is exported; undefined: only others of the module call it. */
  readonly name: string | undefined;
  readonly parameters: number;
  /** Locals behind the parameters. */
  readonly integers: number;
  /** Locals of 16 bytes, behind the integers. */
  readonly vectors: number;
  readonly body: Code;
}

const I32 = 0x7f;
const V128 = 0x7b;
const NO_RESULT = 0x40;
const END = 0x0b;

/** A module that imports `env.memory` and exports the functions; each gives one i32. */
export function wasmModule(functions: readonly WasmFunction[]): Uint8Array<ArrayBuffer> {
  const types = functions.map(({ parameters }) => [
    0x60,
    ...vector(Array.from({ length: parameters }, () => [I32])),
    ...vector([[I32]]),
  ]);
  const memory = [...text('env'), ...text('memory'), 0x02, 0x00, ...unsigned(1)];
  const bodies = functions.map(({ integers, vectors, body }) => {
    const locals = vector([
      [...unsigned(integers), I32],
      [...unsigned(vectors), V128],
    ]);
    const whole = [...locals, ...body, END];
    return [...unsigned(whole.length), ...whole];
  });
  const exported = functions.flatMap(({ name }, index) =>
    name === undefined ? [] : [[...text(name), 0x00, ...unsigned(index)]],
  );
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, vector(types)),
    ...section(2, vector([memory])),
    ...section(3, vector(functions.map((_, index) => unsigned(index)))),
    ...section(7, vector(exported)),
    ...section(10, vector(bodies)),
  ]);
}

function section(id: number, content: Code): Code {
  return [id, ...unsigned(content.length), ...content];
}

function vector(items: readonly Code[]): Code {
  return [...unsigned(items.length), ...items.flat()];
}

function text(name: string): Code {
  return vector([...Buffer.from(name, 'utf8')].map((byte) => [byte]));
}

/** LEB128. */
function unsigned(value: number): Code {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

function signed(value: number): Code {
  const low = value & 0x7f;
  const rest = value >> 7;
  const isLast = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0);
  return isLast ? [low] : [low | 0x80, ...signed(rest)];
}

// ── running ──

/** An exported function of two numbers. */
export type Run = (from: number, to: number) => number;

export interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** Bytes. */
export const PAGE = 64 * 1024;

/** What V8 offers; Node's types don't tell. */
declare const WebAssembly: {
  readonly Memory: new (limits: { readonly initial: number }) => Memory;
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (
    module: object,
    imports: { readonly env: { readonly memory: Memory } },
  ) => { readonly exports: Readonly<Record<string, Run>> };
};

/**
 * Makes a module ready.
 * @param memory a number of pages: one of its own.
 * @returns undefined where this Node can't: it has no compiler, or no addresses are left.
 */
export function instantiate(
  program: Uint8Array<ArrayBuffer>,
  memory: Memory | number,
): { readonly exports: Readonly<Record<string, Run>>; readonly memory: Memory } | undefined {
  try {
    const own = typeof memory === 'number' ? new WebAssembly.Memory({ initial: memory }) : memory;
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(program), { env: { memory: own } });
    return { exports, memory: own };
  } catch {
    return undefined;
  }
}

// ── control ──

/** A branch to it leaves it. */
export const block = (...body: readonly Code[]): Code => [0x02, NO_RESULT, ...body.flat(), END];
/** A branch to it begins it anew; at its end it is left. */
export const loop = (...body: readonly Code[]): Code => [0x03, NO_RESULT, ...body.flat(), END];
export const when = (condition: Code, ...body: readonly Code[]): Code => [
  ...condition,
  0x04,
  NO_RESULT,
  ...body.flat(),
  END,
];
/** @param depth how many blocks, loops and conditions stand between here and the one that is meant; 0: the innermost. */
export const branch = (depth: number): Code => [0x0c, ...unsigned(depth)];
export const branchIf = (depth: number, condition: Code): Code => [...condition, 0x0d, ...unsigned(depth)];
/** Runs the case that `index` names, none where there is no such. A branch of depth 0 out of a case leaves it. */
export function choose(index: Code, cases: readonly Code[]): Code {
  // Each case stands behind the end of a block, and the blocks inside each other: to leave the nth is to run the nth.
  const code: number[] = [];
  for (let depth = 0; depth <= cases.length; depth++) code.push(0x02, NO_RESULT);
  code.push(...index, 0x0e, ...vector(cases.map((_, number) => unsigned(number))), ...unsigned(cases.length));
  cases.forEach((body, number) => {
    code.push(END, ...block(body), ...branch(cases.length - 1 - number));
  });
  return [...code, END];
}
/** Calls the function of that number in the module. */
export const call = (index: number, ...values: readonly Code[]): Code => [
  ...values.flat(),
  0x10,
  ...unsigned(index),
];
export const giveBack = (value: Code): Code => [...value, 0x0f];

// ── integers ──

export const get = (local: number): Code => [0x20, ...unsigned(local)];
export const set = (local: number, value: Code): Code => [...value, 0x21, ...unsigned(local)];
export const constant = (value: number): Code => [0x41, ...signed(value | 0)];
export const trailingZeros = (value: Code): Code => [...value, 0x68];
/** How many bits are set. */
export const population = (value: Code): Code => [...value, 0x69];

const binary =
  (...operation: readonly number[]) =>
  (left: Code, right: Code): Code => [...left, ...right, ...operation];
/** 1 where the value is 0, else 0. */
export const isZero = (value: Code): Code => [...value, 0x45];
export const isEqual = binary(0x46);
export const notEqual = binary(0x47);
export const isLess = binary(0x48);
export const isMore = binary(0x4a);
/** Both without a sign: what lies below the least is more as well, once that was subtracted. */
export const isMoreUnsigned = binary(0x4b);
export const isAtLeast = binary(0x4e);
export const add = binary(0x6a);
export const multiply = binary(0x6c);
export const shiftRight = binary(0x76);
export const subtract = binary(0x6b);
export const and = binary(0x71);
export const or = binary(0x72);
export const xor = binary(0x73);
export const shiftLeft = binary(0x74);

/** Runs `body` as long as the local `at` is less than `to`, and adds `step` to it each time. `body` stands in two blocks. */
export const walk = (at: number, to: number, step: number, ...body: readonly Code[]): Code =>
  block(
    loop(branchIf(1, isAtLeast(get(at), get(to))), ...body, set(at, add(get(at), constant(step))), branch(0)),
  );

// ── memory; no place in it is taken for aligned ──

export const loadByte = (at: Code, offset = 0): Code => [...at, 0x2d, 0x00, ...unsigned(offset)];
export const loadTwo = (at: Code, offset = 0): Code => [...at, 0x2f, 0x00, ...unsigned(offset)];
export const loadFour = (at: Code, offset = 0): Code => [...at, 0x28, 0x00, ...unsigned(offset)];
export const storeTwo = (at: Code, value: Code, offset = 0): Code => [
  ...at,
  ...value,
  0x3b,
  0x00,
  ...unsigned(offset),
];
export const storeFour = (at: Code, value: Code, offset = 0): Code => [
  ...at,
  ...value,
  0x36,
  0x00,
  ...unsigned(offset),
];

// ── vectors of 16 bytes ──

const simd = (operation: number): Code => [0xfd, ...unsigned(operation)];
export const loadVector = (at: Code, offset = 0): Code => [...at, ...simd(0), 0x00, ...unsigned(offset)];
export const storeVector = (at: Code, value: Code, offset = 0): Code => [
  ...at,
  ...value,
  ...simd(11),
  0x00,
  ...unsigned(offset),
];
export const bytes16 = (bytes: readonly number[]): Code => [...simd(12), ...bytes];
export const splat = (byte: number): Code => bytes16(Array.from({ length: 16 }, () => byte));
export const andVectors = binary(...simd(78));
export const xorVectors = binary(...simd(81));
export const equalBytes = binary(...simd(35));
export const notEqualBytes = binary(...simd(36));
export const hasAny = (value: Code): Code => [...value, ...simd(83)];
/** One bit a byte: its highest. */
export const bitmask = (value: Code): Code => [...value, ...simd(100)];
/** Eight numbers of 16 bits, shifted right. */
export const shiftRight16 = (value: Code, by: number): Code => [...value, ...constant(by), ...simd(141)];
/** Looks up each byte of `indices`, all below 16, in a table of 16. */
export const lookUp = (table: Code, indices: Code): Code => [...table, ...indices, ...simd(256)];
