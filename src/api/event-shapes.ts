// The events of contract.ts as a table: what each kind tells, and its fields. docs/events.md and the OpenAPI document
// are made from it; the types at the end make the compiler hold it and the contract together.
import * as v from 'valibot';
import type * as contract from './contract.ts';

const say = <S extends v.GenericSchema>(schema: S, text: string) => v.pipe(schema, v.description(text));
const instant = v.pipe(v.string(), v.isoTimestamp());
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const mode = v.picklist(['enforcing', 'detect-only', 'stood-down']);

const jail = say(v.string(), 'Name of the jail; `manual` for bans by hand without one.');
const address = say(v.string(), 'The address or network.');
const ban = say(count, 'Number of the ban, as `bans` has it.');

/** What every event begins with. */
export const HEAD = {
  id: say(v.string(), 'The place in the stream. Hand it back as `Last-Event-ID`.'),
  at: say(instant, 'When the daemon noticed.'),
};

interface Kind {
  /** One sentence for the reference. */
  readonly summary: string;
  readonly fields: v.ObjectEntries & { readonly kind: v.GenericSchema };
}

export const KINDS = {
  match: {
    summary:
      'A filter recognised a line, and a jail judged it. One event for each jail that looks at the line.',
    fields: {
      kind: v.literal('match'),
      jail,
      filter: say(v.string(), 'Name of the filter.'),
      address: say(v.string(), 'The address as it was read.'),
      outcome: say(
        v.picklist(['counted', 'ban', 'recorded', 'ignored', 'late', 'success']),
        'What the jail made of it. `recorded`: it is known and counts nothing, for the reason in `why`.',
      ),
      why: say(v.optional(v.string()), 'Why it was recorded, ignored or late.'),
      count: say(v.optional(count), 'How many matches count now …'),
      of: say(v.optional(count), '… and how many ban.'),
      time: say(instant, "The line's own instant; the arrival where it has none."),
      file: say(v.string(), 'The file that holds the line.'),
      line: say(count, 'Its number in the file, from 1.'),
      fields: say(
        v.optional(v.record(v.string(), v.string())),
        'What the pattern kept, each cut at 200 characters. **Hostile text**, on control.sock alone.',
      ),
      text: say(
        v.optional(v.string()),
        'The line, cut at 500 characters. **Hostile text**, on control.sock alone.',
      ),
    },
  },
  ban: {
    summary: 'An address was banned, or its ban was made longer.',
    fields: {
      kind: v.literal('ban'),
      what: v.picklist(['imposed', 'extended']),
      ban,
      jail,
      address,
      since: instant,
      until: say(v.nullable(instant), 'null: no end.'),
      nth: say(count, 'Which sentence of this address it is.'),
      reason: say(v.string(), 'Empty on status.sock.'),
      by: say(v.string(), '`jail`, `admin`, or what another source calls itself.'),
    },
  },
  release: {
    summary: 'A ban has ended.',
    fields: {
      kind: v.literal('release'),
      ban,
      jail,
      address,
      by: say(v.string(), '`expired`, `admin`, `allow`, …'),
      why: v.string(),
    },
  },
  brake: {
    summary:
      'A jail has tripped, since those that it banned had behaved: it only detects from now on. Or it was put back in force.',
    fields: {
      kind: v.literal('brake'),
      what: v.picklist(['tripped', 'released']),
      jail,
      why: say(v.string(), 'Empty when it is released.'),
    },
  },
  kernel: {
    summary: 'The firewall took a change, or refused it. Not told where nothing is enforced.',
    fields: {
      kind: v.literal('kernel'),
      what: v.picklist(['blocked', 'released', 'refused']),
      address,
      protocol: v.picklist(['any', 'tcp', 'udp']),
      ports: say(v.array(count), 'Empty: all ports.'),
      answer: say(v.optional(v.string()), '`reject`, or `throttle` and its rate; left out: drop.'),
      why: say(v.optional(v.string()), 'What the kernel said when it refused.'),
    },
  },
  fault: {
    summary: 'Something has gone wrong, or is mended. `status` shows what is wrong now.',
    fields: {
      kind: v.literal('fault'),
      what: v.picklist(['raised', 'cleared']),
      code: say(v.string(), 'See [faults.md](faults.md).'),
      message: say(v.string(), 'Empty when it is cleared.'),
      source: say(v.optional(v.string()), 'The log that it is about; left out: the daemon itself.'),
    },
  },
  mode: {
    summary: 'Whether bans are in force has changed.',
    fields: { kind: v.literal('mode'), mode, was: mode },
  },
  reload: {
    summary: 'A new config was taken or refused.',
    fields: {
      kind: v.literal('reload'),
      outcome: v.picklist(['applied', 'refused', 'rolled-back', 'confirmed']),
      message: v.string(),
      added: say(v.array(v.string()), 'Names of jails.'),
      removed: v.array(v.string()),
      changed: v.array(v.string()),
      faults: say(count, 'How many faults the new config has.'),
    },
  },
  gap: {
    summary:
      'Events before this one are lost to this reader. Told whatever the filters are, and only in answer to a `Last-Event-ID`.',
    fields: {
      kind: v.literal('gap'),
      why: say(
        v.picklist(['restarted', 'overrun', 'unwatched']),
        '`restarted`: the id is of an earlier daemon. `overrun`: more has happened than is remembered. `unwatched`: matches may be missing, since nobody was there to be told.',
      ),
    },
  },
} as const satisfies Record<contract.NewsKind, Kind>;

const { match, ban: banned, release, brake, kernel, fault, mode: standing, reload, gap } = KINDS;

export const LiveEvent = v.variant('kind', [
  v.strictObject({ ...HEAD, ...match.fields }),
  v.strictObject({ ...HEAD, ...banned.fields }),
  v.strictObject({ ...HEAD, ...release.fields }),
  v.strictObject({ ...HEAD, ...brake.fields }),
  v.strictObject({ ...HEAD, ...kernel.fields }),
  v.strictObject({ ...HEAD, ...fault.fields }),
  v.strictObject({ ...HEAD, ...standing.fields }),
  v.strictObject({ ...HEAD, ...reload.fields }),
  v.strictObject({ ...HEAD, ...gap.fields }),
]);
