import { afterEach, beforeEach, expect, test } from 'vitest';
import type { LogLine, LogQuery } from '../../src/api/contract.ts';
import { formatLogLine } from '../../src/cli/log-line.ts';
import { HOSTILE, logPage } from '../api/fake-control.ts';
import { startFakeDaemon } from './harness.ts';
import type { FakeDaemon } from './harness.ts';

let daemon: FakeDaemon;
beforeEach(async () => {
  daemon = await startFakeDaemon();
});
afterEach(() => daemon.stop());

const line = (n: number, changes: Partial<LogLine> = {}): LogLine => ({
  ...{ n, at: '2026-01-05T10:11:12.000Z', level: 'info', message: 'ban' },
  facts: { address: '192.0.2.7', nth: 1, why: '5 matches' },
  ...changes,
});

test('logs prints each line as cells, all pages of them', async () => {
  daemon.control.answer('log', ({ after }: LogQuery) =>
    after === 0 ? logPage([line(1)], { next: '1' }) : logPage([line(2, { level: 'warn' })]),
  );
  expect(await daemon.call(['logs'])).toEqual({
    code: 0,
    err: '',
    out:
      '2026-01-05T10:11:12.000Z\tinfo\tban\taddress=192.0.2.7\tnth=1\twhy="5 matches"\n' +
      '2026-01-05T10:11:12.000Z\twarn\tban\taddress=192.0.2.7\tnth=1\twhy="5 matches"\n',
  });
  expect(daemon.control.calls.map(([, query]) => (query as LogQuery).after)).toEqual([0, 1]);
});

test('--json prints one object a line', async () => {
  daemon.control.answer('log', logPage([line(1), line(2)]));
  const { out } = await daemon.call(['logs', '--json']);
  expect(
    out
      .trimEnd()
      .split('\n')
      .map((text) => JSON.parse(text) as LogLine),
  ).toEqual([line(1), line(2)]);
});

test('jail, --level, --since and --lines narrow it', async () => {
  daemon.control.answer('log', logPage([line(1), line(2), line(3)]));
  const { out } = await daemon.call([
    ...['logs', 'sshd', '--level', 'warn', '--since', '2026-01-05T10:00Z', '--lines', '2'],
  ]);
  expect(out.split('\n')).toHaveLength(3);
  expect(daemon.control.calls).toEqual([
    ['log', { jail: 'sshd', level: 'warn', since: '2026-01-05T10:00:00.000Z', after: 0 }],
  ]);
  const before = Date.now();
  await daemon.call(['logs', '--since', '10m']);
  const { since } = daemon.control.calls[1]![1] as LogQuery;
  const ago = before - Date.parse(since!);
  expect(ago).toBeGreaterThan(0);
  expect(ago).toBeLessThanOrEqual(600_000);
});

test.each([
  [['--level', 'wran'], 'did you mean "warn"?'],
  [['--since', 'tomorrow'], 'neither a duration nor an instant'],
  [['--lines', '0'], 'is no count'],
])('%j is wrong usage, and the daemon never hears of it', async (args, sentence) => {
  const { code, out, err } = await daemon.call(['logs', ...args]);
  expect([code, out]).toEqual([2, '']);
  expect(err).toContain(sentence);
  expect(daemon.control.calls).toEqual([]);
});

test('hostile facts, names and messages reach no terminal', async () => {
  const hostile = line(1, { message: HOSTILE, facts: { [HOSTILE]: HOSTILE, list: [HOSTILE] } });
  daemon.control.answer('log', logPage([hostile]));
  const raw = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;
  for (const args of [['logs'], ['logs', '--json']]) {
    const { out } = await daemon.call(args);
    expect(out).toMatch(/^[^\n]+\n$/);
    expect(out).not.toMatch(raw);
  }
  expect(formatLogLine({ terminal: true, color: true }, hostile)).toMatch(
    // The colour's own escape is what must stand there, and no other.
    // oxlint-disable-next-line no-control-regex
    /^2026-01-05 10:11:12Z \u001b\[36minfo \u001b\[39m a\\x1b\[31mb[^\u001b\n]+\n$/,
  );
});

test('--follow goes on from the last line that was looked at, and ends with what is no absence', async () => {
  const asked: LogQuery[] = [];
  const answers = [
    logPage([line(1)], { last: 4 }),
    logPage([line(9)], { last: 9, missed: 4 }),
    new Error('a defect'),
  ];
  daemon.control.answer('log', (query: LogQuery) => {
    const answer = answers[asked.push(query) - 1];
    if (answer instanceof Error) throw answer;
    return answer;
  });
  const { code, err, out } = await daemon.call(['logs', '-f', '--level', 'info']);
  expect([code, out.split('\n').filter(Boolean).length]).toEqual([70, 2]);
  expect(err).toContain('bailiff: 4 lines came too fast and are not kept\n');
  expect(asked).toEqual([
    { level: 'info', after: 0 },
    { level: 'info', after: 4, wait: 20 },
    { level: 'info', after: 9, wait: 20 },
  ]);
});
