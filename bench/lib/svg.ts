// A picture of how figures grow: points joined by lines over two logarithmic axes. Plain SVG, legible on white and on black.

export interface Curve {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Panel {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly curves: readonly Curve[];
}

const WIDTH = 420;
const HEIGHT = 300;
const LEFT = 62;
const RIGHT = 16;
const TOP = 46;
const BOTTOM = 46;
const COLOURS = ['#2f6fb7', '#c2541d', '#2e8b57', '#8a4fbf'];
const MARKS = ['', '6 3', '2 3', '8 3 2 3'];

/** The panels side by side. */
export function picture(panels: readonly Panel[]): string {
  const width = WIDTH * panels.length;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${HEIGHT}" font-family="sans-serif" font-size="11">`,
    `<rect width="${width}" height="${HEIGHT}" fill="#ffffff"/>`,
    ...panels.map(
      (panel, index) => `<g transform="translate(${index * WIDTH} 0)">\n${drawn(panel).join('\n')}\n</g>`,
    ),
    '</svg>',
    '',
  ].join('\n');
}

function drawn({ title, x, y, curves }: Panel): string[] {
  const all = curves.flatMap(({ points }) => points);
  const [across, up] = [axis(all.map(([value]) => value)), axis(all.map(([, value]) => value))];
  const left = (value: number): number => LEFT + across.part(value) * (WIDTH - LEFT - RIGHT);
  const top = (value: number): number => HEIGHT - BOTTOM - up.part(value) * (HEIGHT - TOP - BOTTOM);
  const text = (at: [number, number], words: string, more = ''): string =>
    `<text x="${at[0].toFixed(1)}" y="${at[1].toFixed(1)}" fill="#333333" ${more}>${escaped(words)}</text>`;
  const rule = (from: [number, number], to: [number, number]): string =>
    `<path d="M${from.map((n) => n.toFixed(1)).join(' ')}L${to.map((n) => n.toFixed(1)).join(' ')}" stroke="#dddddd"/>`;
  return [
    text([LEFT, 18], title, 'font-size="13" font-weight="bold"'),
    ...across.marks.flatMap((value) => [
      rule([left(value), TOP], [left(value), HEIGHT - BOTTOM]),
      text([left(value), HEIGHT - BOTTOM + 15], short(value), 'text-anchor="middle"'),
    ]),
    ...up.marks.flatMap((value) => [
      rule([LEFT, top(value)], [WIDTH - RIGHT, top(value)]),
      text([LEFT - 6, top(value) + 4], short(value), 'text-anchor="end"'),
    ]),
    text([(LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12], x, 'text-anchor="middle"'),
    `<text transform="translate(14 ${HEIGHT / 2}) rotate(-90)" text-anchor="middle" fill="#333333">${escaped(y)}</text>`,
    ...curves.flatMap(({ name, points }, index) => {
      const [colour, dashes] = [COLOURS[index % COLOURS.length]!, MARKS[index % MARKS.length]!];
      const path = points.map(([a, b]) => `${left(a).toFixed(1)} ${top(b).toFixed(1)}`).join('L');
      const key = LEFT + index * 110;
      return [
        `<path d="M${path}" fill="none" stroke="${colour}" stroke-width="2" stroke-dasharray="${dashes}"/>`,
        ...points.map(
          ([a, b]) =>
            `<circle cx="${left(a).toFixed(1)}" cy="${top(b).toFixed(1)}" r="3" fill="${colour}"><title>${escaped(`${name}: ${short(a)}, ${short(b)}`)}</title></circle>`,
        ),
        `<path d="M${key} 34h22" stroke="${colour}" stroke-width="2" stroke-dasharray="${dashes}"/>`,
        text([key + 27, 38], name),
      ];
    }),
  ];
}

/** From the power of ten, or the 2 or 5 between two, below the least to that above the largest. */
function axis(values: readonly number[]): { marks: number[]; part(value: number): number } {
  const steps: number[] = [];
  for (let power = -3; power <= 12; power++) for (const factor of [1, 2, 5]) steps.push(factor * 10 ** power);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const from = steps.findLast((step) => step <= least) ?? least;
  const to = steps.find((step) => step >= most && step > from) ?? most;
  const span = Math.log(to / from);
  const within = steps.filter((step) => step >= from && step <= to);
  // Where there is much between them, powers of ten are enough.
  const marks = within.length > 7 ? within.filter((step) => Number.isInteger(Math.log10(step))) : within;
  return { marks, part: (value) => Math.log(value / from) / span };
}

function short(value: number): string {
  if (value >= 1e6) return `${trimmed(value / 1e6)} M`;
  if (value >= 1e3) return `${trimmed(value / 1e3)} k`;
  return trimmed(value);
}
const trimmed = (value: number): string => String(Number(value.toPrecision(3)));
const escaped = (words: string): string =>
  words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
