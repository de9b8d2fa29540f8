// `npm run test:programs`: real programs, real clients, and our filters over the logs that came of it. With names only these
// cases are played.
//
// Exit status 1 where a verdict is wrong that isn't known to be, where one that is known to be wrong has become right, and
// where a program doesn't start. Cases whose programs can't be had here are left out and counted.
import { fileURLToPath } from 'node:url';
import { printable, utf8 } from '../../src/text.ts';
import { temporaryFolder } from '../support/leftovers.ts';
import { missing } from '../support/programs.ts';
import type { Case } from './case.ts';
import { CASES } from './cases.ts';
import { canFetch, provide } from './packages.ts';
import { canSandbox, createStage, type Outcome, type Stage } from './stage.ts';

/** Where unpacked packages are kept from one time to the next; remove it to have them fetched anew. */
const HOME = fileURLToPath(new URL('../../.bailiff/programs/', import.meta.url));

interface Sum {
  right: number;
  wrong: number;
  known: number;
  leftOut: number;
}

async function main(wanted: readonly string[]): Promise<number> {
  const unknown = wanted.filter((name) => !CASES.some((one) => one.name === name));
  if (unknown.length > 0) {
    console.error(
      `No such case: ${unknown.join(', ')}. There are: ${CASES.map(({ name }) => name).join(', ')}`,
    );
    return 1;
  }
  const chosen = CASES.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
  const logs = chosen.reduce((sum, one) => sum + one.logs.length, 0);
  const folder = temporaryFolder('programs');
  try {
    const why = await whyNot(folder.path);
    if (why !== undefined) {
      console.log(`Left out: all ${logs} logs. ${why}`);
      return process.env['CI'] === 'true' ? 1 : 0;
    }
    const stage = await createStage(folder.path);
    const sum: Sum = { right: 0, wrong: 0, known: 0, leftOut: 0 };
    try {
      for (const one of chosen) await playOne(stage, one, sum);
    } finally {
      await stage.remove();
    }
    return judgement(sum);
  } finally {
    folder.remove();
  }
}

async function whyNot(folder: string): Promise<string | undefined> {
  const lacking = missing(['root', 'ip', 'curl']);
  if (lacking.length > 0) return `Missing here: ${lacking.join(', ')}.`;
  if (!(await canSandbox(folder, HOME))) return 'No overlay can be mounted here in a namespace of its own.';
  return undefined;
}

async function playOne(stage: Stage, one: Case, sum: Sum): Promise<void> {
  if (!canFetch()) {
    sum.leftOut += one.logs.length;
    console.log(`left out  ${one.name}: no apt-get here to fetch ${one.packages.join(', ')}`);
    return;
  }
  const provided = await provide(one.packages, HOME);
  if ('failed' in provided) {
    sum.leftOut += one.logs.length;
    console.log(`left out  ${one.name}: ${one.packages.join(', ')} can't be fetched: ${provided.failed}`);
    return;
  }
  try {
    for (const outcome of await stage.play(one, provided.unpacked)) show(outcome, sum);
  } catch (error) {
    sum.wrong += one.logs.length;
    console.log(`FAILED    ${one.name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function show({ log, expected, got, text }: Outcome, sum: Sum): void {
  const isRight = got.join('\n') === expected.join('\n');
  const heading = `${log.name} by ${log.filters.join(', ')}`;
  if (isRight && log.wrong === undefined) {
    sum.right++;
    console.log(`ok        ${heading}: ${got.length} verdicts`);
  } else if (!isRight && log.wrong !== undefined) {
    sum.known++;
    console.log(`known     ${heading}: ${log.wrong}`);
  } else {
    sum.wrong++;
    console.log(`FAILED    ${heading}${isRight ? ': is right by now, take its `wrong` away' : ''}`);
    const less = (all: readonly string[], these: readonly string[]): string[] => {
      const rest = [...these];
      return all.filter((one) => !rest.includes(one) || rest.splice(rest.indexOf(one), 1).length === 0);
    };
    for (const row of less(expected, got)) console.log(`            missing: ${row}`);
    for (const row of less(got, expected)) console.log(`            too much: ${printable(utf8(row), 300)}`);
    const lines = text.trimEnd().split('\n');
    for (const line of lines.slice(0, 60)) console.log(`            | ${printable(utf8(line), 400)}`);
  }
}

function judgement({ right, wrong, known, leftOut }: Sum): number {
  const more = [
    known > 0 ? `${known} known to be wrong` : '',
    leftOut > 0 ? `${leftOut} left out` : '',
  ].filter((text) => text !== '');
  console.log([`${right} logs right, ${wrong} wrong`, ...more].join(', '));
  return wrong > 0 || (leftOut > 0 && process.env['CI'] === 'true') ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2));
