// Drives the real daemon and the reference through the same steps, and holds them together after each.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { expect } from 'vitest';
import type { BanView } from '../../src/api/contract.ts';
import { createFirewall } from '../../src/firewall/index.ts';
import { createExec } from '../../src/daemon/system.ts';
import { silentLog } from '../../src/ports.ts';
import type { Setup } from '../../src/setup/index.ts';
import { createTimers, createWorld } from './clock.ts';
import { ALLOWED, startLife } from './life.ts';
import type { Fate, Home, Life } from './life.ts';
import { accessLine, authLine, createWriter } from './logs.ts';
import type { Attempt, Writer } from './logs.ts';
import { reckon } from './reference.ts';
import { effectOf, OFFENDERS, VARIANTS } from './courts.ts';
import type { Entry, Reckoning, Sentence } from './reference.ts';
import { DAY, SECOND } from './steps.ts';
import type { Line, LogName, Step } from './steps.ts';

const START = Date.parse('2026-06-15T10:00:00Z');
/** The kernel's ends are accurate to so much. */
const TOLERANCE = 3 * SECOND;

/** How often the runs came to what they are about. */
export interface Reached {
  bans: number;
  lifted: number;
  replaced: number;
  repeated: number;
  extended: number;
  deaths: number;
  /** A log-in kept somebody from a ban, … */
  spared: number;
  /** … could not any more, … */
  lost: number;
  /** … and kept an administrator from one. */
  refused: number;
  reloads: number;
  /** Bans by which somebody was throttled, and those that followed while he was. */
  throttled: number;
  countedOn: number;
}

/**
 * Runs the steps in `folder`, whose `state`, `run` and `logs` are made anew.
 * @param setups one for each variant of the courts.
 * @throws where daemon and reference differ.
 */
export async function runSteps(
  folder: string,
  setups: readonly Setup[],
  steps: readonly Step[],
  reached: Reached,
): Promise<void> {
  for (const name of ['state', 'run', 'logs']) {
    rmSync(join(folder, name), { recursive: true, force: true });
    mkdirSync(join(folder, name), { mode: 0o711 });
  }
  const model = createModel(folder, setups);
  try {
    await model.up();
    for (const step of steps) {
      await model.take(step);
      await model.compare();
    }
    await model.up();
    await model.compareHistories();
  } finally {
    await model.end();
  }
  const { bans, spared, lost, throttled, countedOn } = model.reckoning();
  reached.spared += spared;
  reached.lost += lost;
  reached.refused += model.refused();
  reached.reloads += model.reloads();
  reached.bans += bans.filter(({ by }) => by === 'jail').length;
  reached.throttled += throttled;
  reached.countedOn += countedOn;
  reached.lifted += bans.filter(({ endedBy }) => endedBy === 'admin').length;
  reached.replaced += bans.filter(({ endedBy }) => endedBy === 'replaced').length;
  reached.repeated += bans.filter(({ nth }) => nth > 1).length;
  reached.extended += model.extended();
  reached.deaths += model.deaths();
}

