import { describe, expect, it } from 'vitest';
import { createMisfits } from '../../../src/daemon/intake/misfits.ts';

describe('the lines of a log that are of no known form', () => {
  it('are a fault when they are more than half of at least twenty', () => {
    const misfits = createMisfits();
    misfits.observe(19, 19);
    expect(misfits.isFault()).toBe(false);
    misfits.observe(1, 1);
    expect(misfits.isFault()).toBe(true);
    misfits.observe(20, 0);
    expect(misfits.isFault()).toBe(false);
    misfits.observe(1, 1);
    expect(misfits.isFault()).toBe(true);
  });

  it('are a fault soon after years of lines that fitted, and none soon after they fit again', () => {
    const misfits = createMisfits();
    for (let chunk = 0; chunk < 10_000; chunk++) misfits.observe(600, 0);
    for (let line = 0; line < 250; line++) misfits.observe(1, 1);
    expect(misfits.isFault()).toBe(true);
    misfits.observe(600, 0);
    expect(misfits.isFault()).toBe(false);
  });
});
