// A ledger that is found damaged while a daemon works on it is kept aside, and another begins in its place. What the daemon
// knows is all that can fill it: so it is told, and nothing else is written before.
import type { BailiffError } from '../errors.ts';
import type { Instant } from '../model.ts';
import type { Ledger, SetAside } from './contract.ts';
import { isDamaged, ledgerError } from './failure.ts';
import { setAside } from './set-aside.ts';

/** Until another was begun, there may be none for a while: on a full disk none can be made. */
type Current = { readonly ledger: Ledger } | { readonly ledger: undefined; readonly to: string };

/**
 * @param first open, and sound as far as is known.
 * @param open begins a new one where there is none.
 */
export function renewable(file: string, first: Ledger, open: () => Ledger, now: () => Instant): Ledger {
  let current: Current = { ledger: first };
  let damage: BailiffError | undefined;
  /** Another process that has the files open: they must not be moved under it. */
  let checkpoint: Promise<unknown> = Promise.resolve();

  /** @throws BailiffError E_LEDGER_UNAVAILABLE while there is none. */
  function ask<T>(question: (ledger: Ledger) => T): T {
    if (!current.ledger) throw damage ?? ledgerError(file, new Error('it was damaged'));
    try {
      return question(current.ledger);
    } catch (error) {
      throw noted(error);
    }
  }

  function noted(error: unknown): BailiffError {
    const failure = ledgerError(file, error);
    if (isDamaged(failure)) damage ??= failure;
    return failure;
  }

  /** @throws what keeps the damaged one from being moved, or a new one from being made; the next call goes on from there. */
  async function renew(why: BailiffError): Promise<SetAside> {
    await checkpoint;
    try {
      if (current.ledger) {
        const { ledger } = current;
        // If we die here, or before the new one is filled, the next start finds an empty one beside it, and knows.
        current = { ledger: undefined, to: setAside(file, now()) };
        // Under its new name, so that SQLite doesn't write the log back into what is to be looked into.
        ledger.close();
      }
      const { to } = current;
      current = { ledger: open() };
      damage = undefined;
      return { kind: 'set-aside', to, why: why.message };
    } catch (error) {
      throw ledgerError(file, error);
    }
  }

  return {
    ...(first.rescue && { rescue: first.rescue }),
    state: () => ask((ledger) => ledger.state()),
    load: () => ask((ledger) => ledger.load()),
    *offenders() {
      const pages = ask((ledger) => ledger.offenders()[Symbol.iterator]());
      for (let page = ask(() => pages.next()); !page.done; page = ask(() => pages.next())) yield page.value;
    },
    async commit(commit, durable) {
      if (!damage)
        try {
          // Not handed on: what it rejects with is looked at here.
          return await ask((ledger) => ledger.commit(commit, durable));
        } catch (error) {
          const failure = noted(error);
          if (!damage) throw failure;
        }
      return renew(damage);
    },
    memoryOf: (jail) => ask((ledger) => ledger.memoryOf(jail)),
    bans: (query) => ask((ledger) => ledger.bans(query)),
    report: (jail, id) => ask((ledger) => ledger.report(jail, id)),
    events: (ban) => ask((ledger) => ledger.events(ban)),
    isProven: (hash) => ask((ledger) => ledger.isProven(hash)),
    remember: (hash, at) => ask((ledger) => ledger.remember(hash, at)),
    leave: (bans) => ask((ledger) => ledger.leave(bans)),
    upkeep: {
      between: (step) => ask(({ upkeep }) => upkeep.between(step)),
      isLogLong: () => ask(({ upkeep }) => upkeep.isLogLong()),
      forgetBans: (before, limit) => ask(({ upkeep }) => upkeep.forgetBans(before, limit)),
      forgetProofs: () => ask(({ upkeep }) => upkeep.forgetProofs()),
      size: () => ask(({ upkeep }) => upkeep.size()),
      giveBack: (pages) => ask(({ upkeep }) => upkeep.giveBack(pages)),
      async checkpoint() {
        const running = ask(({ upkeep }) => upkeep.checkpoint());
        checkpoint = running.catch(() => {});
        await running;
      },
      settle: async () => ask(({ upkeep }) => upkeep.settle()),
      holdBack: (isHeld) => ask(({ upkeep }) => upkeep.holdBack(isHeld)),
    },
    close: () => current.ledger?.close(),
  };
}
