// Bans: listed, passed and lifted.
import * as v from 'valibot';
import { BailiffError } from '../../errors.ts';
import type { BanView, Page } from '../contract.ts';
import { addressField, durationField, jailField, switchField } from '../fields.ts';
import { route } from '../route.ts';

/** More addresses than this in one request are refused; the client sends them in several. */
const MOST = 10_000;

export const bansRoutes = [
  route({
    method: 'GET',
    path: '/v1/bans',
    roles: ['status', 'control'],
    summary:
      'The bans in force, a page at a time. On status.sock `reason` is empty, since it may quote a log line.',
    query: {
      jail: v.optional(jailField),
      all: v.optional(v.pipe(switchField, v.description('Ended ones too.'))),
      after: v.optional(
        v.pipe(v.string(), v.nonEmpty(), v.maxLength(64), v.description('`next` of the page before.')),
      ),
    },
    body: {},
    answers: 'BanPage',
    async handle({ control, role, query }) {
      const page = await control.bans(query);
      return role === 'control' ? page : withoutHostileText(page);
    },
  }),
  route({
    method: 'POST',
    path: '/v1/bans',
    roles: ['control'],
    summary: 'Bans addresses or networks now. One outcome an address, in order; a refusal is an outcome.',
    query: {},
    body: {
      addresses: v.pipe(v.array(addressField), v.nonEmpty(), v.maxLength(MOST)),
      jail: v.optional(jailField),
      for: v.optional(v.pipe(durationField, v.description('How long: `"10m"`, seconds, or `"forever"`.'))),
      reason: v.optional(v.pipe(v.string(), v.maxLength(500))),
      force: v.optional(
        v.pipe(v.boolean(), v.description('Also a protected address. Never one that is allowed.')),
      ),
    },
    answers: 'BanOutcomes',
    handle: ({ control, body }) => control.ban(body),
  }),
  route({
    method: 'DELETE',
    path: '/v1/bans',
    roles: ['control'],
    summary:
      'Lifts bans: of each `address` (which may be repeated), of a whole `jail`, or with `all` every ban there is.',
    query: {
      address: v.optional(
        v.pipe(
          v.union([addressField, v.pipe(v.array(addressField), v.maxLength(MOST))]),
          v.description('An address, or a network with everything inside it. May be repeated.'),
        ),
      ),
      jail: v.optional(jailField),
      all: v.optional(switchField),
    },
    body: {},
    answers: 'UnbanOutcomes',
    async handle({ control, query }) {
      const { address, jail, all } = query;
      if (address !== undefined) {
        if (all)
          throw new BailiffError('E_USAGE', 'name addresses or set `all`, not both; `all` lifts every ban');
        return control.unban({ addresses: [address].flat(), jail });
      }
      if (!all && jail === undefined)
        throw new BailiffError('E_USAGE', 'name an `address` or a `jail`, or set `all` to lift every ban');
      return control.unban({ all: true, jail });
    },
  }),
];

function withoutHostileText(page: Page<BanView>): Page<BanView> {
  return { items: page.items.map((ban) => ({ ...ban, reason: '' })), next: page.next };
}
