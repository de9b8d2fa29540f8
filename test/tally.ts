// A vitest reporter that says nothing and counts: how many passed, failed and were left out, written as JSON to the
// file that BAILIFF_TALLY names. test/run.ts adds it to its own counts.
import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

export interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

function tallyOf(modules: readonly TestModule[], outside: number): Tally {
  const count = (module: TestModule, state: 'passed' | 'failed' | 'skipped') =>
    [...module.children.allTests(state)].length;
  const tally: Tally = { passed: 0, failed: outside, skipped: 0 };
  for (const module of modules) {
    const failed = count(module, 'failed');
    tally.passed += count(module, 'passed');
    tally.skipped += count(module, 'skipped');
    // A file that can't be loaded, or whose hooks fail, has no failed test.
    tally.failed += failed > 0 || module.ok() ? failed : 1;
  }
  return tally;
}

export default class TallyReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const file = process.env['BAILIFF_TALLY'];
    if (file !== undefined) writeFileSync(file, JSON.stringify(tallyOf(modules, errors.length)));
  }
}
