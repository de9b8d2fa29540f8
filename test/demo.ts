// `npm run demo`: an attack that anyone can watch. Real nginx, a real attacker, the real daemon and the real kernel, in
// network namespaces of their own. It checks what it shows, ends by itself within 30 seconds, and leaves nothing behind.
import { stripVTControlCharacters, styleText } from 'node:util';
import type { BanView } from '../src/api/contract.ts';
import { printable } from '../src/text.ts';
import { startDaemon, type Daemon } from './support/daemon.ts';
import { request, type HttpAnswer } from './support/http.ts';
import { temporaryFolder } from './support/leftovers.ts';
import { createInternet, type Client, type Host } from './support/namespaces.ts';
import { startNginx } from './support/nginx.ts';
import { missing, PACKAGE_OF, program, type Need } from './support/programs.ts';
import { eventually } from './support/run.ts';

const NEEDS: Need[] = ['root', 'ip', 'nft', 'nginx', 'curl'];
const PASSWORDS = ['123456', 'password', 'letmein', 'qwerty', 'hunter2', 'iloveyou', 'admin'];
/** Longer than this it must not take, whatever happens. Seconds; the tests, on a busy machine, give it more. */
const PATIENCE = Number(process.argv[2] ?? 29);

const CONFIG = (accessLog: string) => ({
  defaults: { maxRetry: 5, findTime: '1m', banTime: { first: '7s', factor: 3, max: '1h', forget: '1d' } },
  jails: { login: { filter: 'nginx-login', logs: [accessLog] } },
});

let began = performance.now();
type Style = Parameters<typeof styleText>[0];

/** One line on the screen: when, who, what. */
function show(who: string, what: string, style: Style = 'reset'): void {
  const at = ((performance.now() - began) / 1_000).toFixed(1).padStart(5);
  const line = `${at} s  ${who.padEnd(10)} ${styleText(style, what)}`;
  console.log(process.stdout.isTTY ? line : stripVTControlCharacters(line));
}

/** The demo is no film: where the promise isn't kept, it says so and fails. */
function insist(holds: boolean, promise: string): asserts holds {
  if (!holds) throw new Error(`expected that ${promise}`);
}

function outcome(answer: HttpAnswer): string {
  return answer.outcome === 'answered' ? `→ ${answer.status}` : '→ no answer: the packets are dropped';
}

async function guess(attacker: Client, server: Host, password: string): Promise<HttpAnswer> {
  const url = `http://${server.ipv4}/login`;
  const answer = await request(attacker, url, { method: 'POST', login: `admin:${password}`, patience: 700 });
  const style = answer.outcome === 'answered' ? 'yellow' : 'red';
  show('attacker', `POST /login, password "${password}"  ${outcome(answer)}`, style);
  return answer;
}

/** Guesses until the answers stop. */
async function attack(attacker: Client, server: Host, daemon: Daemon, nth: number): Promise<BanView> {
  for (const password of PASSWORDS.slice(0, 5)) await guess(attacker, server, password);
  const blocked = await daemon.ban(attacker.ipv4, (ban) => ban.nth === nth && ban.state === 'blocked');
  const seconds = (Date.parse(blocked.until ?? '') - Date.parse(blocked.since)) / 1_000;
  show('bailiff', `ban ${blocked.address} in jail ${blocked.jail}, offence no. ${nth}: ${seconds} s`, 'bold');
  show('', `because: ${printable(blocked.reason)}`);
  for (const password of PASSWORDS.slice(5, nth === 1 ? 7 : 6)) {
    const answer = await guess(attacker, server, password);
    insist(answer.outcome !== 'answered', 'a banned attacker gets no answer');
  }
  await showDropped(server);
  return blocked;
}

