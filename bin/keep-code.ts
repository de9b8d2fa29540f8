// Imported into a run of the built program by bin/code.ts: when the run ends, the code that V8 has made of each part is
// written beside it. That is the code of what ran, also of functions that are compiled when they are first called.
import { writeFileSync } from 'node:fs';
import v8 from 'node:v8';
import vm from 'node:vm';

/** What the program may set, and what is so where nothing is set. */
const UNSET = [
  '--no-enable-experimental-regexp-engine',
  '--no-enable-experimental-regexp-engine-on-excessive-backtracks',
  '--regexp-backtracks-before-fallback=50000',
  '--heap-growing-percent=0',
  '--invocation-count-for-maglev=400',
];

interface Made {
  readonly script: vm.Script;
  readonly file: string;
  /** How many flags were set when it was made: V8 takes the code only where the same ones are set again. */
  readonly flags: number;
  readonly tag: number;
}

const made: Made[] = [];
const flags: string[] = [];
const { setFlagsFromString } = v8;
v8.setFlagsFromString = (flag) => {
  flags.push(flag);
  setFlagsFromString(flag);
};
// The daemon's collection after its start: it would take the code of what ran only once.
vm.runInNewContext = () => () => {};
vm.Script = class extends vm.Script {
  constructor(text: string, options: vm.ScriptOptions) {
    const { cachedData: _, ...rest } = options;
    super(text, rest);
    made.push({
      ...{ script: this, file: options.filename!, flags: flags.length, tag: v8.cachedDataVersionTag() },
    });
  }
};

process.on('exit', () => {
  for (const { script, file, flags: count, tag } of made) {
    for (const flag of [...UNSET, ...flags.slice(0, count)]) setFlagsFromString(flag);
    if (v8.cachedDataVersionTag() !== tag) throw new Error('a flag that is set lacks in bin/keep-code.ts');
    writeFileSync(`${file}.${process.env['CODE_OF']}`, script.createCachedData());
  }
});
