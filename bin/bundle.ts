// Puts the program and the packages that it uses into a few CommonJS files. What starts often must find little to load: one
// by one, our 350 files and those of the packages take longer to find, read and link than to run (docs/decisions/0044).
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { rolldown } from 'rolldown';
import type { Plugin } from 'rolldown';

/** Its addon is found by path. */
const APART = /^better-sqlite3$/;
/** Started as threads, and found by the names of their files. */
const WORKERS = { 'ledger/checkpoint': 'src/ledger/checkpoint.ts', 'setup/prover': 'src/setup/prover.ts' };
const UNUSED = '\0unused-';
/** What packages load of Node for what we don't use of them: package, module, and what stands for it. */
const LEFT_OUT = [
  // Verbs as programs of their own.
  ['commander', 'node:child_process', 'export default {};'],
  // HTTP/2: no request is one.
  ['@hono/node-server', 'node:http2', 'export class Http2ServerRequest {} export const constants = {};'],
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
    plugins: [whereItStood(join(root, 'src')), withoutUnused],
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
    cpSync(join(root, 'src/ledger/migrations'), join(folder, 'ledger/migrations'), { recursive: true });
    const modules = output.flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []));
    return modules.filter((file) => file.includes('/node_modules/'));
  } finally {
    await build.close();
  }
}

/** A source looks for what belongs to it (migrations, a worker) where it stood itself, not where it was put. */
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

/** What takes long to load, and would never be called. */
const withoutUnused: Plugin = {
  name: 'without-unused',
  resolveId(source, importer = '') {
    const at = LEFT_OUT.findIndex(([name, module]) => source === module && importer.includes(`/${name}/`));
    return at < 0 ? null : `${UNUSED}${at}`;
  },
  load: (id) => (id.startsWith(UNUSED) ? LEFT_OUT[Number(id.slice(UNUSED.length))]![2] : null),
};
