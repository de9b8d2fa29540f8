// The real doors: programs of this host, real processes.
import { describe, expect, it } from 'vitest';
import { createClock, createExec } from '../../src/daemon/system.ts';

const exec = createExec();
const run = (file: string, args: readonly string[], timeout = 20_000, input?: string) =>
  exec.run({ file, args, timeout, ...(input === undefined ? {} : { input }) });

describe('a program that is run', () => {
  it('gets its input and arguments as they are, and no shell reads them', async () => {
    expect(await run('/usr/bin/cat', [], 20_000, 'line\n$(id)')).toEqual({
      outcome: 'exited',
      code: 0,
      stdout: 'line\n$(id)',
      stderr: '',
    });
    expect((await run('/usr/bin/printf', ['%s', '$(id); `id` > x'])).stdout).toBe('$(id); `id` > x');
  });

  it('sees a fixed environment and nothing of ours', async () => {
    const { stdout } = await run('/usr/bin/env', []);
    expect(stdout.trim().split('\n').toSorted()).toEqual([
      'HOME=/nonexistent',
      'LANG=C',
      'PATH=/usr/sbin:/usr/bin:/sbin:/bin',
    ]);
  });

  it('has a result of the same shape when it fails, is missing, or is no program', async () => {
    expect(await run('/usr/bin/cat', ['/nonexistent'])).toMatchObject({
      outcome: 'exited',
      code: 1,
      stderr: expect.stringContaining('No such file'),
    });
    expect(await run('/nonexistent', [])).toMatchObject({ outcome: 'not-started', stderr: 'ENOENT' });
    expect(await run('/etc/passwd', [])).toMatchObject({ outcome: 'not-started', stderr: 'EACCES' });
  });

  it('is killed when its time is over, and so does one that says too much', async () => {
    expect(await run('/usr/bin/sleep', ['1000'], 20)).toMatchObject({ outcome: 'timeout', code: undefined });
    const { code, stderr } = await run('/usr/bin/cat', ['/dev/zero'], 60_000);
    expect(code).toBeGreaterThan(128);
    expect(stderr).toContain('bytes of output');
  }, 60_000);

  it('may end without reading its input', async () => {
    expect(await run('/usr/bin/true', [], 20_000, 'x'.repeat(1_000_000))).toMatchObject({ code: 0 });
  });

  it('hands on what it says piece by piece where that is asked for, however much it is', async () => {
    const [megabyte, many] = [2 ** 20, 70];
    let [size, largest] = [0, 0];
    const ran = await exec.run({
      ...{ file: '/usr/bin/head', args: ['-c', String(many * megabyte), '/dev/zero'], timeout: 60_000 },
      output(text) {
        size += text.length;
        largest = Math.max(largest, text.length);
      },
    });
    expect(ran).toEqual({ outcome: 'exited', code: 0, stdout: '', stderr: '' });
    expect(size).toBe(many * megabyte);
    expect(largest).toBeLessThan(megabyte);
  });
});

