// The comparison as a whole, over a log of our own and a shipped filter.
import { expect, test } from 'vitest';
import { readSamples } from './expectations.ts';
import { digestOf, reportOn } from './report.ts';

const ADMITTED = 'Jan  5 10:11:12 web sshd[812]: Accepted password for ops from 192.0.2.9 port 40022 ssh2';
const UNKNOWN = 'Jan  5 10:11:13 web sshd[813]: The moon is full over 192.0.2.7';
const LOG = `# filterOptions: [{}, {"mode": "aggressive"}]
# failJSON: { "time": "2005-01-05T10:11:12", "match": true, "host": "192.0.2.7" }
Jan  5 10:11:12 web sshd[811]: Failed password for root from 192.0.2.7 port 40022 ssh2
# failJSON: { "match": false }
${ADMITTED}
# failJSON: { "time": "2005-01-05T10:11:13", "match": true, "host": "192.0.2.7" }
${UNKNOWN}
# filterOptions: {"mode": "odd"}
# failJSON: { "match": true, "host": "192.0.2.7" }
Jan  5 10:11:14 web sshd[814]: Something else from 192.0.2.7
`;
const SSHD = { filters: ['sshd'] };
const samples = readSamples('sshd', () => LOG);

test('every line is read in each mode that both have, and the differences are told', () => {
  const report = reportOn(SSHD, samples, []);
  expect(report.lines).toBe(3);
  expect(report.counts).toMatchObject({ agreed: 2, missed: 1, 'other time': 0 });
  expect(report.leftOut).toBe(1);
  expect(report.differences.map(({ mode, outcome, digest, why }) => [mode, outcome, digest, why])).toEqual([
    ['normal', 'missed', digestOf(UNKNOWN), undefined],
    ['aggressive', 'missed', digestOf(UNKNOWN), undefined],
  ]);
});

test('a line counts once, by the worst that it comes to in any mode', () => {
  const log = `# filterOptions: [{}, {"mode": "aggressive"}]
# failJSON: { "match": true, "host": "192.0.2.7" }
Jan  5 10:11:12 web sshd[812]: Connection closed by 192.0.2.7 port 40022 [preauth]
`;
  const { counts, differences } = reportOn(
    SSHD,
    readSamples('sshd', () => log),
    [],
  );
  expect(counts).toMatchObject({ agreed: 0, missed: 1 });
  expect(differences.map(({ mode }) => mode)).toEqual(['normal']);
});

test('a reason is found by the digest of the line, and one that nothing needs is told', () => {
  const why = 'sshd writes no such thing';
  const report = reportOn(SSHD, samples, [{ why, lines: [digestOf(UNKNOWN), digestOf(ADMITTED)] }]);
  expect(report.differences.map((difference) => difference.why)).toEqual([why, why]);
  expect(report.stale).toEqual([digestOf(ADMITTED)]);
});

test('stamps without a zone are read where the samples were written', () => {
  const elsewhere = reportOn({ ...SSHD, zone: 'UTC' }, samples, []);
  expect(elsewhere.counts).toMatchObject({ agreed: 1, missed: 1, 'other time': 1 });
});

test('a line of a journal gets the stamp that it lacks', () => {
  const journal = readSamples(
    'sshd',
    () => `# filterOptions: {"logtype": "journal"}
# failJSON: { "match": true, "host": "192.0.2.7" }
web sshd[811]: Failed password for root from 192.0.2.7 port 40022 ssh2
`,
  );
  expect(reportOn(SSHD, journal, []).counts).toMatchObject({ agreed: 1, missed: 0 });
});
