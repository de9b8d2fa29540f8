// Logs that are no access logs: sshd's, and an application's in JSON.
import { existsSync } from 'node:fs';
import { jsonLog, JSON_LITERAL } from '../inputs/json.ts';
import { FIND_TIME, MAX_RETRY } from '../inputs/rules.ts';
import { sshdLog } from '../inputs/sshd.ts';
import type { Bench, Stage } from '../lib/bench.ts';
import { bare, beside, peer, readsOnly, type Peer } from '../lib/beside.ts';
import { inputOf } from '../lib/inputs.ts';
import type { Reading } from '../lib/reading.ts';

const count = { maxRetry: MAX_RETRY, findTime: FIND_TIME };
const PARSER = '/usr/libexec/sshguard/sshg-parser';
/** Its parser alone, which tells of each attack in a line. It knows attacks by its own lights, so they aren't compared. */
function sshguardParser(stage: Stage, path: string): Peer | undefined {
  if (existsSync(PARSER))
    return {
      name: 'sshguard’s parser',
      file: '/bin/sh',
      args: ['-c', `${PARSER} <"$1" | wc -l`, 'sh', path],
    };
  stage.leaveOut('against sshguard’s parser', 'sshguard is not installed');
  return undefined;
}

const sshdInput = (stage: Stage) => inputOf('sshd', stage.small ? 30_000 : 1_000_000, sshdLog());
export const sshdReading = (stage: Stage): Reading => {
  const input = sshdInput(stage);
  const jails = { sshd: { filter: 'sshd', zone: 'UTC', ...count } };
  return { input, jails, verdicts: { sshd: input.truth } };
};

export const sshd: Bench = {
  name: 'sshd',
  what: 'an auth.log of which a third are failed passwords, beside rg -c of these, and sshguard’s parser',
  async run(stage) {
    const input = sshdInput(stage);
    const regex = 'sshd\\[\\d+\\]: Failed password for .* from [0-9a-f.:]+ port \\d+';
    const rg = peer(stage, 'rg', ['-c', regex, input.path], input.truth.matches);
    const reading = sshdReading(stage);
    const others = [
      readsOnly(stage, input.path, 'Failed password'),
      bare(stage, 'sshd', reading),
      sshguardParser(stage, input.path),
    ];
    return beside(stage, 'sshd log', reading, rg, others, 3);
  },
};

const jsonInput = (stage: Stage) => inputOf('json', stage.small ? 30_000 : 1_000_000, jsonLog());
export const jsonReading = (stage: Stage): Reading => {
  const input = jsonInput(stage);
  const jails = { app: { filter: 'app-login-json', ...count } };
  return { input, jails, verdicts: { app: input.truth } };
};

export const json: Bench = {
  name: 'json',
  what: 'an application’s log in JSON of which one line in fifty is a refused log-in, beside rg -c of one literal',
  async run(stage) {
    const input = jsonInput(stage);
    const rg = peer(stage, 'rg', ['-c', '-F', JSON_LITERAL, input.path], input.truth.matches);
    const reading = jsonReading(stage);
    const others = [readsOnly(stage, input.path, JSON_LITERAL), bare(stage, 'json', reading)];
    return beside(stage, 'JSON log', reading, rg, others, 10);
  },
};
