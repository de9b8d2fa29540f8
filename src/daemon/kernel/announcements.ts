// What the kernel announces over netlink, as a program says it that stays (`ip monitor`, `nft monitor`): started again, ever
// later, when it ends, and ended with us.
import { readFileSync } from 'node:fs';
import type { AnnouncingProgram } from '../../firewall/contract.ts';
import type { Cancel, Child, Clock, Exec } from '../../ports.ts';
import { printable } from '../../text.ts';

export interface Announcer {
  /** The best first. Where one is missing, or ends before it listens, the next one takes its turn, and after the last the first. */
  readonly programs: readonly AnnouncingProgram[];
  /** The netlink protocol that it listens to, by its number in netlink(7). */
  readonly protocol: 0 | 12;
  /** Of one that tells all: after so many lines another child takes over without a gap. Asked now and then. */
  readonly maxLines?: () => number;
  /** Of one that tells all: is that now mostly our own doing, and so much that it is better not heard? Asked when it says something. */
  readonly isDrowned?: () => boolean;
}

export interface AnnouncementListener {
  /**
   * A child begins. @returns what takes its lines, and says of each whether it is an announcement at all, or that this child
   * can't be trusted any more and another should take over. Two may speak at once while it does.
   */
  open(): (line: string) => boolean | 'confused';
  /**
   * From here on announcements are heard. What came before was not.
   * @param isAnew another child took over from one that couldn't be trusted, which may have kept things to itself.
   */
  following(isAnew: boolean): void;
  /** Nothing is heard for now. It is tried again by itself, ever later. */
  lost(why: string): void;
}

/**
 * It reads no input that would end with us: should we be killed, the kernel is to kill it too. Where setpriv may not run
 * (it calls capset, which our systemd unit forbids) it goes without; systemd itself leaves no child behind.
 */
const LEASH = ['--pdeathsig', 'KILL'];
/** A line is some 200 bytes. One longer than this is handed on in pieces. */
const LONGEST_LINE = 64 * 1024;
/** How often it is looked whether the child listens already, and how many times. */
const LOOK = 20;
const LOOKS = 500;
const FIRST_RETRY = 1_000;
const LAST_RETRY = 60_000;
/** So long the old child is heard beside the new one, for what it hasn't said yet. */
const OVERLAP = 250;
/** A child that isn't heard is listened to again after so long, if only to see whether that is still so. */
const HELD_FOR = 1_000;

