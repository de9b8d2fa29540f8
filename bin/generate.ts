// Writes the pages and schemas that are generated from code (npm run generate). `npm test` fails while one of them is not
// current.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { referencePages } from '../src/api/index.ts';
import { manualPage as jailsManual } from '../src/config/manual.ts';
import { jsonSchema, referencePage } from '../src/config/reference.ts';
import { manualPage, verbsPage } from '../src/cli/manual.ts';
import { surfaceOf } from '../src/cli/surface.ts';
import { loadVerbs } from '../src/cli/verbs.ts';
import { readVersion } from '../src/cli/version.ts';
import { libraryPage } from '../src/filters/index.ts';
import { describeShelf, openShelf } from '../src/setup/index.ts';

const root = join(import.meta.dirname, '..');

const schema = join(root, 'jails.schema.json');
const options = { ...(await resolveConfig(schema)), filepath: schema };
const surface = surfaceOf(await loadVerbs());
const version = readVersion();
const pages: Record<string, string> = {
  ...(await referencePages()),
  'docs/config.md': referencePage(),
  'docs/library.md': libraryPage(describeShelf(openShelf([join(root, 'filters')]))),
  'docs/verbs.md': verbsPage(surface),
  'docs/man/bailiff.8': manualPage(surface, version),
  'docs/man/jails.json.5': jailsManual(version),
  'jails.schema.json': await format(JSON.stringify(jsonSchema()), options),
};
for (const [file, text] of Object.entries(pages)) writeFileSync(join(root, file), text);
process.stdout.write(`${Object.keys(pages).length} files written: ${Object.keys(pages).join(', ')}\n`);
