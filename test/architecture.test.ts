// The plan of the house, held by tools: who may import whom, and the one door that each dangerous thing has.
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder, type TemporaryFolder } from './support/leftovers.ts';
import { run } from './support/run.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SOURCES = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => join('src', name))
  .sort();

interface Cruise {
  modules: { source: string; dependencies: { resolved: string; dependencyTypes: string[] }[] }[];
  summary: { violations: { from: string; to: string; rule: { name: string } }[] };
}

/** Runs dependency-cruiser with the project's rules over `src/` below `folder`. */
async function cruise(folder: string): Promise<Cruise> {
  const tool = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
  const args = [tool, '--config', join(ROOT, '.dependency-cruiser.cjs'), '--output-type', 'json', 'src'];
  const { stdout, stderr } = await run(process.execPath, args, { cwd: folder });
  if (!stdout.startsWith('{')) throw new Error(stderr || stdout);
  return JSON.parse(stdout) as Cruise;
}

/** Files that each break one rule, in one way. `from` lies below src/. */
const BAD: { rule: string; how: string; from: string; text: string }[] = [
  {
    rule: 'rooms-are-strangers',
    how: 'by a static import',
    from: 'jails/static.ts',
    text: `import { x } from '../ledger/index.ts'; export const y = x;`,
  },
  {
    rule: 'rooms-are-strangers',
    how: 'by a type import',
    from: 'jails/type.ts',
    text: `import type { X } from '../ledger/index.ts'; export type Y = X;`,
  },
  {
    rule: 'rooms-are-strangers',
    how: 'by a dynamic import',
    from: 'jails/dynamic.ts',
    text: `export const y = () => import('../ledger/index.ts');`,
  },
  {
    rule: 'rooms-are-strangers',
    how: 'by an import type',
    from: 'jails/import-type.ts',
    text: `export type Y = import('../ledger/index.ts').X;`,
  },
  {
    rule: 'rooms-are-strangers',
    how: 'by passing on what a sibling exports',
    from: 'jails/passing-on.ts',
    text: `export * from '../ledger/index.ts';`,
  },
  {
    rule: 'rooms-are-strangers',
    how: 'by looking up, from a room to setup',
    from: 'jails/up.ts',
    text: `export * from '../setup/index.ts';`,
  },
  {
    rule: 'nouns-see-nouns',
    how: 'from a noun to a room',
    from: 'model.ts',
    text: `export type { X } from './ledger/index.ts';`,
  },
  {
    rule: 'setup-looks-down',
    how: 'from setup to daemon',
    from: 'setup/up.ts',
    text: `export * from '../daemon/index.ts';`,
  },
  {
    rule: 'daemon-looks-down',
    how: 'from daemon to cli',
    from: 'daemon/up.ts',
    text: `export * from '../cli/index.ts';`,
  },
  {
    rule: 'enter-by-the-door',
    how: 'past the index of a room',
    from: 'daemon/past.ts',
    text: `export * from '../ledger/rows.ts';`,
  },
  {
    rule: 'no-circular',
    how: 'in a circle within a room',
    from: 'jails/a.ts',
    text: `import { b } from './b.ts'; export const a = () => b;`,
  },
  {
    rule: 'one-door-processes',
    how: 'by node:child_process',
    from: 'daemon/hooks.ts',
    text: `export { spawn } from 'node:child_process';`,
  },
  {
    rule: 'one-door-database',
    how: 'by better-sqlite3',
    from: 'daemon/cache.ts',
    text: `import Database from 'better-sqlite3'; export const d = new Database('');`,
  },
  {
    rule: 'one-door-database',
    how: 'by node:sqlite',
    from: 'daemon/cache-too.ts',
    text: `export { DatabaseSync } from 'node:sqlite';`,
  },
  {
    rule: 'no-undeclared-dependency',
    how: 'by a development dependency',
    from: 'daemon/chance.ts',
    text: `export { fc } from 'fast-check';`,
  },
  {
    rule: 'no-unresolvable',
    how: 'by an import that leads nowhere',
    from: 'daemon/nowhere.ts',
    text: `export * from './gone.ts';`,
  },
];

