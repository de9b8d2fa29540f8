import { existsSync, readFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { watchAddresses } from '../../../src/daemon/host/address-watch.ts';
import { createFaults } from '../../../src/daemon/telling/faults.ts';
import type { Host } from '../../../src/daemon/host/host.ts';
import { followOwnAddresses } from '../../../src/daemon/host/own-addresses.ts';
import { createProtection } from '../../../src/daemon/host/protection.ts';
import { createClock, createExec } from '../../../src/daemon/system.ts';
import { parseNetwork } from '../../../src/address.ts';
import { silentLog } from '../../../src/ports.ts';
import type { Child, Exec } from '../../../src/ports.ts';
import { needs } from '../../support/programs.ts';
import { eventually } from '../../support/run.ts';
import { createTestClock } from '../clock.ts';

const listener = () => ({
  changed: vi.fn<() => void>(),
  following: vi.fn<() => void>(),
  lost: vi.fn<(why: string) => void>(),
});

/** A child that says what the test has it say. This process has no netlink socket of its own: it never listens. */
function puppet() {
  let say: (text: string) => void = () => {};
  let end: (why: string) => void = () => {};
  const started: string[][] = [];
  const child: Child = {
    pid: process.pid,
    write: () => {},
    onOutput: (hear) => void (say = hear),
    onExit: (hear) => void (end = hear),
    hold: () => {},
    kill: () => {},
  };
  const exec: Exec = {
    find: (program) => `/usr/sbin/${program}`,
    run: () => Promise.reject(new Error('not asked for')),
    spawn(file, args) {
      started.push([file, ...args]);
      return child;
    },
  };
  return { exec, started, say: (text: string) => say(text), end: (why: string) => end(why) };
}

test('a burst of announcements is told once, and again for what comes after', () => {
  const clock = createTestClock(0);
  const { exec, say } = puppet();
  const heard = listener();
  const stop = watchAddresses(exec, clock, heard);
  for (let n = 0; n < 1000; n++)
    say(`[ADDR]${n}: veth${n}    inet 192.0.2.${n % 250}/24 scope global veth${n}\n`);
  clock.advance(99);
  expect(heard.changed).not.toHaveBeenCalled();
  clock.advance(1);
  expect(heard.changed).toHaveBeenCalledTimes(1);
  say('[LINK]7: eth0: <BROADCAST,UP,LOWER_UP> mtu 1500\n');
  clock.advance(100);
  expect(heard.changed).toHaveBeenCalledTimes(2);
  say('[ADDR]Deleted 7: eth0    inet 192.0.2.5/24\n');
  stop();
  clock.advance(1_000);
  expect(heard.changed).toHaveBeenCalledTimes(2);
});

test("of routes only the default ones are told; a line that comes in pieces is one, and one that isn't understood counts", () => {
  const clock = createTestClock(0);
  const { exec, say } = puppet();
  const heard = listener();
  watchAddresses(exec, clock, heard);
  const told = (...pieces: string[]): number => {
    heard.changed.mockClear();
    for (const piece of pieces) say(piece);
    clock.advance(100);
    return heard.changed.mock.calls.length;
  };
  expect(told('[ROUTE]198.51.100.0/24 via 192.0.2.1 dev eth0 proto bgp\n'.repeat(50))).toBe(0);
  expect(told('[ROUTE]Deleted 198.51.100.0/24 via 192.0.2.1 dev eth0\n')).toBe(0);
  expect(told('[ROUTE]def')).toBe(0);
  expect(told('ault via 192.0.2.1 dev eth0\n')).toBe(1);
  expect(told('[ROUTE]Deleted default via fe80::1 dev eth0 metric 1024\n')).toBe(1);
  expect(told('netlink receive error No buffer space available (105)\n')).toBe(1);
  expect(told('x'.repeat(70_000))).toBe(1);
});

test('one that ends is started again, ever later; without setpriv, should that be why', () => {
  const clock = createTestClock(0);
  const { exec, started, say, end } = puppet();
  const heard = listener();
  const stop = watchAddresses(exec, clock, heard);
  const words = 'ip -o monitor label link address route';
  expect(started.map((each) => each.join(' '))).toEqual([
    `/usr/sbin/setpriv --pdeathsig KILL /usr/sbin/${words}`,
  ]);
  say('setpriv: activate capabilities: Operation not permitted\n');
  end('exit 127');
  expect(started.slice(1).map((each) => each.join(' '))).toEqual([`/usr/sbin/${words}`]);
  expect(heard.lost).not.toHaveBeenCalled();
  for (const [index, pause] of [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000].entries()) {
    say('Object "monitor" is unknown, try "ip help".\n');
    end('exit 255');
    expect(heard.lost).toHaveBeenCalledTimes(index + 1);
    clock.advance(pause - 1);
    expect(started).toHaveLength(index + 2);
    clock.advance(1);
    expect(started).toHaveLength(index + 3);
  }
  expect(heard.lost).toHaveBeenLastCalledWith('Object "monitor" is unknown, try "ip help".');
  expect(new Set(started.slice(1).map((each) => each.join(' ')))).toEqual(new Set([`/usr/sbin/${words}`]));
  stop();
  clock.advance(600_000);
  expect(started).toHaveLength(10);
});

test('one that never listens is given up after ten seconds', () => {
  const clock = createTestClock(0);
  const heard = listener();
  watchAddresses(puppet().exec, clock, heard);
  clock.advance(9_999);
  expect(heard.lost).not.toHaveBeenCalled();
  clock.advance(1);
  expect(heard.lost).toHaveBeenCalledWith('ip does not listen');
  expect(heard.following).not.toHaveBeenCalled();
});

needs(
  'root',
  'ip',
  'setpriv',
)('the real one', () => {
  test('listens without any privilege', async () => {
    const exec = createExec();
    const nobody = [
      '--reuid=65534',
      '--regid=65534',
      '--clear-groups',
      '--bounding-set=-all',
      '--inh-caps=-all',
    ];
    const heard = listener();
    let pid: number | undefined;
    const stop = watchAddresses(
      {
        ...exec,
        spawn(file, args) {
          const child = exec.spawn(exec.find('setpriv')!, [...nobody, file, ...args]);
          pid = child?.pid;
          return child;
        },
      },
      createClock(),
      heard,
    );
    await eventually(
      'it listens',
      () => heard.following.mock.calls.length > 0 || heard.lost.mock.calls.length > 0,
    );
    expect(heard.lost).not.toHaveBeenCalled();
    expect(readFileSync(`/proc/${pid}/status`, 'latin1')).toMatch(/^Uid:\t65534\t[^]*^CapEff:\t0+$/m);
    stop();
    await eventually('it has ended', () => !existsSync(`/proc/${pid}`));
  });
});

/** A host whose addresses a test sets; the looks at it are counted. */
function world(watch: Host['watch']) {
  const clock = createTestClock(0);
  const faults = createFaults(clock);
  let looks = 0;
  let own: string[] = [];
  const host = {
    watch,
    resolver: { resolve: () => Promise.reject(new Error('not asked for')) },
    protectedNetworks: () => {
      looks++;
      return own.map((text) => ({ network: parseNetwork(text)!.network, why: 'an address of this host' }));
    },
  };
  const list = { networks: [], names: [] };
  const protection = createProtection(list, [], host);
  const onChange = vi.fn<() => void>();
  const stop = followOwnAddresses({ host, protection, clock, log: silentLog, faults }, onChange);
  looks = 0;
  return {
    ...{ clock, faults, protection, onChange, stop },
    looks: () => looks,
    become: (...addresses: string[]) => void (own = addresses),
  };
}

test('where there is no ip the addresses are looked at every half minute, and status says so', () => {
  const { exec } = puppet();
  // The watch's own time stands still: when it tries again, that is a look too.
  const standing = createTestClock(0);
  const { clock, faults, protection, onChange, looks, become, stop } = world((listener) =>
    watchAddresses({ ...exec, find: () => undefined }, standing, listener),
  );
  expect(faults.list()).toMatchObject([
    { code: 'W_HOST_POLLED', message: expect.stringContaining('there is no ip on this host') },
  ]);
  become('192.0.2.5');
  clock.advance(29_999);
  expect(looks()).toBe(0);
  clock.advance(1);
  expect(protection.whyProtected(parseNetwork('192.0.2.5')!.network)).toContain('an address of this host');
  expect(onChange).toHaveBeenCalledTimes(1);
  clock.advance(300_000);
  expect(looks()).toBe(11);
  expect(onChange).toHaveBeenCalledTimes(1);
  stop();
  clock.advance(300_000);
  expect(looks()).toBe(11);
});

test('while announcements are heard only the ten-minute poll is left', () => {
  let tell!: Parameters<Host['watch']>[0];
  const { clock, faults, onChange, looks, become } = world((listener) => {
    tell = listener;
    return () => {};
  });
  tell.following();
  expect(looks()).toBe(1);
  clock.advance(599_999);
  expect(looks()).toBe(1);
  clock.advance(1);
  expect(looks()).toBe(2);
  become('192.0.2.5');
  tell.changed();
  expect(onChange).toHaveBeenCalledTimes(1);
  tell.lost('exit 1');
  expect(faults.list()).toMatchObject([{ code: 'W_HOST_POLLED' }]);
  clock.advance(30_000);
  expect(looks()).toBe(5);
  tell.following();
  expect(faults.list()).toEqual([]);
});
