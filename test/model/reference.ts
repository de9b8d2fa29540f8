// The reference: a counter that keeps every line and every act of the administrator, and reckons all of it anew each
// time it is asked. It shares no code with Bailiff; what it does stands in INTERFACE.md. All instants are milliseconds.

export interface Court {
  readonly name: string;
  readonly log: string;
  readonly maxRetry: number;
  /** How long a log-in protects, in milliseconds; 0: not at all. */
  readonly protect: number;
  readonly findTime: number;
  readonly first: number;
  readonly factor: number;
  readonly max: number;
  readonly forget: number;
  /** What its first sentence over somebody does, its second, and so on; the last repeats. Left out: each drops. */
  readonly respond?: readonly Answer[];
}

export interface Answer {
  readonly do: 'throttle' | 'reject' | 'drop';
  /** Everything instead of what the court's bans cover. */
  readonly everything?: true;
  /** Instead of what the ladder says. */
  readonly length?: number;
}

/** One thing that happened, at the wall clock's `now`. `who` is the network under which an address is counted. */
export type Entry =
  | {
      readonly what: 'line';
      readonly said: 'failure' | 'success';
      readonly log: string;
      readonly who: string;
      readonly stamp: number;
      readonly now: number;
    }
  | {
      readonly what: 'ban';
      readonly who: string;
      readonly jail: string;
      readonly length?: number;
      readonly force: boolean;
      readonly now: number;
    }
  /** These courts sit from now on. What the others remember is there when they come back. */
  | { readonly what: 'reload'; readonly courts: readonly Court[]; readonly now: number }
  /** Without `who`: everybody; without `jail`: in every jail. */
  | { readonly what: 'unban'; readonly who?: string; readonly jail?: string; readonly now: number }
  | { readonly what: 'time'; readonly now: number };

export interface Sentence {
  readonly jail: string;
  readonly who: string;
  readonly since: number;
  readonly nth: number;
  readonly by: 'jail' | 'admin';
  until: number;
  endedBy?: 'expired' | 'replaced' | 'admin';
}

export interface Suspect {
  /** The instants that still count. */
  matches: number[];
  nth: number;
  since: number;
  until: number;
  forgiven: number;
  /** His sentence lets some of it through: so he is counted on. */
  throttled: boolean;
}

/** Somebody logged in: from `since` on, the last time at `last`. */
interface Welcome {
  readonly since: number;
  readonly last: number;
  readonly until: number;
}

export interface Reckoning {
  /** Those that sit at the end. */
  readonly courts: readonly Court[];
  readonly bans: readonly Sentence[];
  /** How often a log-in kept somebody from a ban, and how often it could not any more. */
  readonly spared: number;
  readonly lost: number;
  /** How often somebody was throttled, and how often he was sentenced anew meanwhile. */
  readonly throttled: number;
  readonly countedOn: number;
  suspect(jail: string, who: string): Suspect;
  /** The number of matches within findTime of the newest. */
  count(court: Court, who: string): number;
  nextNumber(court: Court, who: string, at: number): number;
}

const FUTURE = 5 * 60_000;
const MANUAL_LENGTH = 10 * 60_000;

/** What the court's nth sentence does; undefined where it drops, as those of every court did before it could do more. */
export function answerOf({ respond }: Court, nth: number): Answer | undefined {
  return respond?.[Math.min(nth, respond.length) - 1];
}

function lengthOf(court: Court, nth: number): number {
  return answerOf(court, nth)?.length ?? Math.min(court.first * court.factor ** (nth - 1), court.max);
}

/** So many times as many matches ban whoever is protected by a log-in. */
const PATIENCE = 10;

/**
 * @param initial the courts that sit at first.
 * @param allowed who is never counted and never banned.
 */
