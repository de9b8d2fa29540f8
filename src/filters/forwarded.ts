// Who a request came from when a proxy handed it on: the right-most address of the forwarding header that is no proxy we
// trust. What stands further left was written by whoever sent the request, and says nothing.
import { createNetworkSet, parseNetwork } from '../address.ts';
import type { Network } from '../model.ts';
import type { ReadAddress } from './addresses.ts';

/** nginx's variables that hold a forwarding header. */
export const FORWARDING_VARIABLES = [
  'http_x_forwarded_for',
  'proxy_add_x_forwarded_for',
  'http_forwarded',
  'http_x_real_ip',
  'http_cf_connecting_ip',
] as const;

/** The names under which a pattern keeps such a header: what stands there says whom a line is about. */
export const FORWARDING_FIELDS: readonly string[] = [
  'x_forwarded_for',
  'forwarded',
  'x_real_ip',
  'cf_connecting_ip',
];

/** A chain of proxies is short; what is longer was written by a client. */
const LONGEST_CHAIN = 32;

export interface Forwarding {
  /** Is it a proxy whose header is believed? */
  isTrusted(connecting: Network): boolean;
  /**
   * @param headers as they were sent; undefined where there was none.
   * @returns undefined where they name nobody: they are missing, all that they name are proxies, or what a trusted proxy
   *   wrote is no address (nothing further left is looked at then). So too where two name different clients: a proxy that
   *   writes one of them hands the other on as the client wrote it, and nothing tells which.
   */
  clientOf(headers: readonly (string | undefined)[]): Network | undefined;
}

/** @returns undefined where no proxy is trusted. */
export function createForwarding(
  trusted: readonly Network[],
  readAddress: ReadAddress,
): Forwarding | undefined {
  if (trusted.length === 0) return undefined;
  const proxies = createNetworkSet(trusted);
  const namedBy = (header: string | undefined): Network | undefined => {
    let end = header?.length ?? 0;
    for (let hops = 0; header !== undefined && end >= 0 && hops < LONGEST_CHAIN; hops++) {
      const comma = commaBefore(header, end);
      const address = readAddress(nodeOf(header.slice(comma + 1, end)));
      if (!address) return undefined;
      if (!proxies.holding(address)) return address;
      end = comma;
    }
    return undefined;
  };
  return {
    isTrusted: (connecting) => proxies.holding(connecting) !== undefined,
    clientOf(headers) {
      const clients = headers.flatMap((header) => namedBy(header) ?? []);
      return clients.every(({ text }) => text === clients[0]!.text) ? clients[0] : undefined;
    },
  };
}

/** Who is behind a line of text. */
export interface Origin {
  readonly address: Network;
  /** The trusted proxy that handed the request on. */
  readonly via: Network | undefined;
}

/**
 * Reads forwarding headers as they stand in lines of text.
 * @param connecting who connected, where the line says so. Where it doesn't, the last address of the first header is his: the
 *   web server in front of the service has added it.
 * @returns undefined where nobody can be named.
 */
export type ReadOrigin = (connecting: Network | undefined, headers: readonly string[]) => Origin | undefined;

/** Networks of one's own (RFC 1918, RFC 4193), and the host itself. */
const PRIVATE = ['10.0.0.0/8', '127.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '::1/128', 'fc00::/7'];

/**
 * @param trusted proxies whose header is believed. Without any, whoever connected is the client; but where that is told by a
 *   list only, a private address behind others is nobody: it is that of a proxy that no one has named.
 */
export function createOriginReader(trusted: readonly Network[], readAddress: ReadAddress): ReadOrigin {
  const forwarding = createForwarding(trusted, readAddress);
  const own = createNetworkSet(PRIVATE.map((text) => parseNetwork(text)!.network));
  return (told, headers) => {
    const [list = ''] = headers;
    const comma = told ? -1 : commaBefore(list, list.length);
    const connecting = told ?? readAddress(nodeOf(list.slice(comma + 1)));
    if (!connecting) return undefined;
    if (!forwarding && comma >= 0 && own.holding(connecting)) return undefined;
    if (headers.length === 0 || !forwarding?.isTrusted(connecting))
      return { address: connecting, via: undefined };
    const client = forwarding.clientOf(headers);
    return client && { address: client, via: connecting };
  };
}

/** Read from the right, so that a quote which a client left open swallows nothing that a proxy wrote. @returns -1: none. */
function commaBefore(header: string, end: number): number {
  let isQuoted = false;
  for (let at = end - 1; at >= 0; at--) {
    const character = header[at];
    if (character === '"') isQuoted = !isQuoted;
    else if (character === ',' && !isQuoted) return at;
  }
  return -1;
}

/** One element: an address, or `for="[2001:db8::7]:4711";proto=https` (RFC 7239). */
function nodeOf(element: string): string {
  const parameter = element.includes('=')
    ? element.split(';').find((each) => /^\s*for=/i.test(each))
    : undefined;
  const node = parameter === undefined ? element : parameter.slice(parameter.indexOf('=') + 1);
  return node.trim().replace(/^"(.*)"$/, '$1');
}
