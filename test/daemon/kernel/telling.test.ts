// Many networks are told together, and the next are compared meanwhile.
import { expect, test } from 'vitest';
import { ipv4 } from '../../../src/address.ts';
import { tellOf, type Telling } from '../../../src/daemon/kernel/telling.ts';
import type { Change } from '../../../src/firewall/contract.ts';
import type { Network } from '../../../src/model.ts';

const scope = { protocol: 'any', ports: [] } as const;
const crowd = (count: number): Network[] => Array.from({ length: count }, (_, n) => ipv4(0x0a000000 + n));

/** A kernel that answers when it is let. */
function stage() {
  const held = new Set<string>();
  const compared: string[] = [];
  const told: string[] = [];
  const batches: { size: number; answer: (error?: Error) => void; comparedBefore: number }[] = [];
  const telling: Telling = {
    now: () => 0,
    changesOf(network) {
      compared.push(network.text);
      return held.has(network.text)
        ? [{ what: 'release', scope, network }]
        : [{ what: 'block', scope, network, until: undefined }];
    },
    apply: (changes: readonly Change[]) =>
      new Promise((resolve, reject) => {
        const answer = (error?: Error): void => {
          if (error) return reject(error);
          for (const { what, network } of changes)
            if (what === 'block') held.add(network.text);
            else held.delete(network.text);
          resolve();
        };
        batches.push({ size: changes.length, answer, comparedBefore: compared.length });
      }),
    told: (networks) => void told.push(...Array.from(networks, ({ text }) => text)),
  };
  return { held, compared, told, batches, telling };
}

async function until(isSo: () => boolean): Promise<void> {
  for (let turns = 0; turns < 1_000 && !isSo(); turns++) await new Promise(setImmediate);
  expect(isSo()).toBe(true);
}

test('the next ones are compared while the kernel works on the first five thousand, and wait for it', async () => {
  const { batches, compared, told, held, telling } = stage();
  const networks = crowd(17_000);
  const done = tellOf(networks.values(), telling);
  await until(() => compared.length === 15_000);
  expect(batches.map(({ size }) => size)).toEqual([5_000]);
  expect(told).toHaveLength(0);
  batches[0]!.answer();
  await until(() => batches.length === 2);
  expect(told).toHaveLength(5_000);
  batches[1]!.answer();
  await until(() => batches.length === 3);
  batches[2]!.answer();
  expect(batches.map(({ size }) => size)).toEqual([5_000, 10_000, 2_000]);
  expect(await done).toBeUndefined();
  expect([...held].toSorted()).toEqual(networks.map(({ text }) => text).toSorted());
  expect(told).toHaveLength(17_000);
});

test('a network that the kernel is just told of is compared again only when it has been', async () => {
  const { batches, compared, held, telling } = stage();
  const networks = crowd(5_000);
  const again = networks[17]!;
  const done = tellOf([...networks, again].values(), telling);
  await until(() => batches.length === 1);
  await new Promise(setImmediate);
  expect(compared).toHaveLength(5_000);
  batches[0]!.answer();
  await until(() => batches.length === 2);
  // By then it was held: what is wanted differs from that, not from what was before.
  expect(compared.at(-1)).toBe(again.text);
  batches[1]!.answer();
  expect(await done).toBeUndefined();
  expect(held.has(again.text)).toBe(false);
  expect(held.size).toBe(4_999);
});

test('what is under way, compared or still to come when the kernel fails is left, and nothing that was told', async () => {
  const { batches, compared, told, telling } = stage();
  const networks = crowd(27_000);
  const done = tellOf(networks.values(), telling);
  await until(() => batches.length === 1);
  batches[0]!.answer();
  await until(() => batches.length === 2 && compared.length === 25_000);
  batches[1]!.answer(new Error('no answer'));
  const failed = await done;
  expect(failed?.why).toEqual(new Error('no answer'));
  expect([...failed!.left.keys()].toSorted()).toEqual(
    networks
      .slice(5_000)
      .map(({ text }) => text)
      .toSorted(),
  );
  expect(told).toHaveLength(5_000);
  expect(batches).toHaveLength(2);
});