export function reckon(
  initial: readonly Court[],
  allowed: readonly string[],
  journal: readonly Entry[],
): Reckoning {
  let courts = initial;
  let spared = 0;
  let lost = 0;
  let throttled = 0;
  let countedOn = 0;
  const welcomes = new Map<string, Welcome>();
  const suspects = new Map<string, Suspect>();
  const bans: Sentence[] = [];
  const openBan = (jail: string, who: string) =>
    bans.find((ban) => !ban.endedBy && ban.jail === jail && ban.who === who);

  function suspect(jail: string, who: string): Suspect {
    const key = `${jail} ${who}`;
    const nobody: Suspect = {
      ...{ matches: [], nth: 0, since: -Infinity, until: -Infinity },
      ...{ forgiven: -Infinity, throttled: false },
    };
    if (!suspects.has(key)) suspects.set(key, nobody);
    return suspects.get(key)!;
  }

  function nextNumber(court: Court, who: string, at: number): number {
    const { nth, until } = suspect(court.name, who);
    return at <= until + court.forget ? nth + 1 : 1;
  }

  function pass(
    court: Court,
    who: string,
    since: number,
    length: number | undefined,
    by: 'jail' | 'admin',
    now: number,
  ) {
    const one = suspect(court.name, who);
    const nth = nextNumber(court, who, since);
    const until = since + (length ?? lengthOf(court, nth));
    one.matches = [];
    one.nth = nth;
    if (one.throttled && by === 'jail' && since < one.until) countedOn++;
    one.throttled = by === 'jail' && answerOf(court, nth)?.do === 'throttle';
    if (one.throttled) throttled++;
    // A sentence that overlaps the last one makes one span with it; one that lies wholly before it is history.
    if (since >= one.until) one.since = since;
    else if (until >= one.since) one.since = Math.min(since, one.since);
    one.until = Math.max(until, one.until);
    impose({ jail: court.name, who, since, until, nth, by }, now);
  }

  function impose(ban: Sentence, now: number): void {
    const standing = openBan(ban.jail, ban.who);
    if (standing) {
      standing.endedBy = standing.until <= ban.since ? 'expired' : 'replaced';
      if (standing.endedBy === 'replaced') ban.until = Math.max(ban.until, standing.until);
    }
    bans.push(ban);
    expire(now);
  }

  function expire(now: number): void {
    for (const ban of bans) if (!ban.endedBy && ban.until <= now) ban.endedBy = 'expired';
  }

  function read(court: Court, who: string, stamp: number, now: number): void {
    const at = stamp > now + FUTURE ? now : stamp;
    const one = suspect(court.name, who);
    if (at <= one.forgiven || (one.since <= at && at < one.until && !one.throttled)) return;
    // Too late to count with anything that is still to come.
    if (at < Math.max(one.since, ...one.matches) - court.findTime) return;
    one.matches.push(at);
    const windows = one.matches
      .filter((first) => first <= at && at <= first + court.findTime)
      .map((first) => one.matches.filter((each) => each >= first && each <= first + court.findTime).length);
    const count = Math.max(...windows);
    const isSpared = isWelcome(court, who, at);
    if (count < court.maxRetry) return;
    if (isSpared && count < court.maxRetry * PATIENCE) spared++;
    else {
      if (isSpared) lost++;
      pass(court, who, at, undefined, 'jail', now);
    }
  }

  /** Log-ins whose times of protection touch are one; of others the latest is kept. */
  function logIn({ name, protect }: Court, who: string, stamp: number, now: number): void {
    if (protect === 0) return;
    const at = stamp > now + FUTURE ? now : stamp;
    const key = `${name} ${who}`;
    const next = { since: at, last: at, until: at + protect };
    const known = welcomes.get(key);
    if (known && next.until < known.since) return;
    const isApart = !known || next.since > known.until;
    welcomes.set(
      key,
      isApart
        ? next
        : {
            since: Math.min(known.since, at),
            last: Math.max(known.last, at),
            until: Math.max(known.until, next.until),
          },
    );
  }

  /** Whoever was sentenced since his last log-in is not. */
  function isWelcome({ name }: Court, who: string, at: number): boolean {
    const known = welcomes.get(`${name} ${who}`);
    return !!known && known.since <= at && at <= known.until && known.last >= suspect(name, who).until;
  }

  /** No log-in protects for longer than the court's new rules say, those of before included. */
  function reload(next: readonly Court[]): void {
    courts = next;
    for (const { name, protect } of courts)
      for (const [key, welcome] of welcomes) {
        if (!key.startsWith(`${name} `)) continue;
        if (protect === 0) welcomes.delete(key);
        else welcomes.set(key, { ...welcome, until: Math.min(welcome.until, welcome.last + protect) });
      }
  }

  function banByHand(who: string, jail: string, length: number | undefined, now: number): void {
    const standing = openBan(jail, who);
    const court = courts.find(({ name }) => name === jail);
    // Who is only throttled, as the rules say now, is shut out instead.
    const isThrottled = standing?.by === 'jail' && court && answerOf(court, standing.nth)?.do === 'throttle';
    if (standing && standing.until > now && !isThrottled) {
      const usual = court ? lengthOf(court, nextNumber(court, who, now)) : MANUAL_LENGTH;
      standing.until = Math.max(standing.until, now + (length ?? usual));
      if (court) suspect(jail, who).until = Math.max(suspect(jail, who).until, standing.until);
    } else if (court) pass(court, who, now, length, 'admin', now);
    else impose({ jail, who, since: now, until: now + (length ?? MANUAL_LENGTH), nth: 1, by: 'admin' }, now);
  }

  function forgive(jail: string, who: string, now: number): void {
    const one = suspect(jail, who);
    one.matches = [];
    one.forgiven = Math.max(one.forgiven, now);
    one.until = Math.min(one.until, now);
  }

  for (const entry of journal) {
    const { now } = entry;
    if (entry.what === 'time') expire(now);
    else if (entry.what === 'reload') reload(entry.courts);
    else if (entry.what === 'unban') {
      const { who, jail } = entry;
      for (const { name } of courts)
        if (who !== undefined && (jail ?? name) === name) forgive(name, who, now);
      for (const ban of bans) {
        if (ban.endedBy || (who ?? ban.who) !== ban.who || (jail ?? ban.jail) !== ban.jail) continue;
        ban.endedBy = 'admin';
        forgive(ban.jail, ban.who, now);
      }
    } else if (allowed.includes(entry.who)) continue;
    else if (entry.what === 'ban') {
      if (entry.force || !courts.some((court) => isWelcome(court, entry.who, now)))
        banByHand(entry.who, entry.jail, entry.length, now);
    } else if (entry.said === 'success') {
      // At sshd: it protects in every court.
      for (const court of courts) logIn(court, entry.who, entry.stamp, now);
    } else for (const court of courts) if (court.log === entry.log) read(court, entry.who, entry.stamp, now);
  }

  return {
    courts,
    bans,
    spared,
    lost,
    throttled,
    countedOn,
    suspect,
    nextNumber,
    count(court, who) {
      const { matches } = suspect(court.name, who);
      return matches.filter((at) => at >= Math.max(...matches) - court.findTime).length;
    },
  };
}
