// The least program in Node in the place of the daemon, in a log of its own.
import { once } from 'node:events';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { program } from '../../test/support/programs.ts';
import { eventually } from '../../test/support/run.ts';
import type { Stage } from './bench.ts';
import type { Enforcing } from './enforcing.ts';
import { setsOf } from './kernel.ts';
import { ROOT } from './places.ts';

/** The set that it bans in. */
export const LEAST_SET = 'ip bare banned';

/** Does `work` while bare-watch.ts follows the log that `append` writes to; it has banned nobody yet. */
export async function watchedByLeast<T>(
  { built }: Stage,
  { server, folder }: Enforcing,
  work: (least: Pick<Enforcing, 'append'>) => Promise<T>,
): Promise<T> {
  const log = join(folder, 'logs/bare.log');
  writeFileSync(log, '');
  const child = server.spawn(built.node, [join(ROOT, 'bench/bare-watch.ts'), log, program('nft')]);
  try {
    await once(child.stdout!, 'data', { signal: AbortSignal.timeout(10_000) });
    await eventually('its set is there', async () => (await setsOf(server)).includes(LEAST_SET));
    return await work({ append: (text) => appendFileSync(log, text, 'latin1') });
  } finally {
    child.kill('SIGKILL');
    await server.run(program('nft'), ['delete', 'table', 'ip', 'bare']);
  }
}
