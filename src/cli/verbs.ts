// Every verb there is, in the order of `bailiff --help`. Each is loaded only when it is called: neither the help nor
// `ping` should load a daemon. A test holds the summaries and those of the verbs together.
import type { Verb } from './verb.ts';

export interface Row {
  readonly summary: string;
  load(): Promise<{ readonly verb: Verb }>;
}

/** Flags that bound every regex hold for those that are made later: they come before the parts that look at lines. */
const withFilters = (load: Row['load']): Row['load'] => {
  return async () => {
    await import('./linear-regexes.ts');
    return load();
  };
};

export const VERBS: Readonly<Record<string, Row>> = {
  run: { summary: 'the daemon, in the foreground', load: withFilters(() => import('./verbs/run.ts')) },
  ping: { summary: 'is the daemon alive', load: () => import('./verbs/ping.ts') },
  status: {
    summary: 'is it working, is it keeping up, what is it not seeing',
    load: () => import('./verbs/status.ts'),
  },
  bans: { summary: 'the bans in force', load: () => import('./verbs/bans.ts') },
  ban: { summary: 'ban addresses or networks now', load: () => import('./verbs/ban.ts') },
  unban: { summary: 'lift bans now', load: () => import('./verbs/unban.ts') },
  attempt: { summary: 'one match, reported by hand', load: () => import('./verbs/attempt.ts') },
  history: {
    summary: 'all that is known of an address: bans, evidence, counts, what comes next',
    load: () => import('./verbs/history.ts'),
  },
  watch: { summary: 'what happens, live', load: () => import('./verbs/watch.ts') },
  logs: {
    summary: "the daemon's own log: what it did, and what it complains of",
    load: () => import('./verbs/logs.ts'),
  },
  check: {
    summary: 'every fault of config and filters; runs samples and forgeries',
    load: withFilters(() => import('./verbs/check.ts')),
  },
  doctor: {
    summary: 'looks at the host end to end, and names the mend for each fault',
    load: withFilters(() => import('./verbs/doctor.ts')),
  },
  config: {
    summary: 'the merged config, each value with where it comes from',
    load: () => import('./verbs/config.ts'),
  },
  replay: {
    summary: 'whom this config would have banned over old logs',
    load: withFilters(() => import('./verbs/replay.ts')),
  },
  test: {
    summary: 'which lines a filter matches and what they yield',
    load: withFilters(() => import('./verbs/test.ts')),
  },
  explain: {
    summary: 'what each stage says about one line',
    load: withFilters(() => import('./verbs/explain.ts')),
  },
  filters: {
    summary: 'the library: what each filter catches, with a sample line',
    load: withFilters(() => import('./verbs/filters.ts')),
  },
  enable: {
    summary: 'put jails in session until the next reload, and back in force where they have tripped',
    load: () => import('./verbs/enable.ts'),
  },
  disable: {
    summary: 'take jails out of session until the next reload',
    load: () => import('./verbs/disable.ts'),
  },
  reload: { summary: 'the config anew, without a gap', load: () => import('./verbs/reload.ts') },
  confirm: {
    summary: 'keep the config that "reload --confirm" put on trial',
    load: () => import('./verbs/confirm.ts'),
  },
  arm: { summary: 'put enforcement back in force after a teardown', load: () => import('./verbs/arm.ts') },
  teardown: {
    summary: 'leave the host as found: every rule of Bailiff goes, with or without a daemon',
    load: () => import('./verbs/teardown.ts'),
  },
  completions: {
    summary: 'the completion script of bash, zsh or fish',
    load: () => import('./verbs/completions.ts'),
  },
};

/** All of them, in that order. */
export async function loadVerbs(): Promise<Verb[]> {
  return (await Promise.all(Object.values(VERBS).map((row) => row.load()))).map(({ verb }) => verb);
}
