// In which order test files begin. On a new machine nobody knows yet how long each takes: Vitest goes by their sizes, and the
// longest of all, which is a short file, would begin last and be waited for alone.
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** A minute and more each. */
const LONGEST = [
  'crash/crash',
  'docs/pages',
  'model/daemon',
  'e2e/weather',
  'fuzz/fuzz',
  'e2e/rearm',
  'filters/processor-time',
  'filters/shipped',
  'firewall/packets',
].map((name) => `/test/${name}.test.ts`);

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const place = LONGEST.findIndex((end) => moduleId.endsWith(end));
      return place < 0 ? LONGEST.length : place;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}