function createModel(folder: string, setups: readonly Setup[]) {
  const world = createWorld(START);
  const kernel = createFirewall('memory', { exec: createExec(), clock: createTimers(world), log: silentLog });
  const home: Home = { folder, setup: setups[0]!, kernel, world, deaths: 0 };
  const journal: Entry[] = [];
  /** Written while nobody read: their arrival is still to come. */
  let unread: { readonly log: LogName; readonly attempt: Attempt }[] = [];
  let life: Life | undefined;
  let extended = 0;
  let refused = 0;
  let reloads = 0;

  const writers: Readonly<Record<LogName, Writer>> = {
    'access.log': writerOf('access.log', accessLine),
    'auth.log': writerOf('auth.log', authLine),
  };

  function writerOf(log: LogName, lineOf: (attempt: Attempt, file: number) => string): Writer {
    return createWriter(join(folder, 'logs', log), lineOf, (attempt) => {
      unread.push({ log, attempt });
      if (life) arrive();
    });
  }

  function arrive(): void {
    for (const { log, attempt } of unread) {
      const { who } = OFFENDERS.find(({ from }) => from.includes(attempt.who))!;
      const { said, stamp } = attempt;
      if (said === 'nothing' || (said === 'success' && log === 'access.log')) continue;
      journal.push({ what: 'line', said, log, who, stamp, now: world.now() });
    }
    unread = [];
  }

  /** Stamps are in whole seconds. */
  function attemptsOf(log: LogName, lines: readonly Line[]): Attempt[] {
    const own = OFFENDERS.filter((offender) => offender.log === log);
    return lines.map(({ offender, said, lag }, index) => {
      const { from } = own[offender % own.length]!;
      const stamp = Math.floor((world.now() - lag) / SECOND) * SECOND;
      return { who: from[index % from.length]!, stamp, said };
    });
  }

  async function start(fate?: Fate): Promise<Life> {
    const started = await startLife(home, fate);
    journal.push({ what: 'time', now: world.now() });
    arrive();
    return started;
  }

  async function up(): Promise<Life> {
    life ??= await start();
    await life.settle();
    return life;
  }

  async function down(): Promise<void> {
    const last = life;
    life = undefined;
    await last?.end();
  }

  /** Everything that is due comes true: sentences end, commits are made, the firewall is told. */
  async function letPass(by: number): Promise<void> {
    world.pass(by);
    if (!life) return;
    life.runTimers();
    await breathe();
    await life.settle();
    journal.push({ what: 'time', now: world.now() });
  }

  async function crash(step: Extract<Step, { do: 'crash' }>): Promise<void> {
    const doomed = await up();
    if ('point' in step.at) doomed.doom(step.at);
    writers[step.log].append(attemptsOf(step.log, step.lines), 0);
    rotate(step.log, step.rotation);
    if ('turns' in step.at) for (let turns = step.at.turns; turns > 0; turns--) await breathe();
    else await doomed.settle();
    doomed.kill();
    await down();
    writers[step.log].append(attemptsOf(step.log, step.unread), 0);
    if (step.again) {
      life = await start({ point: 'after-boot-enforce', after: 0 });
      life.kill();
      await down();
    }
  }

  function rotate(log: LogName, how: 'rename' | 'copytruncate' | 'none'): void {
    if (how === 'rename') writers[log].rename([]);
    if (how === 'copytruncate') writers[log].copyTruncate();
  }

  async function reload({ config, dies }: Extract<Step, { do: 'reload' }>): Promise<void> {
    const running = life;
    // Which config a line is judged by is told only where it was read before.
    await running?.settle();
    home.setup = setups[config]!;
    journal.push({ what: 'reload', courts: VARIANTS[config]!, now: world.now() });
    if (!running || running.isDead) return;
    reloads++;
    if (dies) running.doom({ point: 'after-reload', after: 0 });
    await running.client.reload({});
    if (dies) await down();
  }

  async function ban({ offender, jail, length, force }: Extract<Step, { do: 'ban' }>): Promise<void> {
    const { client } = await up();
    const { who } = OFFENDERS[offender]!;
    const rest = { ...(jail && { jail }), ...(length && { for: length / SECOND }) };
    const [answer] = await client.ban({ addresses: [who], force, ...rest });
    if (who === ALLOWED || force) expect(answer?.outcome === 'refused').toBe(who === ALLOWED);
    else if (answer?.outcome === 'refused') refused++;
    if (answer?.outcome === 'extended') extended++;
    journal.push({
      ...{ what: 'ban', who, jail: jail ?? 'manual', force, now: world.now() },
      ...(length && { length }),
    });
  }

  async function unban({ offender, jail }: Extract<Step, { do: 'unban' }>): Promise<void> {
    // Nobody can name a jail that there is not.
    if (jail !== undefined && !reckoning().courts.some(({ name }) => name === jail)) return;
    const { client } = await up();
    const meant = offender === undefined ? undefined : OFFENDERS[offender]!;
    const whom = meant ? { addresses: [meant.from[0]!] } : { all: true };
    await client.unban({ ...whom, ...(jail && { jail }) });
    journal.push({
      what: 'unban',
      ...(meant && { who: meant.who }),
      ...(jail && { jail }),
      now: world.now(),
    });
  }

  async function take(step: Step): Promise<void> {
    switch (step.do) {
      case 'append':
        writers[step.log].append(attemptsOf(step.log, step.lines), step.cut);
        break;
      case 'rename':
      case 'copytruncate':
        writers[step.log].append(attemptsOf(step.log, step.lines), 0);
        if (step.do === 'rename') writers[step.log].rename(attemptsOf(step.log, step.late));
        else writers[step.log].copyTruncate();
        break;
      case 'ban':
        await ban(step);
        break;
      case 'unban':
        await unban(step);
        break;
      case 'reload':
        await reload(step);
        break;
      case 'pass':
        await letPass(step.by);
        break;
      case 'jump':
        // A line that takes days until it is whole is later than anything that is remembered.
        for (const writer of Object.values(writers)) writer.finish();
        if (life) await life.settle();
        world.jump(step.by);
        // A clock that jumped is noticed within a minute.
        if (life) await letPass(61 * SECOND);
        break;
      case 'kill':
        life?.kill();
        await down();
        break;
      case 'stop':
        await down();
        break;
      case 'start':
        await up();
        break;
      case 'crash':
        await crash(step);
        await up();
        break;
    }
    if (!life) return;
    await life.settle();
    // The removals that waited for the backlog come with the next tick.
    await letPass(SECOND);
  }

  const reckoning = (): Reckoning => reckon(VARIANTS[0]!, [ALLOWED], journal);

  return {
    up,
    take,
    reckoning,
    deaths: () => home.deaths,
    extended: () => extended,
    refused: () => refused,
    reloads: () => reloads,
    end: down,
    async compare() {
      if (!life) return;
      const { bans, courts } = reckoning();
      expect((await allBans(life)).map(lineOf).toSorted()).toEqual(bans.map(lineOfReference).toSorted());
      const blocked = new Map(
        [...(await kernel.list())].map(({ scope, network, until }) => [
          `${scope.protocol} ${scope.ports.join()} ${scope.answer?.do ?? 'drop'} ${network.text}`,
          until!,
        ]),
      );
      const inForce = bans.filter(({ until }) => until > world.now());
      const wanted = wantedOf(inForce, (ban) => effectOf(ban, courts));
      expect([...blocked.keys()].toSorted()).toEqual([...wanted.keys()].toSorted());
      for (const [key, until] of wanted)
        expect(Math.abs(blocked.get(key)! - until)).toBeLessThanOrEqual(TOLERANCE);
    },
    /** What is remembered of each offender: the counts that are not old, and the number of the next sentence. */
    async compareHistories() {
      const now = world.now();
      const reckoned = reckoning();
      const { courts } = reckoned;
      const isSitting = ({ jail }: { jail: string }): boolean => courts.some(({ name }) => name === jail);
      for (const { who, from } of OFFENDERS) {
        const history = await life!.client.history(from[0]!);
        const counts = history.offenders.filter(
          (each) => isSitting(each) && each.count > 0 && Date.parse(each.last!) > now - 2 * DAY,
        );
        expect(counts.map(({ jail, count, last }) => `${who} ${jail} ${count} ${last}`).toSorted()).toEqual(
          courts
            .flatMap((court) => {
              const last = Math.max(...reckoned.suspect(court.name, who).matches);
              const count = last > now - 2 * DAY ? reckoned.count(court, who) : 0;
              return count > 0 ? [`${who} ${court.name} ${count} ${new Date(last).toISOString()}`] : [];
            })
            .toSorted(),
        );
        expect(history.next.map(({ jail, nth }) => `${who} ${jail} ${nth}`)).toEqual(
          courts.map((court) => `${who} ${court.name} ${reckoned.nextNumber(court, who, now)}`),
        );
      }
    },
  };
}

