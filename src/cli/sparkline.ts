// A row of numbers as a row of small bars. Pure.

const BARS = '▁▂▃▄▅▆▇█';
const NOTHING = '·';

/**
 * Neighbours are added up so that at most `width` bars remain; the tallest stands for the greatest sum.
 * A sum of nothing is a dot, so that a little is never mistaken for nothing.
 */
export function sparkline(numbers: readonly number[], width: number): string {
  const each = Math.max(1, Math.ceil(numbers.length / width));
  const sums: number[] = [];
  for (let from = 0; from < numbers.length; from += each)
    sums.push(numbers.slice(from, from + each).reduce((sum, one) => sum + one, 0));
  const most = Math.max(...sums, 1);
  return sums.map((sum) => (sum === 0 ? NOTHING : BARS[Math.ceil((sum / most) * BARS.length) - 1])).join('');
}
