// A child that is told line by line: when it is started, and when it goes.
import { expect, it } from 'vitest';
import { createSession } from '../../src/firewall/session.ts';
import type { Exec } from '../../src/ports.ts';
import { createTestClock } from '../daemon/clock.ts';

function world() {
  const clock = createTestClock(0);
  const killed: number[] = [];
  const ended: number[] = [];
  let started = 0;
  const exec: Exec = {
    find: (program) => `/usr/sbin/${program}`,
    run: () => Promise.reject(new Error('not asked for')),
    spawn() {
      const pid = ++started;
      let say: (text: string) => void = () => {};
      return {
        pid,
        write: () => queueMicrotask(() => say('the answer\n')),
        onOutput: (listener) => void (say = listener),
        hold: () => {},
        onExit: () => {},
        kill: () => void killed.push(pid),
      };
    },
  };
  const session = createSession(exec, clock, {
    program: () => '/usr/sbin/nft',
    args: ['-i'],
    question: 'a question',
    endMark: /^the answer\n/m,
    ended: (pid) => void ended.push(pid),
  });
  return { session, clock, killed, ended };
}

it('goes when it was told nothing for a while, which is told, and the next line starts another', async () => {
  const { session, clock, killed, ended } = world();
  expect(await session.run('a line')).toEqual({ outcome: 'done' });
  clock.advance(9_999);
  expect(await session.run('another line')).toEqual({ outcome: 'done' });
  clock.advance(9_999);
  expect(session.pid).toBe(1);
  expect(killed).toEqual([]);
  clock.advance(1);
  expect(session.pid).toBeUndefined();
  expect([killed, ended]).toEqual([[1], [1]]);
  expect(await session.run('a third line')).toEqual({ outcome: 'done' });
  expect(session.pid).toBe(2);
});

it('is started ahead of a line that is expected, and goes where none comes', async () => {
  const { session, clock, killed } = world();
  session.expect();
  expect(session.pid).toBe(1);
  clock.advance(6_000);
  session.expect();
  clock.advance(6_000);
  expect(await session.run('a line')).toEqual({ outcome: 'done' });
  expect(session.pid).toBe(1);
  clock.advance(10_000);
  expect(killed).toEqual([1]);
  session.expect();
  clock.advance(10_000);
  expect(killed).toEqual([1, 2]);
});