/** What the bad files lean on; nothing in here breaks a rule by itself, but for jails/b.ts, the circle's other half. */
const SOUND: Record<string, string> = {
  'ledger/index.ts': 'export const x = 1; export type X = number;',
  'ledger/rows.ts': 'export const row = 1;',
  'jails/b.ts': `import { a } from './a.ts'; export const b = () => a;`,
  'setup/index.ts': `export * from '../ledger/index.ts';`,
  'daemon/index.ts': `export * from '../setup/index.ts'; export * from '../ledger/index.ts';`,
  'cli/index.ts': `export * from '../daemon/index.ts';`,
};

describe('who may import whom', () => {
  it('holds in src/', async () => {
    const { modules, summary } = await cruise(ROOT);
    expect(summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`)).toEqual([]);
    // A tool that doesn't understand the files sees none and reports success.
    const seen = modules.filter(({ source }) => source.startsWith('src/'));
    expect(seen.map(({ source }) => source).sort()).toEqual(SOURCES);
    const dependencies = seen.flatMap((module) => module.dependencies);
    expect(seen.length).toBeGreaterThan(50);
    expect(dependencies.length).toBeGreaterThan(150);
    expect(dependencies.some((one) => one.dependencyTypes.includes('type-only'))).toBe(true);
  });

  describe('in a tree that breaks the rules', () => {
    let folder: TemporaryFolder;
    let violations: Cruise['summary']['violations'];

    beforeAll(async () => {
      folder = temporaryFolder('architecture');
      const files = { ...SOUND, ...Object.fromEntries(BAD.map(({ from, text }) => [from, text])) };
      for (const [name, text] of Object.entries(files)) {
        mkdirSync(dirname(join(folder.path, 'src', name)), { recursive: true });
        writeFileSync(join(folder.path, 'src', name), text);
      }
      for (const name of ['package.json', 'tsconfig.json', 'node_modules'])
        symlinkSync(join(ROOT, name), join(folder.path, name));
      violations = (await cruise(folder.path)).summary.violations;
    });
    afterAll(() => folder.remove());

    it.each(BAD)('finds what is broken $how: $rule', ({ rule, from }) => {
      const found = violations.filter((violation) => violation.from === `src/${from}`);
      expect(found.map((violation) => violation.rule.name)).toContain(rule);
    });

    it('finds nothing else', () => {
      const bad = [...BAD.map(({ from }) => `src/${from}`), 'src/jails/b.ts'];
      expect(violations.filter((violation) => !bad.includes(violation.from))).toEqual([]);
    });
  });
});

/** Where a kind of syntax stands, as `file:line`. */
function find(file: string, text: string, isWanted: (node: ts.Node) => boolean): string[] {
  const tree = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const places: string[] = [];
  const visit = (node: ts.Node): void => {
    if (isWanted(node))
      places.push(`${file}:${tree.getLineAndCharacterOfPosition(node.getStart()).line + 1}`);
    node.forEachChild(visit);
  };
  visit(tree);
  return places;
}

/** `name` as a value (not as a property of something else, nor as a type). */
const isGlobal = (node: ts.Node, name: string): boolean =>
  ts.isIdentifier(node) &&
  node.text === name &&
  !(ts.isPropertyAccessExpression(node.parent) && node.parent.name === node) &&
  !ts.isTypeReferenceNode(node.parent) &&
  !ts.isPropertySignature(node.parent) &&
  !ts.isPropertyAssignment(node.parent);

const isMember = (node: ts.Node, object: string, member?: string): boolean =>
  (ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node)) &&
  isGlobal(node.expression, object) &&
  (member === undefined ||
    (ts.isPropertyAccessExpression(node)
      ? node.name.text === member
      : ts.isStringLiteralLike(node.argumentExpression) && node.argumentExpression.text === member));

interface Door {
  what: string;
  isWanted(node: ts.Node): boolean;
  /** Where it may stand. */
  allowed(file: string): boolean;
  /** A line that must be found, so that the search is known to see. */
  example: string;
}

const pure = (file: string) => /^src\/(jails|filters)\//.test(file);

const DOORS: Door[] = [
  {
    what: 'RegExp is constructed in src/filters/regex.ts only',
    isWanted: (node) =>
      (ts.isNewExpression(node) || ts.isCallExpression(node)) && isGlobal(node.expression, 'RegExp'),
    allowed: (file) => file === 'src/filters/regex.ts',
    example: 'export const r = new RegExp(source)',
  },
  {
    what: 'process.env is read in src/cli/paths.ts only',
    isWanted: (node) => isMember(node, 'process', 'env'),
    allowed: (file) => file === 'src/cli/paths.ts',
    example: `export const e = process['env'].HOME`,
  },
  {
    what: 'jails/ and filters/ know no clock',
    isWanted: (node) =>
      isMember(node, 'Date', 'now') ||
      isMember(node, 'performance') ||
      (ts.isNewExpression(node) && isGlobal(node.expression, 'Date') && !node.arguments?.length),
    allowed: (file) => !pure(file),
    example: 'export const d = new Date()',
  },
  {
    what: 'jails/ and filters/ know no chance',
    isWanted: (node) => isMember(node, 'Math', 'random') || isGlobal(node, 'crypto'),
    allowed: (file) => !pure(file),
    example: 'export const m = Math.random()',
  },
  {
    what: 'jails/ and filters/ know no process',
    isWanted: (node) => isGlobal(node, 'process'),
    allowed: (file) => !pure(file),
    example: 'export const p = process.pid',
  },
  {
    what: 'only the daemon’s own door and the command line read wall time',
    isWanted: (node) => isMember(node, 'Date', 'now'),
    allowed: (file) => file === 'src/daemon/system.ts' || file.startsWith('src/cli/'),
    example: 'export const d = Date.now()',
  },
  {
    what: 'no state lies in a module',
    isWanted: (node) =>
      ts.isVariableStatement(node) &&
      ts.isSourceFile(node.parent) &&
      (node.declarationList.flags & ts.NodeFlags.Const) === 0,
    allowed: () => false,
    example: 'let count = 0;',
  },
];

describe('one door each', () => {
  it.each(DOORS)('$what', ({ isWanted, allowed, example }) => {
    expect(find('example.ts', example, isWanted)).toEqual(['example.ts:1']);
    const elsewhere = SOURCES.filter((file) => !allowed(file)).flatMap((file) =>
      find(file, readFileSync(join(ROOT, file), 'utf8'), isWanted),
    );
    expect(elsewhere).toEqual([]);
  });
});

describe('the house is kept tidy', () => {
  it('has no file over 400 lines', () => {
    const long = SOURCES.map(
      (file) => [file, readFileSync(join(ROOT, file), 'utf8').split('\n').length] as const,
    );
    expect(long.filter(([, lines]) => lines > 401)).toEqual([]);
  });

  it('has rooms whose index says what comes in, what goes out, and what it never does', () => {
    const heads = SOURCES.filter((file) => /^src\/[^/]+\/index\.ts$/.test(file));
    expect(heads.length).toBeGreaterThan(5);
    const silent = heads.filter((file) => {
      const lines = readFileSync(join(ROOT, file), 'utf8').split('\n').slice(0, 3);
      return !lines.every((line) => line.startsWith('// '));
    });
    expect(silent).toEqual([]);
  });

  it('has no drawer for odds and ends', () => {
    const drawers = SOURCES.filter((file) => /\/(utils?|helpers?|managers?|misc)\.ts$/.test(file));
    expect(drawers).toEqual([]);
  });

  it('names no registry and no folder of whoever wrote it', () => {
    const lock = readFileSync(join(ROOT, 'package-lock.json'), 'utf8');
    expect(lock).not.toMatch(/"resolved": "http/);
    const strangers = SOURCES.filter((file) =>
      /registry\.npmjs|\/work\/|\/root\/\./.test(readFileSync(join(ROOT, file), 'utf8')),
    );
    expect(strangers.map((file) => relative('src', file))).toEqual([]);
  });
});
