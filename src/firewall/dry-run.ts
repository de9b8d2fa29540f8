// A firewall that says which nft statements it would run, and runs none. What it would have blocked is kept in memory,
// so that everything above it behaves as on a real one.
import type { Instant, Network } from '../model.ts';
import type { Clock, Log } from '../ports.ts';
import type { Applied, Change, Firewall } from './contract.ts';
import { gathered } from './gathered.ts';
import { createMemory } from './memory.ts';
import { NO_TABLE, type Plan } from './nft-layout.ts';
import { chunksOf, planChanges, planFoundation } from './nft-plan.ts';
import { addTable, deleteTable, textOf } from './nft-script.ts';

/** Characters of a statement that are logged: enough for a dozen elements. */
const MAX_STATEMENT = 500;

export function createDryRun({ clock, log }: { clock: Clock; log: Log }): Firewall {
  const memory = createMemory({ clock });
  let layout = NO_TABLE;
  let allowed: readonly Network[] = [];

  function pretend({ statements, after }: Plan): void {
    layout = after;
    if (statements.length === 0) return;
    log.info({ statements: statements.map((each) => shorten(textOf(each))) }, 'would run nft');
  }

  async function allow(networks: readonly Network[]): Promise<void> {
    allowed = networks;
    pretend(planFoundation(layout, networks));
  }

  async function apply(changes: readonly Change[], now: Instant): Promise<Applied[]> {
    for (const some of chunksOf(changes)) pretend(planChanges(layout, allowed, some, now));
    return memory.apply(changes, now);
  }

  return {
    kind: 'dry-run',
    enforces: false,
    prepare: allow,
    allow,
    list: memory.list,
    apply,
    fill: (now) => gathered(apply, now),
    dropped: memory.dropped,
    isWhole: memory.isWhole,
    async teardown() {
      pretend({ statements: [addTable(), deleteTable()], after: NO_TABLE });
      await memory.teardown();
    },
    async close() {},
  };
}

function shorten(statement: string): string {
  return statement.length <= MAX_STATEMENT ? statement : `${statement.slice(0, MAX_STATEMENT)}…`;
}