export function followAnnouncements(
  { programs, protocol, maxLines = () => Infinity, isDrowned = () => false }: Announcer,
  exec: Exec,
  clock: Clock,
  listener: AnnouncementListener,
): Cancel {
  /** Whose turn it is among the programs. */
  let turn = 0;
  let child: Child | undefined;
  /** The one that is to be followed by {@link child}, until that listens and a little longer. */
  let retiring: Child | undefined;
  let isHearing = false;
  let isConfused = false;
  /** Was the one before? */
  let wasConfused = false;
  let leash = exec.find('setpriv');
  let lastWords = '';
  let lines = 0;
  let retryAfter = FIRST_RETRY;
  let born = 0;
  let stopped = false;
  /** The next look at the child, or the next child. */
  let cancelNext: Cancel = () => {};
  let cancelRetirement: Cancel = () => {};

  function start(): void {
    const { program, args, tellsAll = false } = programs[turn]!;
    isHearing = false;
    const file = exec.find(program);
    if (file === undefined) return tryNext(`there is no ${program} on this host`);
    const started = leash ? exec.spawn(leash, [...LEASH, file, ...args]) : exec.spawn(file, args);
    if (!started) return tryNext(`${program} could not be started`);
    child = started;
    lastWords = '';
    lines = 0;
    wasConfused = isConfused;
    isConfused = false;
    born = clock.monotonic();
    const read = inLines(listener.open(), () => child === started);
    started.onOutput((text) => {
      if (child !== started && retiring !== started) return;
      read(text);
      if (tellsAll && child === started && isDrowned()) holdBack(started);
    });
    started.onExit((why) => {
      if (child !== started) return;
      if (isHearing || leash === undefined) return lose(lastWords === '' ? why : printable(lastWords, 200));
      leash = undefined;
      cancelNext();
      start();
    });
    awaitListening(started, LOOKS);
  }

  /** Cuts what one child says into lines. */
  function inLines(
    take: (line: string) => boolean | 'confused',
    isNewest: () => boolean,
  ): (text: string) => void {
    let rest = '';
    return (text) => {
      const whole = (rest + text).split('\n');
      rest = whole.pop()!;
      if (rest.length > LONGEST_LINE) {
        whole.push(rest);
        rest = '';
      }
      for (const line of whole) {
        const meaning = take(line);
        if (meaning === 'confused') isConfused ||= isNewest();
        else if (!meaning) lastWords = line.trim();
      }
      lines += whole.length;
      renew();
    };
  }

  /**
   * Its pipe is soon full, then it reads nothing more, and what the kernel can't keep for it is lost: which it says when it is
   * heard again. Of what it doesn't read it keeps nothing either, where it would keep half a kilobyte for each block.
   */
  function holdBack(held: Child): void {
    held.hold(true);
    clock.schedule(HELD_FOR, () => held.hold(false));
  }

  function renew(): void {
    const hasHadItsTime = programs[turn]!.tellsAll === true && lines >= maxLines();
    if (!isHearing || retiring || !(isConfused || hasHadItsTime)) return;
    retiring = child;
    start();
  }

  function retire(): void {
    cancelRetirement();
    const last = retiring;
    retiring = undefined;
    last?.kill();
  }

  /** It says nothing when it begins to listen, but the kernel knows. */
  function awaitListening(started: Child, left: number): void {
    if (isListening(started.pid, protocol)) {
      isHearing = true;
      if (!retiring) return listener.following(false);
      if (wasConfused) listener.following(true);
      cancelRetirement = clock.schedule(OVERLAP, () => {
        retire();
        renew();
      });
      return;
    }
    if (left === 0) return lose(`${programs[turn]!.program} does not listen`);
    cancelNext = clock.schedule(LOOK, () => awaitListening(started, left - 1));
  }

  function lose(why: string): void {
    const last = child;
    child = undefined;
    last?.kill();
    retire();
    cancelNext();
    if (clock.monotonic() - born > LAST_RETRY) retryAfter = FIRST_RETRY;
    if (isHearing) fail(why);
    else tryNext(why);
  }

  function tryNext(why: string): void {
    turn = (turn + 1) % programs.length;
    if (turn === 0) return fail(why);
    leash = exec.find('setpriv');
    start();
  }

  function fail(why: string): void {
    retire();
    listener.lost(why);
    if (stopped) return;
    cancelNext = clock.schedule(retryAfter, start);
    retryAfter = Math.min(retryAfter * 2, LAST_RETRY);
  }

  start();
  return () => {
    stopped = true;
    cancelNext();
    retire();
    const last = child;
    child = undefined;
    last?.kill();
  };
}

/**
 * Does the process listen to netlink announcements? A line of `/proc/PID/net/netlink` is socket, protocol, port (its pid),
 * groups, …; read through the child's own folder, for it may be in another network namespace.
 */
function isListening(pid: number, protocol: Announcer['protocol']): boolean {
  return netlinkSockets(pid)
    .split('\n')
    .some((line) => {
      const [, its, port, groups] = line.trim().split(/\s+/);
      return its === String(protocol) && Number(port) === pid && !/^0*$/.test(groups!);
    });
}

function netlinkSockets(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/net/netlink`, 'latin1');
  } catch {
    return ''; // It has ended, or this is a sandbox that is no Linux kernel: then nobody listens.
  }
}
