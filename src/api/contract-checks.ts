// What can be said of a config and of a host: the shapes of `check`, `config show` and `doctor`.
import type { Fault } from '../errors.ts';

export interface CheckView {
  ok: boolean;
  faults: Fault[];
  warnings: Fault[];
}

/** What the doctor found about one thing. */
export interface DoctorFinding {
  check:
    | 'config'
    | 'daemon'
    | 'privileges'
    | 'firewall'
    | 'hooks'
    | 'flowtables'
    | 'managers'
    | 'docker'
    | 'ports'
    | 'jails'
    | 'logs'
    | 'zones'
    | 'proxies'
    | 'kernel'
    | 'effect';
  /** `fault`: to be mended; `note`: worth knowing; `unknown`: it could not be looked at. */
  outcome: 'ok' | 'note' | 'fault' | 'unknown';
  /** Of a fault. */
  code?: string;
  message: string;
  mend?: string;
}

/** What `doctor` prints; no route answers it. */
export interface DoctorView {
  /** Nothing is to be mended. */
  ok: boolean;
  /** `unknown`: there is one that does not answer, or that may not be asked. */
  daemon: 'running' | 'absent' | 'unknown';
  findings: DoctorFinding[];
}

/** What `config show` prints; no route answers it. */
export interface ConfigView {
  /** The main file. */
  file: string;
  /** All that were read, in the order in which they were merged. */
  files: string[];
  /** Empty where there are faults. */
  values: ConfigValue[];
  faults: Fault[];
  warnings: Fault[];
}

export interface ConfigValue {
  /** `jails.sshd.maxRetry`. */
  key: string;
  /** Durations in seconds, null for no end. */
  value: unknown;
  from: 'config' | 'defaults' | 'built-in';
  /** Where the value was written; absent where it is built in. */
  file?: string;
  line?: number;
  column?: number;
  /** The key that was written there, where it is another one: `limit`, `steps`, `banTime`. */
  by?: string;
}
