// What must be gone when the process ends, however it ends: namespaces, children, temporary folders.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const removals = new Set<() => void>();

/**
 * Registers a synchronous removal that runs at exit, the latest first, unless taken back before.
 * @returns the function that takes it back.
 */
export function removeAtExit(removal: () => void): () => void {
  if (removals.size === 0) process.once('exit', removeAll);
  removals.add(removal);
  return () => {
    removals.delete(removal);
    if (removals.size === 0) process.off('exit', removeAll);
  };
}

function removeAll(): void {
  for (const removal of [...removals].reverse()) {
    try {
      removal();
    } catch {
      // The others must still be tried.
    }
  }
  removals.clear();
}

export interface TemporaryFolder {
  readonly path: string;
  remove(): void;
}

/**
 * A folder of its own (mode 0700), gone at the latest when the process ends. In tests make it in a hook, not while
 * they are collected: a test worker is killed where nothing of it ran.
 */
export function temporaryFolder(name: string): TemporaryFolder {
  const path = mkdtempSync(join(tmpdir(), `bailiff-${name}-`));
  const remove = () => rmSync(path, { recursive: true, force: true });
  const takeBack = removeAtExit(remove);
  return {
    path,
    remove() {
      takeBack();
      remove();
    },
  };
}