async function allBans({ client }: Life): Promise<BanView[]> {
  const bans: BanView[] = [];
  for (let after: string | null | undefined; after !== null;) {
    const page = await client.bans({ all: true, ...(after === undefined ? {} : { after }) });
    bans.push(...page.items);
    after = page.next;
  }
  return bans;
}

function lineOf({ jail, address, nth, since, until, by, endedBy }: BanView): string {
  return `${jail} ${address} #${nth} ${since} to ${until} by ${by}, ${endedBy ?? 'open'}`;
}

function lineOfReference({ jail, who, nth, since, until, by, endedBy }: Reckoning['bans'][number]): string {
  const [from, to] = [new Date(since).toISOString(), new Date(until).toISOString()];
  return `${jail} ${who} #${nth} ${from} to ${to} by ${by}, ${endedBy ?? 'open'}`;
}

/** What the firewall must hold: of the open bans with the same effect on the same address the longest. */
function wantedOf(bans: Reckoning['bans'], effect: (ban: Sentence) => string): Map<string, number> {
  const wanted = new Map<string, number>();
  for (const ban of bans) {
    const { who, until, endedBy } = ban;
    const key = `${effect(ban)} ${who}`;
    if (!endedBy) wanted.set(key, Math.max(until, wanted.get(key) ?? 0));
  }
  return wanted;
}
