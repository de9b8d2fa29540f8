// What may stand in `allow` and `ignore`: addresses, networks, names, `file:` and `self`; and the lists that `file:` names.
import { isAbsolute } from 'node:path';
import { parseNetwork } from '../address.ts';
import type { Fault } from '../errors.ts';
import type { AllowEntry } from './contract.ts';
import type { Place } from './place.ts';
import { faultAt, placeIn, shown } from './place.ts';
import { readText } from './read.ts';

/** What an entry must be, for messages. */
export const ALLOW_EXPECTED =
  'an address, a network such as 192.0.2.0/24, a name such as office.example.net, file:/path or self';

/** A list larger than this is a mistake. */
const MAX_LIST = 16 * 1024 * 1024;

/** Two labels or more, the last one not all digits, so that a mistyped address is no name. */
const NAME =
  /^(?=.{3,254}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?!\d+\.?$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.?$/i;

type Read =
  | {
      readonly kind: 'entry';
      readonly entry: AllowEntry;
      readonly warning?: readonly ['W_CONFIG_HOST_BITS' | 'W_CONFIG_ALLOWS_ALL', string];
    }
  /** The host's own addresses are protected in any case. */
  | { readonly kind: 'self' }
  | { readonly kind: 'bad'; readonly hint: string | undefined };

/** Reads one entry as it was written. */
export function readAllowEntry(written: string): Read {
  if (written === 'self') return { kind: 'self' };
  if (written.startsWith('file:')) {
    const path = written.slice('file:'.length);
    if (!isAbsolute(path)) return { kind: 'bad', hint: 'the path after file: must be absolute' };
    return { kind: 'entry', entry: { kind: 'file', path, written } };
  }
  const parsed = parseNetwork(written);
  if (parsed) {
    const entry: AllowEntry = { kind: 'network', network: parsed.network, written };
    const { text, bits, family } = parsed.network;
    if (parsed.hostBits)
      return {
        kind: 'entry',
        entry,
        warning: ['W_CONFIG_HOST_BITS', `${shown(written)} is taken as the network ${text}`],
      };
    if (bits === 0)
      return {
        kind: 'entry',
        entry,
        warning: ['W_CONFIG_ALLOWS_ALL', `${text} allows every IPv${family} address: none will be banned`],
      };
    return { kind: 'entry', entry };
  }
  if (NAME.test(written)) {
    const name = written.toLowerCase().replace(/\.$/, '');
    return { kind: 'entry', entry: { kind: 'name', name, written } };
  }
  return { kind: 'bad', hint: whatIsWrong(written) };
}

/**
 * Reads the list that a `file:` names: one entry a line, `#` begins a comment. A list can't name another list.
 * Faulty lines are told, and the others are there.
 */
export function readAllowFile(path: string): { entries: AllowEntry[]; faults: Fault[]; warnings: Fault[] } {
  const entries: AllowEntry[] = [];
  const faults: Fault[] = [];
  const warnings: Fault[] = [];
  const file = readText(path, MAX_LIST);
  if (!file.ok) return { entries, faults: [file.fault], warnings };
  const place = placeIn(path, file.text);
  for (const match of file.text.matchAll(/[^\r\n]+/g)) {
    const line = match[0].replace(/#.*/, '');
    const written = line.trim();
    if (written === '') continue;
    const at: Place = place(match.index + line.indexOf(written));
    const read = readAllowEntry(written);
    if (read.kind === 'self') continue;
    if (read.kind === 'bad') {
      faults.push(
        faultAt(at, 'E_CONFIG_ADDRESS', `expected ${ALLOW_EXPECTED}, got ${shown(written)}`, read.hint),
      );
    } else if (read.entry.kind === 'file') {
      const message = `a list can't name another list, got ${shown(written)}`;
      faults.push(faultAt(at, 'E_CONFIG_ADDRESS', message, 'name it in "allow" itself'));
    } else {
      entries.push(read.entry);
      if (read.warning) warnings.push(faultAt(at, ...read.warning));
    }
  }
  return { entries, faults, warnings };
}

function whatIsWrong(written: string): string | undefined {
  if (written !== written.trim()) return 'take away the spaces around it';
  if (/^[\d.]+(?:\/\d*)?$/.test(written))
    return 'IPv4 has four numbers from 0 to 255 and a prefix from 0 to 32';
  if (written.includes('%')) return 'an address is written without its zone';
  if (/^[\da-f:.]+(?:\/\d*)?$/i.test(written) && written.includes(':'))
    return 'IPv6 has up to eight groups and a prefix from 0 to 128';
  if (/^[\w-]+$/.test(written)) return 'a name has a dot in it';
  return undefined;
}
