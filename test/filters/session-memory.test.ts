// The memory of sessions against a plain map, and the ledger's copy of it against itself: whatever is taken, fails to be
// written and is taken again, a ledger that was written last knows exactly what the memory knows.
import { expect, test } from 'vitest';
import { parseAddress } from '../../src/address.ts';
import { createSessionMemory } from '../../src/filters/index.ts';
import { idOf, sessionId, SessionIndex } from '../../src/filters/session-index.ts';
import type { Indexed } from '../../src/filters/session-index.ts';
import type { KeptSessions, OpenSession } from '../../src/filters/sessions.ts';
import type { Instant } from '../../src/model.ts';

/** Numbers below `below`, from a seed. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const FILTERS = ['f', 'g'];
const IDS = [
  'web[1]',
  'web[12]',
  'web[012]',
  'mail[1]',
  '[1]',
  'web[1] a.B-9',
  'a.B-9',
  '1]',
  'web[]',
  'web',
];
const ADDRESSES = ['192.0.2.7', '2001:db8::7'].map((text) => parseAddress(text)!);
const LIFE = 40;

const keyOf = ({ filter, session }: Pick<OpenSession, 'filter' | 'session'>): string =>
  `${filter} ${session}`;
const copyOf = ({ filter, session, address, waiting, until }: OpenSession): OpenSession => ({
  ...{ filter, session, address, waiting, until },
});

type Taken = ReturnType<KeptSessions['takeUnwritten']>;

function takeFrom(memory: KeptSessions): Taken {
  const taken = memory.takeUnwritten();
  return { ...taken, open: taken.open.map(copyOf) };
}

/** @param heedsWhole what is whole may be written either way. */
function write(
  ledger: Map<string, OpenSession>,
  { open, forgotten, isWhole }: Taken,
  heedsWhole: boolean,
): void {
  if (isWhole && heedsWhole) ledger.clear();
  else for (const each of forgotten) ledger.delete(keyOf(each));
  for (const each of open) {
    ledger.delete(keyOf(each));
    ledger.set(keyOf(each), each);
  }
}

test.each([1, 2, 3, 4, 5, 6, 7, 8])('commits that fail and succeed lose and invent nothing (%i)', (seed) => {
  const random = randomFrom(seed);
  const pick = <T>(all: readonly T[]): T => all[random(all.length)]!;
  let memory = createSessionMemory();
  const ledger = new Map<string, OpenSession>();
  /** What the memory must know, in the order in which it was heard of. */
  const model = new Map<string, OpenSession>();

  const note = (at: Instant, one: OpenSession): void => {
    model.delete(keyOf(one));
    model.set(keyOf(one), one);
    for (const [key, { until }] of model) {
      if (until >= at) break;
      model.delete(key);
    }
  };
  let at = 0;
  let restarts = 0;
  let wholes = 0;
  for (let step = 0; step < 4_000; step++) {
    const [filter, session, address] = [pick(FILTERS), pick(IDS), pick(ADDRESSES)];
    at += random(4);
    const until = at + LIFE;
    const id = sessionId(session);
    const known = model.get(`${filter} ${session}`);
    const current = known && at <= known.until ? known : undefined;
    switch (random(8)) {
      case 0:
        memory.open(filter, id, address, at, until);
        note(at, { filter, session, address, waiting: undefined, until });
        break;
      case 1:
      case 2:
        memory.tell(filter, id, address, at, until);
        if (current?.address !== address || current.until < until)
          note(at, { filter, session, address, waiting: current?.waiting, until });
        break;
      case 3: {
        const counts = (current?.waiting?.counts ?? 0) + 1;
        memory.wait(filter, id, { pattern: 0, counts: 1 }, at, until);
        const waiting = { pattern: 0, counts };
        note(at, { filter, session, address: current?.address, waiting, until });
        break;
      }
      case 4:
        expect(memory.close(filter, id, at)).toEqual(current?.waiting);
        model.delete(`${filter} ${session}`);
        break;
      case 5:
        expect(memory.has(filter, id)).toBe(known !== undefined);
        expect(memory.find(filter, id, at)).toBe(current?.address);
        break;
      default: {
        if (random(4) > 0) break;
        // Lines go on while a commit is under way, and it may come to nothing.
        const taken = takeFrom(memory);
        wholes += Number(taken.isWhole);
        expect(memory.unwritten).toBe(0);
        for (let lines = random(3); lines > 0; lines--) {
          const one = { filter: pick(FILTERS), session: pick(IDS), address: pick(ADDRESSES) };
          memory.open(one.filter, sessionId(one.session), one.address, at, until);
          note(at, { ...one, waiting: undefined, until });
        }
        if (random(3) === 0) memory.restore(taken);
        else write(ledger, taken, random(2) > 0);
        if (random(3) > 0) break;
        write(ledger, takeFrom(memory), random(2) > 0);
        expect([...ledger.values()]).toEqual([...model.values()]);
        if (random(4) > 0) break;
        memory = createSessionMemory([...ledger.values()]);
        restarts++;
      }
    }
    expect(memory.size).toBe(model.size);
  }
  expect(restarts).toBeGreaterThan(5);
  expect(wholes).toBeGreaterThan(5);
  memory.rewrite();
  expect(memory.takeUnwritten().open.map(copyOf)).toEqual([...model.values()]);
});

test('what was opened and is over before anybody asks is never written', () => {
  const memory = createSessionMemory();
  memory.open('f', sessionId('web[1]'), ADDRESSES[0]!, 0, 1);
  memory.close('f', sessionId('web[1]'), 0);
  expect(memory.unwritten).toBe(0);
  expect(memory.takeUnwritten()).toEqual({ open: [], forgotten: [], isWhole: true });
});

test('ids are told apart by every character', () => {
  const index = new SessionIndex<Indexed & { readonly id: string }>();
  const ids = [
    ...IDS,
    'web[999999999]',
    'web[1000000000]',
    'web[0]',
    'web[00]',
    'web[1]]',
    'web[2',
    'mail[12]',
  ];
  const kept = ids.map((id) => ({ id, writer: '', number: -1 }));
  for (const one of kept) index.add(sessionId(one.id), one);
  expect(ids.map((id) => index.get(sessionId(id))?.id)).toEqual(ids);
  expect(kept.map(idOf)).toEqual(ids);
  const none = ['web[2]', 'mail[2]', '', ']', '[1', 'we[1]'];
  expect(none.filter((id) => index.get(sessionId(id)))).toEqual([]);
  for (const one of kept) {
    index.remove(one);
    expect(index.get(sessionId(one.id))).toBeUndefined();
  }
});
