// All bans, page after page.
import type { BanView, Page } from '../api/contract.ts';
import { BailiffError } from '../errors.ts';
import type { Context } from './verb.ts';

/** The whole list. Whoever may not open control.sock gets what status.sock shows. */
export async function fetchBans(
  context: Context,
  query: { jail?: string; all?: boolean },
): Promise<BanView[]> {
  try {
    return await fetchAll(context, 'control', query);
  } catch (error) {
    if (!(error instanceof BailiffError && error.code === 'E_NOT_PERMITTED')) throw error;
    return fetchAll(context, 'status', query);
  }
}

async function fetchAll(
  context: Context,
  role: 'control' | 'status',
  query: { jail?: string; all?: boolean },
): Promise<BanView[]> {
  const client = await context.client(role);
  const bans: BanView[] = [];
  let page: Page<BanView> = await client.bans(query);
  for (;;) {
    bans.push(...page.items);
    if (page.next === null) return bans;
    page = await client.bans({ ...query, after: page.next });
  }
}