describe('a program that stays', () => {
  it('says what it says on both outputs in one order, and its end comes after its last words', async () => {
    const script =
      'print "out $_\\n" and print STDERR "err $_\\n" for 1..200; <STDIN>; print "bye\\n"; exit 3';
    const child = exec.spawn('/usr/bin/perl', ['-e', `$| = 1; ${script}`])!;
    let heard = '';
    child.onOutput((text) => void (heard += text));
    const ended = new Promise<string>((resolve) => child.onExit(resolve));
    child.write('go\n');
    expect(await ended).toBe('exit 3');
    const numbers = Array.from({ length: 200 }, (_, index) => index + 1);
    expect(heard).toBe(`${numbers.map((n) => `out ${n}\nerr ${n}\n`).join('')}bye\n`);
  });

  it('can be killed, and may be written to after its end', async () => {
    const child = exec.spawn('/usr/bin/cat', [])!;
    const ended = new Promise<string>((resolve) => child.onExit(resolve));
    child.kill();
    expect(await ended).toBe('SIGKILL');
    child.write('too late\n');
  });

  it('reads what it is laid, each text in place of the one before', async () => {
    const child = exec.spawn('/bin/sh', ['-c', 'while read -r path; do cat "$path"; echo .; done'], true)!;
    let heard = '';
    let hear = (): void => {};
    child.onOutput((text) => {
      heard += text;
      if (heard.endsWith('.\n')) hear();
    });
    const ended = new Promise<string>((resolve) => child.onExit(resolve));
    const texts = [`${'long '.repeat(100_000)}\n`, 'short\n', 'ünï\n'];
    for (const text of texts) {
      const answered = new Promise<void>((resolve) => (hear = resolve));
      child.write(`${child.lay!(text)}\n`);
      await answered;
    }
    expect(heard).toBe(texts.map((text) => `${text}.\n`).join(''));
    child.kill();
    await ended;
    expect(child.lay!('too late')).toBeUndefined();
    expect(exec.spawn('/usr/bin/true', [])!.lay).toBeUndefined();
  });

  it('waits while it is held, and has lost nothing afterwards', async () => {
    const words = `${'x'.repeat(4_000_000)}written\n`;
    const talk = (isHeld: boolean) => {
      const child = exec.spawn('/usr/bin/perl', [
        '-e',
        '$| = 1; print "x" x 4_000_000; print STDERR "written\\n"',
      ])!;
      const talker = { child, heard: '', hasEnded: false, ended: Promise.resolve('') };
      child.onOutput((text) => {
        // At its first piece: more than this one and what is on its way doesn't come.
        if (isHeld && talker.heard === '') child.hold(true);
        talker.heard += text;
      });
      talker.ended = new Promise((resolve) => child.onExit(resolve));
      void talker.ended.then(() => (talker.hasEnded = true));
      return talker;
    };
    const held = talk(true);
    const other = talk(false);
    // Whoever began later and isn't held has said all there is by then.
    expect(await other.ended).toBe('exit 0');
    expect(other.heard).toBe(words);
    expect(held.hasEnded).toBe(false);
    expect(held.heard.length).toBeLessThan(500_000);
    held.child.hold(false);
    expect(await held.ended).toBe('exit 0');
    expect(held.heard).toBe(words);
  });

  it('is undefined where it cannot be started', () => {
    expect(exec.spawn('/nonexistent', [])).toBeUndefined();
  });
});

describe('programs', () => {
  it('are found in the system folders only, and only where they can be run', () => {
    expect(exec.find('cat')).toBe('/usr/bin/cat');
    expect(exec.find('no-such-program')).toBeUndefined();
  });
});

describe('the clock', () => {
  it('runs a task once when it is due, and not at all when it was cancelled', async () => {
    const clock = createClock();
    const before = clock.monotonic();
    const ran: string[] = [];
    await new Promise<void>((resolve) => {
      clock.schedule(1, () => ran.push('cancelled'))();
      clock.schedule(5, () => ran.push('kept'));
      clock.schedule(20, resolve);
      // Nothing waits for this one: the clock's own timers don't keep a process alive, and it does until they came.
      setTimeout(() => {}, 1_000);
    });
    expect(ran).toEqual(['kept']);
    expect(clock.monotonic()).toBeGreaterThan(before);
  });

  it('does not take a delay of months, or for ever, for none', async () => {
    const clock = createClock();
    const ran: string[] = [];
    const cancels = [2 ** 31, 1e12, Infinity].map((delay) =>
      clock.schedule(delay, () => ran.push(`${delay}`)),
    );
    // The system's own timers are what is tested: a delay that overflowed would come after 1 ms, and so before this.
    await new Promise((resolve) => setTimeout(resolve, 20));
    for (const cancel of cancels) cancel();
    expect(ran).toEqual([]);
  });
});
