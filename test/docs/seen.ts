// Holds what a page says will be seen against what was seen. Times, ages and process numbers differ from run to run: they
// are compared by their form. `…` in a line stands for any text, a line of `…` alone for any lines.

const SHAPES: readonly (readonly [RegExp, string])[] = [
  [/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?/g, 'INSTANT'],
  [/\b\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}/g, 'INSTANT'],
  [/\b\d\d:\d\d:\d\d\b/g, 'INSTANT'],
  [/\bpid \d+/g, 'pid N'],
  [/\b\d+(\.\d+)?(s|m|h)( ago)\b/g, 'AGE'],
];

function shapeOf(line: string): string {
  return SHAPES.reduce((text, [pattern, shape]) => text.replace(pattern, shape), line)
    .replace(/\s+/g, ' ')
    .trim();
}

function linesOf(text: string): string[] {
  const lines = text.split('\n').map(shapeOf);
  while (lines.at(-1) === '') lines.pop();
  while (lines[0] === '') lines.shift();
  return lines;
}

/** @returns the first expected line that isn't there, or the first one there that wasn't expected; else undefined. */
export function difference(expected: string, actual: string): string | undefined {
  const [want, got] = [linesOf(expected), linesOf(actual)];
  // How many of the lines that were seen the expected lines so far can account for.
  let reached = new Set([0]);
  for (const line of want) {
    const next = new Set<number>();
    for (const at of reached) {
      if (line === '…') for (let any = at; any <= got.length; any++) next.add(any);
      else if (at < got.length && fits(line, got[at]!)) next.add(at + 1);
    }
    if (next.size === 0) return `not seen: ${line}`;
    reached = next;
  }
  if (reached.has(got.length)) return undefined;
  return `seen, but not told: ${got[Math.max(...reached)]}`;
}

/** Whether the pieces between the `…` stand in the line in their order, the first at its start, the last at its end. */
function fits(pattern: string, line: string): boolean {
  const pieces = pattern.split('…');
  const [first, last] = [pieces[0]!, pieces.at(-1)!];
  if (pieces.length === 1) return pattern === line;
  if (line.length < first.length + last.length) return false;
  if (!line.startsWith(first) || !line.endsWith(last)) return false;
  let at = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = line.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return at <= line.length - last.length;
}
