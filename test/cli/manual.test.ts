// The man pages and the reference of verbs are current, whole, and sound roff.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { ENVIRONMENT } from '../../src/cli/globals.ts';
import { manualPage, verbsPage } from '../../src/cli/manual.ts';
import { surfaceOf } from '../../src/cli/surface.ts';
import { loadVerbs } from '../../src/cli/verbs.ts';
import { readVersion } from '../../src/cli/version.ts';
import { manualPage as jailsManual } from '../../src/config/manual.ts';
import { jailSchema } from '../../src/config/schema.ts';
import { EXIT } from '../../src/errors.ts';
import { bold, roffText, verbatim } from '../../src/roff.ts';
import { ROOT } from '../support/checkout.ts';
import { needs, program } from '../support/programs.ts';
import { run } from '../support/run.ts';

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const surface = surfaceOf(await loadVerbs());
const PAGES = {
  'docs/verbs.md': verbsPage(surface),
  'docs/man/bailiff.8': manualPage(surface, readVersion()),
  'docs/man/jails.json.5': jailsManual(readVersion()),
};

test.each(Object.entries(PAGES))('%s is what `npm run generate` would write', (file, text) => {
  expect(read(file)).toBe(text);
});

test('what the environment can say stands in the manual, and nothing else does', () => {
  const names = [...read('src/cli/paths.ts').matchAll(/\benv\['([A-Z_]+)'\]/g)].map(([, name]) => name);
  // That one is between bin/dev and the program.
  const said = new Set(names.filter((name) => name !== 'BAILIFF_CHECKOUT'));
  expect(new Set(ENVIRONMENT.map(([name]) => name))).toEqual(said);
});

describe('roff', () => {
  test('takes no text for a request, and no hyphen for a dash', () => {
    expect(roffText('.so /etc/passwd\n.x `--all` **not** \\n it’s')).toBe(
      '\\&.so /etc/passwd\n\\&.x \\fB\\-\\-all\\fR \\fBnot\\fR \\en it\\[u2019]s',
    );
    expect(roffText("'tis")).toBe('\\(aqtis');
    expect(bold('a-b')).toBe('\\fBa\\-b\\fR');
    expect(verbatim('.a\n  b')).toBe('.PP\n.RS 4\n.nf\n\\&.a\n  b\n.fi\n.RE\n');
  });
});

/** Without what would make it bold. */
const plain = (text: string): string => text.replace(/.\u0008/g, '').replace(/\u001b\[[0-9;]*m/g, '');

needs('groff', 'man')('the man pages', () => {
  const render = (input: string) =>
    run(program('groff'), ['-ww', '-man', '-Tutf8', '-rLL=72n'], { input, env: { LC_ALL: 'C.UTF-8' } });

  it.each(Object.keys(PAGES).filter((file) => file.includes('/man/')))(
    '%s formats without a warning',
    async (file) => {
      const { code, stderr, stdout } = await render(read(file));
      expect([code, stderr]).toEqual([0, '']);
      expect(plain(stdout)).not.toContain('\\');
      const man = await run(program('man'), ['--warnings', '-l', join(ROOT, file)], {
        env: { MANPAGER: 'cat', LC_ALL: 'C.UTF-8', MANWIDTH: '80' },
      });
      expect([man.code, man.stderr]).toEqual([0, '']);
    },
  );

  it('a fault in one would be told', async () => {
    expect((await render(`${read('docs/man/bailiff.8')}.NOSUCH\n`)).stderr).toContain('NOSUCH');
  });

  it('has every verb with its terms, every exit status and every file', async () => {
    const text = plain((await render(read('docs/man/bailiff.8'))).stdout);
    for (const { name, arguments: args, options } of surface.verbs) {
      expect(text).toMatch(new RegExp(`^   ${name}( |$)`, 'm'));
      for (const { names } of options) for (const each of names) expect(text).toContain(each);
      for (const each of args) expect(text).toContain(each.name);
    }
    for (const status of Object.values(EXIT)) expect(text).toMatch(new RegExp(`^ {7}${status} `, 'm'));
    for (const place of ['/etc/bailiff/jails.json', '/run/bailiff/control.sock', 'BAILIFF_CONFIG'])
      expect(text).toContain(place);
  });

  it('has every key of a jail', async () => {
    const text = plain((await render(read('docs/man/jails.json.5'))).stdout);
    for (const key of Object.keys(jailSchema.entries))
      expect(text).toMatch(new RegExp(`^ {7}${key}( |$)`, 'm'));
  });
});
