// Puts the program and the packages that it uses into a few CommonJS files. What starts often must find little to load: one
// by one, our 350 files and those of the packages take longer to find, read and link than to run (docs/decisions/0044).
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { rolldown } from 'rolldown';
import type { Plugin } from 'rolldown';
import { keepCode } from './code.ts';

/** Its addon is found by path. */
const APART = /^better-sqlite3$/;
/** Started as processes, and found by the names of their files. */
const WORKERS = { 'ledger/checkpoint': 'src/ledger/checkpoint.ts', 'cli/prover': 'src/cli/prover.ts' };
/** Read, or handed to another program, as the files that they are. */
const READ_AT_RUN_TIME = ['ledger/migrations', 'firewall/nft-listen.pl', 'firewall/nft-tell.pl'];
const UNUSED = '\0unused-';
/** What packages load of Node for what we don't use of them: package, module, and what stands for it. */
const LEFT_OUT = [
  // Verbs as programs of their own.
  ['commander', 'node:child_process', 'export default {};'],
] as const;

/**
 * @param root the checkout, or a copy of its sources.
 * @param folder where it is put; made where it is missing.
 * @param programs each named as in the folder, one deep: `cli/main` → its source in the checkout.
 * @returns the files of packages that went into it, absolute.
 */
export async function bundle(
  root: string,
  folder: string,
  programs: Readonly<Record<string, string>>,
): Promise<string[]> {
  mkdirSync(folder, { recursive: true });
  const named = Object.entries({ ...programs, ...WORKERS });
  const build = await rolldown({
    input: Object.fromEntries(named.map(([name, file]) => [name, join(root, file)])),
    platform: 'node',
    external: APART,
    // Some packages' other builds load their parts by names made at run time.
    resolve: { mainFields: ['module', 'main'] },
    plugins: [whereItStood(join(root, 'src')), withoutUnused, builtInsWhenCalled, onlyAscii],
  });
  try {
    const { output } = await build.write({
      dir: folder,
      // An ES module asks each of Node's own modules for everything that it has: to import node:http loads a web client.
      format: 'cjs',
      entryFileNames: '[name].js',
      // What several programs share, and what one of them loads only when it needs it.
      chunkFileNames: 'parts/[name].js',
      comments: false,
    });
    // The package says that its files are ES modules; these are not.
    writeFileSync(join(folder, 'package.json'), '{ "type": "commonjs" }\n');
    for (const each of READ_AT_RUN_TIME)
      cpSync(join(root, 'src', each), join(folder, each), { recursive: true });
    const modules = output.flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []));
    return modules.filter((file) => file.includes('/node_modules/'));
  } finally {
    await build.close();
  }
}

/**
 * The whole program, as it is packed: started by dist/cli/main.js, with the code of its parts.
 * @returns as {@link bundle}.
 */
export async function bundleProgram(root: string, folder: string): Promise<string[]> {
  const files = await bundle(root, folder, { 'cli/program': 'src/cli/main.ts' });
  cpSync(join(import.meta.dirname, 'loader.cjs'), join(folder, 'cli/main.js'));
  await keepCode(folder);
  return files;
}

/** A source looks for what belongs to it (migrations, a worker, a script) where it stood itself, not where it was put. */
function whereItStood(sources: string): Plugin {
  return {
    name: 'where-it-stood',
    transform(code, id) {
      const name = relative(sources, id);
      if (name.startsWith('..') || !code.includes('import.meta.')) return null;
      // Every output stands one folder deep.
      const at = (path: string): string => `\`\${__dirname}/../${path}\``;
      const url = `process.getBuiltinModule('node:url').pathToFileURL(${at(name.replace(/\.ts$/, '.js'))}).href`;
      return code
        .replaceAll('import.meta.dirname', at(dirname(name)))
        .replaceAll('import.meta.url', () => url);
    },
  };
}

/** Node has loaded these by itself, or nearly so. */
const AT_HAND = /^node:(?:buffer|events|fs|path|path\/posix|process|url|util)$/;

/**
 * A module of Node is loaded when something of it is first asked for: node:crypto takes longer than many a verb. What is
 * written as `let node_x = require('node:x')` is of this shape because rolldown writes it so; anything else stays as it is.
 */
const builtInsWhenCalled: Plugin = {
  name: 'built-ins-when-called',
  renderChunk(code) {
    for (const [written, name, module] of code.matchAll(
      /^let (node_\w+) = require\("(node:[\w/]+)"\);\n(?:\1 = .*__toESM\(\1.*\);\n)?/gm,
    )) {
      const rest = code.replace(written, '');
      const uses = rest.match(new RegExp(`\\b${name!}\\b`, 'g')) ?? [];
      const asked = rest.match(new RegExp(`(?<![.\\w$])${name!}(?=\\.(?!default\\b))`, 'g')) ?? [];
      if (AT_HAND.test(module!) || uses.length !== asked.length) continue;
      const head = `let ${name!}$;\nconst ${name!} = () => ${name!}$ ??= require("${module!}");\n`;
      code = code
        // `new f().X()` would make one of f.
        .replaceAll(new RegExp(`\\bnew ${name!}(?=\\.)`, 'g'), `new (${name!}())`)
        .replaceAll(new RegExp(`(?<![.\\w$])${name!}(?=\\.)`, 'g'), `${name!}()`)
        .replace(written, () => head);
    }
    return code;
  },
};

/** V8 keeps a text in which one character is no Latin1 in twice the room. Comments, where this would be wrong, are gone. */
const onlyAscii: Plugin = {
  name: 'only-ascii',
  renderChunk: (code) =>
    code.replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
};

/** What takes long to load, and would never be called. */
const withoutUnused: Plugin = {
  name: 'without-unused',
  resolveId(source, importer = '') {
    const at = LEFT_OUT.findIndex(([name, module]) => source === module && importer.includes(`/${name}/`));
    return at < 0 ? null : `${UNUSED}${at}`;
  },
  load: (id) => (id.startsWith(UNUSED) ? LEFT_OUT[Number(id.slice(UNUSED.length))]![2] : null),
};