/** Reads the kernel's own counters, past the daemon. */
async function showDropped(server: Host): Promise<void> {
  const table = await server.runOk(program('nft'), ['list', 'table', 'inet', 'bailiff']);
  const counters = [...table.matchAll(/counter packets (\d+) bytes (\d+) drop/g)];
  const sum = (group: number) => counters.reduce((total, counter) => total + Number(counter[group]), 0);
  insist(sum(1) > 0, 'the kernel has counted dropped packets');
  show('kernel', `has dropped ${sum(1)} packets, ${sum(2)} bytes  (nft list table inet bailiff)`, 'cyan');
}

async function visit(bystander: Client, server: Host): Promise<void> {
  const answer = await request(bystander, `http://${server.ipv4}/`);
  show('bystander', `GET /  ${outcome(answer)}`, 'green');
  insist(answer.outcome === 'answered' && answer.status === 200, 'the bystander is served all along');
}

async function returns(attacker: Client, server: Host, why: string): Promise<void> {
  const url = `http://${server.ipv4}/`;
  const answer = await eventually('the attacker is served again', async () => {
    const got = await request(attacker, url, { patience: 300 });
    return got.outcome === 'answered' && got;
  });
  show('attacker', `GET /  ${outcome(answer)}  (${why})`, 'yellow');
}

async function demo(): Promise<void> {
  const folder = temporaryFolder('demo');
  const internet = await createInternet('attacker', 'bystander');
  const { server, clients } = internet;
  const { attacker, bystander } = clients;
  const nginx = await startNginx(server, folder.path);
  const daemon = await startDaemon({
    folder: `${folder.path}/bailiff`,
    config: CONFIG(nginx.accessLog),
    host: server,
  });

  console.log(`
An attack, in network namespaces of its own. It ends by itself within 30 s and leaves nothing behind.

  server     ${server.ipv4.padEnd(14)} real nginx, and Bailiff following its access log: 5 failures ban
  attacker   ${attacker.ipv4.padEnd(14)} guesses passwords
  bystander  ${bystander.ipv4.padEnd(14)} an honest visitor
`);
  began = performance.now();
  await visit(bystander, server);
  const first = await attack(attacker, server, daemon, 1);
  await visit(bystander, server);
  show('', 'waiting until the sentence is served …', 'dim');
  const over = await daemon.ban(attacker.ipv4, (ban) => ban.id === first.id && ban.state === 'ended');
  show('bailiff', `released ${over.address}: ${over.endedBy ?? 'ended'}`, 'bold');
  await returns(attacker, server, 'and goes on as before');

  const second = await attack(attacker, server, daemon, 2);
  const length = (ban: BanView) => Date.parse(ban.until ?? '') - Date.parse(ban.since);
  insist(length(second) > length(first), 'the second sentence is longer');
  await visit(bystander, server);

  const lifted = await daemon.verb('unban', attacker.ipv4);
  insist(lifted.code === 0, `the ban can be lifted (${lifted.stderr.trim()})`);
  show('operator', `bailiff unban ${attacker.ipv4}`, 'bold');
  await returns(attacker, server, 'the ban is lifted');

  await daemon.end();
  await nginx.stop();
  await internet.remove();
  folder.remove();
  console.log('\nDone. Namespaces, processes and files of the demo are gone.');
}

/** What was made is removed at exit (support/leftovers.ts), whichever way we get there. */
function exitOn(): void {
  for (const [signal, status] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)
    process.once(signal, () => process.exit(status));
  setTimeout(() => {
    console.error(`\nThe demo took longer than ${PATIENCE} s and was ended. That is a defect.`);
    process.exit(1);
  }, PATIENCE * 1_000).unref();
}

const lacking = missing(NEEDS);
if (lacking.length > 0) {
  const packages = lacking.flatMap((need) => (need === 'root' ? [] : [PACKAGE_OF[need]]));
  if (lacking.includes('root'))
    console.error('The demo makes network namespaces, which only root may: sudo npm run demo');
  if (packages.length > 0)
    console.error(`Missing here: ${lacking.filter((need) => need !== 'root').join(', ')}.
On Debian or Ubuntu: apt-get install ${packages.join(' ')}`);
  process.exit(1);
}
exitOn();
try {
  await demo();
} catch (error) {
  console.error(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
