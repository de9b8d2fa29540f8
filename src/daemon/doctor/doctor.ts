// The host end to end: can bans be enforced, do they have an effect, are the logs what the jails take them for. It looks, and
// changes nothing; it needs no daemon, and asks one that runs.
import type { BanView, DoctorView, StatusView } from '../../api/contract.ts';
import { formatFault } from '../../errors.ts';
import { chooseFirewall, createFirewall, createWitness, readSurroundings } from '../../firewall/index.ts';
import type { FirewallKind } from '../../firewall/index.ts';
import { silentLog } from '../../ports.ts';
import type { Clock, Exec } from '../../ports.ts';
import type { Setup, SetupResult } from '../../setup/index.ts';
import { readSockets } from '../host/sockets.ts';
import { isProblem } from '../telling/remedies.ts';
import { counted, fault, fine, note, unknown } from './findings.ts';
import type { Finding } from './findings.ts';
import {
  checkFirewall,
  checkHooks,
  checkPrivileges,
  isInOtherNetwork,
  mayChangeFirewall,
} from './firewall.ts';
import { checkOverlaps, checkPorts } from './jails.ts';
import { compareWithDaemon, compareWithLedger } from './kernel.ts';
import { checkLogs } from './logs.ts';

export interface Patient {
  readonly result: SetupResult;
  readonly configFile: string;
  /** Where the ledger is. */
  readonly state: string;
  /** What a running daemon answered; `unknown`: there is one that did not, or may not be asked. */
  readonly daemon: StatusView | 'absent' | 'unknown';
  /** Its bans in force. */
  bans(): Promise<readonly BanView[]>;
}

/** Everything that can be looked at, in the order in which things depend on each other. */
export async function examine(patient: Patient, ports: { exec: Exec; clock: Clock }): Promise<DoctorView> {
  const { result, daemon } = patient;
  const status = typeof daemon === 'string' ? undefined : daemon;
  const setup = result.ok ? result.setup : undefined;
  const findings: Finding[] = [
    ...checkConfig(patient),
    ...checkPrivileges(status?.pid),
    ...(status && isInOtherNetwork(status.pid)
      ? [elsewhere(status.pid)]
      : await checkNetwork(patient, setup, ports)),
    ...(setup ? checkOverlaps(setup.jails) : []),
    ...(setup ? checkLogs(setup, ports.clock) : []),
    ...checkDaemon(daemon, ports.clock.now()),
  ];
  return {
    ok: findings.every(({ outcome }) => outcome !== 'fault'),
    daemon: typeof daemon === 'string' ? daemon : 'running',
    findings,
  };
}

/** Whatever a host has once for each of its network namespaces: firewall, sockets, bans in the kernel. */
async function checkNetwork(
  patient: Patient,
  setup: Setup | undefined,
  ports: { exec: Exec; clock: Clock },
): Promise<Finding[]> {
  const { daemon } = patient;
  const { exec } = ports;
  const running = typeof daemon === 'string' ? undefined : daemon.firewall.kind;
  const kind = kernelKind(running ?? (await chooseFirewall(exec)).kind);
  const isPermitted = mayChangeFirewall(process.pid) !== false;
  const surroundings = isPermitted ? await readSurroundings(exec) : undefined;
  const ahead = isPermitted && kind ? await createWitness(kind, exec)?.acceptedAhead() : undefined;
  return [
    ...(await checkFirewall(exec)),
    ...checkHooks(surroundings, ahead),
    ...(setup ? checkPorts(setup.jails, readSockets(), surroundings) : []),
    ...(await checkKernel(patient, kind, isPermitted, ports)),
  ];
}

/** What is seen from here would be another firewall than the daemon's, and its bans would seem to be missing. */
function elsewhere(pid: number): Finding {
  return unknown(
    'kernel',
    `the daemon (pid ${pid}) is in another network namespace: its firewall, hooks, ports and bans in the kernel can't be looked at from here`,
    `Ask from there: nsenter --net --target ${pid} bailiff doctor`,
  );
}

