// Which program is heard, where there is more than one.
import { expect, test, vi } from 'vitest';
import { followAnnouncements } from '../../../src/daemon/kernel/announcements.ts';
import type { Exec } from '../../../src/ports.ts';
import { createTestClock } from '../clock.ts';

/** No process has so high a pid: nobody listens under it. */
const NOBODY = 2 ** 22 + 1;

function world(...installed: string[]) {
  const started: string[] = [];
  let end: (why: string) => void = () => {};
  const exec: Exec = {
    find: (program) => (installed.includes(program) ? program : undefined),
    run: () => Promise.reject(new Error('not asked for')),
    spawn(file, args) {
      started.push([file, ...args].join(' '));
      return {
        pid: NOBODY,
        write: () => {},
        onOutput: () => {},
        onExit: (hear) => void (end = hear),
        hold: () => {},
        kill: () => {},
      };
    },
  };
  const clock = createTestClock(0);
  const lost = vi.fn<(why: string) => void>();
  const programs = [
    { program: 'perl', args: ['listen'] },
    { program: 'nft', args: ['monitor'] },
  ];
  followAnnouncements({ programs, protocol: 12 }, exec, clock, {
    open: () => () => true,
    following: () => expect.fail('nobody listens'),
    lost,
  });
  return { started, end: (why: string) => end(why), clock, lost };
}

test('where one is missing, the next one is started at once', () => {
  const { started, lost } = world('setpriv', 'nft');
  expect(started).toEqual(['setpriv --pdeathsig KILL nft monitor']);
  expect(lost).not.toHaveBeenCalled();
});

test('one that ends before it listens has the next one follow, on a leash again; after the last it is the first, later', () => {
  const { started, end, clock, lost } = world('setpriv', 'perl', 'nft');
  for (let ends = 0; ends < 3; ends++) end('exit 2');
  expect(started).toEqual([
    'setpriv --pdeathsig KILL perl listen',
    'perl listen',
    'setpriv --pdeathsig KILL nft monitor',
    'nft monitor',
  ]);
  expect(lost).not.toHaveBeenCalled();
  end('exit 3');
  expect(lost.mock.calls).toEqual([['exit 3']]);
  clock.advance(999);
  expect(started).toHaveLength(4);
  clock.advance(1);
  expect(started.slice(4)).toEqual(['perl listen']);
});

test('so has one that runs and never listens', () => {
  const { started, clock, lost } = world('perl', 'nft');
  clock.advance(10_000);
  expect(started).toEqual(['perl listen', 'nft monitor']);
  clock.advance(10_000);
  expect(lost.mock.calls).toEqual([['nft does not listen']]);
});

test('where none is there, that is said', () => {
  const { started, lost } = world('setpriv');
  expect([started, lost.mock.calls]).toEqual([[], [['there is no nft on this host']]]);
});
