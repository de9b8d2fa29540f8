// Addresses for inputs: as many as wanted, all different, none of this host or of its networks.

/** The nth IPv4 address of an outside network: from 11.0.0.1 on, sixteen million of them. */
export const ipv4 = (n: number): string =>
  `${11 + (n >> 24)}.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`;

/** An IPv6 address in the nth /64. */
export const ipv6 = (n: number, host = 1): string =>
  `2600:${(n >> 16).toString(16)}:${(n & 65_535).toString(16)}:1::${host.toString(16)}`;

/** As a jail names who is counted: an IPv4 address, or the /64. */
export const counted = (address: string): string =>
  address.includes(':') ? `${address.slice(0, address.indexOf('::'))}::/64` : address;

/** About one in `every` is IPv6. */
export const either = (n: number, every = 5): string => (n % every === 0 ? ipv6(n) : ipv4(n));
