// bin/bailiff's flags, set once Node's own modules are there: with other flags than those that it was built with, Node can't
// use the code of theirs that it has ready, and to compile it anew would be a quarter of what a start costs.
import { globSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';

// What Node loads only when it is asked for.
void [globalThis.Request, globalThis.TextDecoder, globSync('/')];

for (const flag of [
  '--enable-experimental-regexp-engine',
  '--enable-experimental-regexp-engine-on-excessive-backtracks',
  '--regexp-backtracks-before-fallback=300',
])
  setFlagsFromString(flag);
