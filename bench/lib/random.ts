// Random numbers from a seed: the same input on every machine, every time.

/** @returns a source of whole numbers from 0 to below `below`. */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  // mulberry32, in the public domain (Tommy Ettinger).
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}
