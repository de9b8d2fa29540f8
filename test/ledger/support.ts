// What the tests of the ledger share: a state folder of their own, ledgers in it, and nouns to fill them with.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Ledger } from '../../src/ledger/contract.ts';
import { openLedger, type LedgerOptions } from '../../src/ledger/index.ts';

export { T0, ban, commitOf, event, journal, net, offender, position } from './nouns.ts';

/** An empty folder that goes when the test ends. */
export function stateFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'bailiff-ledger-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Closed when the test ends, if it isn't before. */
export function ledgerIn(folder: string, options?: LedgerOptions): Ledger {
  const ledger = openLedger(folder, options);
  onTestFinished(() => ledger.close());
  return ledger;
}

/** What the next daemon finds. */
export function reopened(ledger: Ledger, folder: string): Ledger {
  ledger.close();
  return ledgerIn(folder);
}
