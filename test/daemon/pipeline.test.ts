// One chunk before several jails: each counts each line once, whether it is told in short or in full.
import { expect, it } from 'vitest';
import { createBans } from '../../src/daemon/bans.ts';
import { createSessions } from '../../src/daemon/intake/sessions.ts';
import { applyChunk, type OnVerdict, type SittingJail } from '../../src/daemon/pipeline.ts';
import type { Filter } from '../../src/filters/contract.ts';
import type { Chunk, Position } from '../../src/model.ts';
import { createPlans } from '../../src/setup/index.ts';
import { filterOf, NOW } from '../filters/engine.ts';
import { EVERYTHING } from '../firewall/conformance.ts';
import { jailWith } from '../jails/support.ts';

const all = filterOf({ name: 'all', layout: 'access', where: {} });
const refused = filterOf({ name: 'refused', layout: 'access', where: { status: 401 } });

function sitting(name: string, maxRetry: number, filters: readonly Filter[]): SittingJail {
  const jail = jailWith({
    rules: { name, maxRetry, findTime: 60_000 },
    ignoring: { edition: () => 1 },
  });
  const config = {
    logs: ['access.log'],
    filters: filters.map((each) => each.definition.name),
    dryRun: false,
  };
  const ready = { rules: jail.rules, filters, config, scope: EVERYTHING } as unknown as SittingJail['ready'];
  return { ready, jail, onlyDetects: false };
}

/** 400 lines of three clients, of which every third is refused, in chunks; what the jails make of them. */
function counted(jails: readonly SittingJail[], onVerdict?: OnVerdict): unknown {
  const plan = createPlans(
    jails,
    ({ ready }) => ready,
    () => [],
  ).for(jails);
  const bans = createBans([], 1);
  const told: unknown[] = [];
  let matches = 0;
  for (let from = 0; from < 400; from += 50) {
    const lines = Array.from({ length: 50 }, (_, i) => {
      const n = from + i;
      const second = String(Math.floor(n / 10) % 60).padStart(2, '0');
      const address = ['198.51.100.7', '2001:db8::7', '203.0.113.9'][n % 5 === 0 ? 0 : (n % 2) + 1]!;
      return `${address} - - [05/Jan/2026:10:11:${second} +0000] "GET / HTTP/1.1" ${n % 3 === 0 ? 401 : 200} 12 "-" "x"\n`;
    });
    const bytes = Buffer.from(lines.join(''), 'latin1');
    const chunk: Chunk = {
      ...{
        source: 'access.log',
        patterns: ['access.log'],
        file: 'access.log',
        firstLine: from + 1,
        lines: 50,
      },
      ...{ bytes, text: bytes.toString('latin1'), position: {} as Position, arrivedAt: NOW, live: true },
      commitFirst: false,
    };
    const journey = applyChunk(chunk, plan, createSessions([]), bans, NOW, onVerdict);
    matches += journey.matches;
    told.push(...journey.bans.map(({ address, jail, since, reason }) => [address.text, jail, since, reason]));
  }
  return { matches, told, jails: jails.map(({ jail }) => [jail.stats, jail.offenders()]) };
}

const courts: Readonly<Record<string, () => SittingJail[]>> = {
  'one that only counts for long': () => [sitting('limit', 100, [all])],
  'a strict one behind it': () => [sitting('limit', 100, [all]), sitting('strict', 12, [all])],
  'a strict one before it': () => [sitting('strict', 5, [all]), sitting('limit', 100, [all])],
  'two filters in one jail': () => [sitting('both', 90, [all, refused]), sitting('refused', 30, [refused])],
};

it.each(Object.entries(courts))('counts alike in short and in full: %s', (_, court) => {
  const inShort = counted(court());
  // Where somebody hears of verdicts, each match comes in full.
  let verdicts = 0;
  const inFull = counted(court(), () => verdicts++);
  expect(inShort).toEqual(inFull);
  expect(verdicts).toBeGreaterThanOrEqual(400);
  expect(inShort).toMatchObject({
    told: expect.arrayContaining([expect.arrayContaining(['203.0.113.9'])]) as unknown,
  });
});
