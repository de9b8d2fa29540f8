// Writes the pages and schemas that are generated from code (npm run generate). `npm test` fails while one of them is not
// current.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { referencePages } from '../src/api/index.ts';
import { jsonSchema, referencePage } from '../src/config/reference.ts';
import { libraryPage } from '../src/filters/index.ts';
import { describeShelf, openShelf } from '../src/setup/index.ts';

const root = join(import.meta.dirname, '..');

const schema = join(root, 'jails.schema.json');
const options = { ...(await resolveConfig(schema)), filepath: schema };
const pages: Record<string, string> = {
  ...(await referencePages()),
  'docs/config.md': referencePage(),
  'docs/library.md': libraryPage(describeShelf(openShelf([join(root, 'filters')]))),
  'jails.schema.json': await format(JSON.stringify(jsonSchema()), options),
};
for (const [file, text] of Object.entries(pages)) writeFileSync(join(root, file), text);
process.stdout.write(`${Object.keys(pages).length} files written: ${Object.keys(pages).join(', ')}\n`);
