// Why a ban may have no effect, and what mends it. A table: the words of an alarm.
import type { IneffectiveView } from '../../api/contract.ts';
import type { Scope } from '../../model.ts';

export type Cause = IneffectiveView['cause'];

/** What was found, with what it was found by. In our own words and names of tables: no hostile text. */
export interface Finding {
  readonly cause: Cause;
  /** What was seen: `its packets come to port 80, and the ban covers 443`. */
  readonly seen: string;
}

export const MENDS: Readonly<Record<Cause, string>> = {
  ports: 'Name every port of the service in "ports" of the jail, or leave "ports" out: then all are covered.',
  proxy:
    'Ban where the traffic comes in: at the proxy or CDN, or in the web server. With "trustedProxies" and the header in "logFormat" Bailiff says so itself for each ban. Where the log is written on another host, run Bailiff there.',
  flowtable:
    'Take the service out of the flowtable, or flush what is offloaded after a ban: "conntrack -D -s ADDRESS".',
  allowed:
    'Take the address out of "allow" (and out of the allow sets of the kernel) if it shall be banned; else lift the ban.',
  'accepted-first':
    'Let Bailiff be asked first: take that rule or chain out, or give it a later priority than -300 (with iptables: put it behind the jump to bailiff-prerouting).',
  clock:
    'Set the clock of whoever writes the log, or "zone" of the jail: sentences run from the stamps of the lines.',
  'not-in-kernel':
    'Nothing if it stays this once: it is being put back. Else find out which program deletes it ("nft monitor").',
  unknown: '"bailiff doctor" looks at the whole host; "bailiff history ADDRESS" shows what is known of it.',
};

export function describeScope({ protocol, ports }: Scope): string {
  const what = protocol === 'any' ? '' : `${protocol} `;
  return ports.length === 0 ? `every ${what}port` : `${what}${ports.join(', ')}`;
}

export function covers({ protocol, ports }: Scope, to: { protocol: string; port: number }): boolean {
  return (protocol === 'any' || protocol === to.protocol) && (ports.length === 0 || ports.includes(to.port));
}
