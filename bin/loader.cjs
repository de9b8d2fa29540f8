'use strict';
// dist/cli/main.js: loads the program's parts together with the code that V8 made of them when they were built (bin/code.ts).
// Node's own loader would have V8 read all of a part before it runs a line of it (docs/decisions/0059).
const { readFileSync } = require('node:fs');
const { dirname, join } = require('node:path');
const { Script } = require('node:vm');

const loaded = new Map();

/** @returns what a part exports; half of it to a part that it has called for itself, as in any CommonJS module. */
function load(file) {
  const known = loaded.get(file);
  if (known) return known.exports;
  const part = { exports: {} };
  loaded.set(file, part);
  // The build leaves only ASCII in it.
  const text = `(function (exports, require, module, __filename, __dirname) {${readFileSync(file, 'latin1')}\n})`;
  // V8 looks whether it made the code itself, with the same flags, for a text as long as this one; else it makes it anew.
  const script = new Script(text, { filename: file, cachedData: codeOf(file) });
  const folder = dirname(file);
  const requireFrom = (name) => (name.startsWith('.') ? load(join(folder, name)) : require(name));
  script.runInThisContext().call(part.exports, part.exports, requireFrom, part, file, folder);
  return part.exports;
}

/** Bytecode that was made on one kind of processor may not do on another. */
function codeOf(file) {
  try {
    return readFileSync(`${file}.${process.arch}.code`);
  } catch {
    return undefined;
  }
}

load(join(__dirname, 'program.js'));