function checkConfig({ result, configFile }: Patient): Finding[] {
  const mend = '"bailiff check" tells every fault with its place.';
  if (!result.ok) {
    const first = result.faults[0] ? `: ${formatFault(result.faults[0])}` : '';
    return [fault('config', 'E_CONFIG', `${result.faults.length} faults in the config${first}`, mend)];
  }
  const { warnings, setup } = result;
  if (warnings.length > 0)
    return [note('config', `${configFile}: no faults, ${counted(warnings.length, 'warning')}`, mend)];
  return [fine('config', `${configFile}: no faults, ${counted(setup.jails.length, 'jail')}`)];
}

function kernelKind(kind: string): Extract<FirewallKind, 'nftables' | 'iptables'> | undefined {
  return kind === 'nftables' || kind === 'iptables' ? kind : undefined;
}

async function checkKernel(
  { result, state, daemon, bans }: Patient,
  kind: FirewallKind | undefined,
  isPermitted: boolean,
  { exec, clock }: { exec: Exec; clock: Clock },
): Promise<Finding[]> {
  const status = typeof daemon === 'string' ? undefined : daemon;
  if (daemon === 'unknown')
    return [unknown('kernel', 'without the daemon it is not known which bans are in force')];
  if (!kind || status?.mode === 'detect-only')
    return [note('kernel', 'nothing is enforced, so there is nothing in the kernel to compare')];
  if (!isPermitted)
    return [
      unknown('kernel', 'this user may not list the bans in the kernel', 'Run "bailiff doctor" as root.'),
    ];
  const firewall = createFirewall(kind, { exec, clock, log: silentLog });
  try {
    if (status) return await compareWithDaemon(firewall, bans);
    return await compareWithLedger(firewall, state, result.ok ? result.setup : undefined, clock.now());
  } finally {
    await firewall.close();
  }
}

/** What the daemon itself complains of. */
function checkDaemon(status: Patient['daemon'], now: number): Finding[] {
  if (status === 'unknown')
    return [
      unknown(
        'daemon',
        'there is a daemon that does not answer, or that this user may not ask',
        'Run "bailiff doctor" as root; "bailiff ping" says what is wrong.',
      ),
    ];
  if (status === 'absent')
    return [
      note(
        'daemon',
        'no daemon answers, so nobody new is banned',
        'Start it: systemctl start bailiff, or "bailiff run".',
      ),
    ];
  const found: Finding[] = [];
  if (status.mode === 'stood-down')
    found.push(
      fault(
        'daemon',
        'E_STOOD_DOWN',
        'nobody is blocked: it was stood down by "bailiff teardown"',
        '"bailiff arm" puts the bans back in force.',
      ),
    );
  else if (status.intent === 'enforcing' && status.mode === 'detect-only')
    found.push(
      fault(
        'daemon',
        'E_FIREWALL_UNAVAILABLE',
        `nobody is blocked: ${status.firewall.fault ?? 'the firewall was never reached'}`,
        'Mend what it says; it is tried again by itself.',
      ),
    );
  else if (status.intent === 'detect-only') found.push(note('daemon', 'it was started to detect only'));
  const standing = [
    ...status.faults.map((each) => ({ ...each, source: '' })),
    ...status.sources.flatMap(({ id, faults }) => faults.map((each) => ({ ...each, source: `${id}: ` }))),
  ];
  for (const { code, message, hint, since, last, source } of standing) {
    const times = { code, since: Date.parse(since), ...(last !== undefined && { last: Date.parse(last) }) };
    const check = code === 'E_BAN_INEFFECTIVE' ? 'effect' : 'daemon';
    if (isProblem(times, now))
      found.push(fault(check, code, `${source}${message}`, hint ?? '"bailiff status" tells more.'));
    else found.push(note(check, `${source}${message}`, hint));
  }
  if (found.every(({ outcome }) => outcome !== 'fault'))
    found.unshift(fine('daemon', `bailiff ${status.version} answers, pid ${status.pid}`));
  return found;
}
