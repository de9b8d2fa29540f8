// News of this host's addresses and default routes, as the kernel announces them over netlink: `ip monitor`, a child that
// stays, hears them and needs no privilege for it.
import { readFileSync } from 'node:fs';
import type { Cancel, Child, Clock, Exec } from '../../ports.ts';
import { printable } from '../../text.ts';

export interface AddressListener {
  /** An address, a link or a default route has changed. Told once for what comes within a tenth of a second. */
  changed(): void;
  /** From here on changes are told. What changed before was not. */
  following(): void;
  /** Changes are not told for now. It is tried again by itself, ever later. */
  lost(why: string): void;
}

/** One announcement a line, each with its kind in front. Links too: an address counts only while its link is up. */
const MONITOR = ['-o', 'monitor', 'label', 'link', 'address', 'route'];
/**
 * It reads no input that would end with us: should we be killed, the kernel is to kill it too. Where setpriv may not run
 * (it calls capset, which our systemd unit forbids) it goes without; systemd itself leaves no child behind.
 */
const LEASH = ['--pdeathsig', 'KILL'];
/** Bringing up a container is a dozen announcements. */
const GATHER = 100;
/** A line is some 200 bytes. */
const LONGEST_LINE = 64 * 1024;
/** How often it is looked whether the child listens already, and how many times. */
const LOOK = 20;
const LOOKS = 500;
const FIRST_RETRY = 1_000;
const LAST_RETRY = 60_000;

export function watchAddresses(exec: Exec, clock: Clock, listener: AddressListener): Cancel {
  let child: Child | undefined;
  let isHearing = false;
  let leash = exec.find('setpriv');
  let heard = '';
  let lastWords = '';
  let retryAfter = FIRST_RETRY;
  let born = 0;
  let stopped = false;
  let cancelGathering: Cancel | undefined;
  /** The next look at the child, or the next child. */
  let cancelNext: Cancel = () => {};

  function start(): void {
    const ip = exec.find('ip');
    if (ip === undefined) return fail('there is no ip on this host');
    const started = leash ? exec.spawn(leash, [...LEASH, ip, ...MONITOR]) : exec.spawn(ip, MONITOR);
    if (!started) return fail('ip could not be started');
    child = started;
    heard = '';
    lastWords = '';
    isHearing = false;
    born = clock.monotonic();
    started.onOutput((text) => {
      if (child === started) hear(text);
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

  /** It says nothing when it begins to listen, but the kernel knows. */
  function awaitListening(started: Child, left: number): void {
    if (isListening(started.pid)) {
      isHearing = true;
      return listener.following();
    }
    if (left === 0) return lose('ip does not listen');
    cancelNext = clock.schedule(LOOK, () => awaitListening(started, left - 1));
  }

  function hear(text: string): void {
    const lines = (heard + text).split('\n');
    heard = lines.pop()!;
    if (heard.length > LONGEST_LINE) {
      heard = '';
      gather();
    }
    for (const line of lines) {
      if (!line.startsWith('[')) lastWords = line.trim();
      if (concernsUs(line)) gather();
    }
  }

  function gather(): void {
    cancelGathering ??= clock.schedule(GATHER, () => {
      cancelGathering = undefined;
      listener.changed();
    });
  }

  function lose(why: string): void {
    const last = child;
    child = undefined;
    last?.kill();
    cancelNext();
    if (clock.monotonic() - born > LAST_RETRY) retryAfter = FIRST_RETRY;
    fail(why);
  }

  function fail(why: string): void {
    listener.lost(why);
    if (stopped) return;
    cancelNext = clock.schedule(retryAfter, start);
    retryAfter = Math.min(retryAfter * 2, LAST_RETRY);
  }

  start();
  return () => {
    stopped = true;
    cancelNext();
    cancelGathering?.();
    const last = child;
    child = undefined;
    last?.kill();
  };
}

/** A router may change thousands of routes a second; only the default ones are our business. What isn't understood is. */
function concernsUs(line: string): boolean {
  return !line.startsWith('[ROUTE]') || /\bdefault\b/.test(line);
}

/** Does the process listen to netlink announcements? `/proc/net/netlink`: socket, protocol, port (its pid), groups, … */
function isListening(pid: number): boolean {
  return netlinkSockets()
    .split('\n')
    .some((line) => {
      const [, protocol, port, groups] = line.trim().split(/\s+/);
      return protocol === '0' && Number(port) === pid && !/^0*$/.test(groups!);
    });
}

function netlinkSockets(): string {
  try {
    return readFileSync('/proc/self/net/netlink', 'latin1');
  } catch {
    return ''; // A sandbox that is no Linux kernel has none: then nobody listens.
  }
}
