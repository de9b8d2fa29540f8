// One catalogue of everything that can go wrong on purpose: code → exit status and HTTP status. The codes are stable.
// docs/errors.md is generated from it, and a test holds the two together.

/** Exit statuses as sysexits(3) has them; 1 is "done, and the answer is no". */
export const EXIT = {
  done: 0,
  no: 1,
  usage: 2,
  unavailable: 69,
  busy: 75,
  notPermitted: 77,
  config: 78,
} as const;

/** What each exit status says, for the reference and the man page. */
export const EXIT_MEANS: readonly (readonly [status: number, means: string])[] = [
  [EXIT.done, 'Done.'],
  [EXIT.no, 'Done, and the answer is no: an address was refused or not banned, a sample failed.'],
  [EXIT.usage, 'Wrong usage; a malformed address too.'],
  [EXIT.unavailable, 'The daemon, the firewall or the ledger does not answer.'],
  [70, 'A defect inside Bailiff.'],
  [EXIT.busy, 'Another daemon has this state folder or these sockets.'],
  [EXIT.notPermitted, 'Not permitted.'],
  [EXIT.config, 'The config is faulty.'],
];

interface Entry {
  readonly exit: number;
  readonly http: number;
  /** One sentence for the reference: when it is raised. */
  readonly when: string;
}

export const CATALOGUE = {
  E_USAGE: {
    exit: EXIT.usage,
    http: 400,
    when: 'A verb or a request was given arguments that it does not take.',
  },
  E_ADDRESS: {
    exit: EXIT.usage,
    http: 400,
    when: 'A text is neither an address nor a network in its canonical spelling.',
  },
  E_DURATION: {
    exit: EXIT.usage,
    http: 400,
    when: 'A text is not a duration such as 90, "10m", "1h30m" or "forever".',
  },
  E_UNKNOWN_JAIL: {
    exit: EXIT.usage,
    http: 404,
    when: 'No jail of that name is configured, or it is disabled.',
  },
  E_UNKNOWN_ROUTE: { exit: EXIT.usage, http: 404, when: 'The socket has no such route.' },
  E_METHOD: { exit: EXIT.usage, http: 405, when: 'The route exists, but not with this method.' },
  E_BODY_TOO_LARGE: { exit: EXIT.usage, http: 413, when: 'A request body is larger than 1 MiB.' },
  E_BUSY: {
    exit: EXIT.unavailable,
    http: 503,
    when: 'More is being sent to a socket at once than it takes.',
  },
  E_TOO_MANY_READERS: {
    exit: EXIT.unavailable,
    http: 503,
    when: 'As many readers of events as one socket allows are connected already.',
  },
  E_NOT_RUNNING: { exit: EXIT.unavailable, http: 503, when: 'No daemon answers on the socket.' },
  E_FIREWALL_UNAVAILABLE: {
    exit: EXIT.unavailable,
    http: 503,
    when: 'The firewall program is missing, not permitted, or does not answer.',
  },
  E_LEDGER_UNAVAILABLE: {
    exit: EXIT.unavailable,
    http: 503,
    when: 'The ledger cannot be opened or written.',
  },
  E_LEDGER_NEWER: {
    exit: EXIT.config,
    http: 500,
    when: 'The ledger was written by a newer Bailiff than this one.',
  },
  E_ALREADY_RUNNING: {
    exit: EXIT.busy,
    http: 409,
    when: 'Another daemon has this state folder or these sockets.',
  },
  E_NOT_PERMITTED: {
    exit: EXIT.notPermitted,
    http: 403,
    when: 'The user may not open the socket, read the file or change the firewall.',
  },
  E_SOCKET_PATH: {
    exit: EXIT.config,
    http: 500,
    when: 'A socket path is longer than the 107 bytes that the system allows.',
  },
  E_CONFIG: {
    exit: EXIT.config,
    http: 422,
    when: 'The config or a filter is faulty; every fault is listed with its place.',
  },
  E_FILTER_UNPROVEN: {
    exit: EXIT.no,
    http: 422,
    when: 'A filter fails one of its samples, or a forged line bends it.',
  },
  E_INTERNAL: {
    exit: 70,
    http: 500,
    when: 'A promise inside Bailiff was broken: a defect, please report it.',
  },
} as const satisfies Record<string, Entry>;

export type ErrorCode = keyof typeof CATALOGUE;

/** A fault in a config or filter file. Codes are stable; see docs/errors.md. */
export interface Fault {
  readonly code: string;
  readonly file: string;
  /** From 1; 0 where the whole file is meant. */
  readonly line: number;
  readonly column: number;
  /** What is wrong and what was expected. */
  readonly message: string;
  /** What would mend it: "did you mean "maxRetry"?". */
  readonly hint?: string;
}

/** `file:line:column: what is wrong, what was expected, did you mean …` — the one way a fault is written for people. */
export function formatFault(fault: Fault): string {
  const place = fault.line > 0 ? `${fault.file}:${fault.line}:${fault.column}` : fault.file;
  return `${place}: ${fault.message}${fault.hint ? `; ${fault.hint}` : ''}`;
}

/** A broken promise with a code, facts and a cause. Expected outcomes are values, not exceptions. */
export class BailiffError extends Error {
  override readonly name = 'BailiffError';
  readonly code: ErrorCode;
  readonly facts: Readonly<Record<string, unknown>>;
  /** @param message one sentence for a person: what happened and what to do next. */
  constructor(code: ErrorCode, message: string, facts: Record<string, unknown> = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.facts = facts;
  }
  get exit(): number {
    return CATALOGUE[this.code].exit;
  }
  get http(): number {
    return CATALOGUE[this.code].http;
  }
}

/** What a system call's error says, without its stack: `ENOENT`, or the message where there is no code. */
export function reasonOf(error: unknown): string {
  if (error instanceof Error) return (error as NodeJS.ErrnoException).code ?? error.message;
  return String(error);
}
