// What a daemon needs to run, and what can be asked of one that does.
import type { StatusView } from '../api/contract.ts';
import type { Firewall } from '../firewall/contract.ts';
import type { Witness } from '../firewall/index.ts';
import type { Ledger } from '../ledger/contract.ts';
import type { Network } from '../model.ts';
import type { Clock, Feed, FeedExec, Log, Rounds } from '../ports.ts';
import type { Setup, SetupResult } from '../setup/index.ts';
import type { SourceStatus } from '../sources/contract.ts';
import type { FaultPoint } from './fault-points.ts';
import type { Host } from './host/host.ts';
import type { AskedAhead } from './host/administrators.ts';
import type { Timekeeper } from './service/timekeeper.ts';
import type { Recent } from './telling/recent.ts';

export interface DaemonOptions {
  readonly setup: Setup;
  /** Reads the config anew, for a reload. While it is synchronous, nothing else runs. */
  readonly prepare: () => SetupResult | Promise<SetupResult>;
  /** Reload by itself when a file that the config was read from changes? */
  readonly watchConfig: boolean;
  /** Runs each reload, so that a service manager can be told. Left out: nobody is. */
  readonly whileReloading?: <T>(reload: () => Promise<T>) => Promise<T>;
  /** Opened by the caller, who proves filters with it first; closed by the daemon. */
  readonly ledger: Ledger;
  /** Where the sockets go. */
  readonly runtime: string;
  readonly firewall: Firewall;
  /** Asks the kernel why a ban has no effect; undefined: nobody looks whether one has. */
  readonly witness?: Witness | undefined;
  /** `--detect-only`: nothing ever reaches the kernel. */
  readonly neverEnforce: boolean;
  /** The group that may read `status.sock`; undefined: the process's own. */
  readonly statusGroup: number | undefined;
  /** The group that may report by `report.sock`; undefined: only who may do anything. */
  readonly reportGroup: number | undefined;
  readonly version: string;
  /** From where whoever started this came in over ssh; left out: nobody did. */
  readonly operator?: Network | undefined;
  /** Where the caller has asked already: two programs take as long as the ledger. */
  readonly loggedIn?: AskedAhead;
  /** `run -`: standard input is read by the jails that name it, else by those without a log. */
  readonly asksForInput: boolean;
}

export interface DaemonPorts {
  readonly clock: Clock;
  /** The firewall's clock is its `sentences`. Left out, one is made of `clock`. */
  readonly timekeeper?: Timekeeper;
  readonly log: Log;
  readonly exec: FeedExec;
  /** Opens standard input. */
  readonly input: () => Feed;
  readonly host: Host;
  readonly at: FaultPoint;
  /** What `log` keeps. Left out, nobody can ask for it. */
  readonly recent?: Recent;
  /** Left out, the ledger is never tidied: for tests, whose clock is their own. */
  readonly rounds?: Rounds;
  /** Is told that the start is over, and all that lay there is read; and each time that a backlog, or a flood of bans, is over. */
  readonly onRest?: () => void;
}

export interface Daemon {
  readonly mode: StatusView['mode'];
  /** How many addresses the kernel holds, as far as the daemon knows. */
  readonly stillBlocked: number;
  readonly jailCount: number;
  /** What the firewall said, where it can't be reached. */
  readonly firewallFault: string | undefined;
  sources(): readonly SourceStatus[];
  /** Puts the config on the disk in force; a faulty one leaves the old one, and stands in the log and in `status`. */
  reload(): Promise<void>;
  /** Were lines worked on since the last call, or could they have been? For a watchdog, which asks at a steady pace. */
  isAlive(): boolean;
  /** Commits what is known and ends. Bans stay in the kernel. A second call is harmless. */
  stop(): Promise<void>;
  /** Rejects if the daemon breaks down by itself; resolves once it was stopped. */
  readonly ended: Promise<void>;
}
