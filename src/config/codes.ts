// Every code that this room gives a fault or a warning, and when. The codes are stable; docs/config.md lists them.

export const CONFIG_CODES = {
  E_CONFIG_UNREADABLE: 'A file is missing, may not be read, is too large or is not a regular file.',
  E_CONFIG_UNTRUSTED:
    'A file, or a folder above it, belongs to or can be written by someone who is not trusted.',
  E_CONFIG_EMPTY: 'A config file holds nothing (`{}` is a config without jails).',
  E_CONFIG_SYNTAX: 'A file is not JSON with comments, or not UTF-8.',
  E_CONFIG_UNKNOWN_KEY: 'A key is not known at this place.',
  E_CONFIG_DUPLICATE_KEY: 'A key stands twice in one object.',
  E_CONFIG_TYPE: 'A value is of the wrong kind: a text where a number is expected, say.',
  E_CONFIG_VALUE: 'A value is of the right kind but not among those allowed.',
  E_CONFIG_NAME: 'A name of a jail or a field cannot be used.',
  E_CONFIG_DURATION: 'A text is no duration, or the duration makes no sense here.',
  E_CONFIG_ADDRESS: 'An entry is neither an address, a network, a name nor a `file:`.',
  E_CONFIG_UNKNOWN_FILTER: 'No filter of that name is shipped or stands in `filters/` beside the config.',
  E_CONFIG_MISSING: 'A jail lacks a key that it cannot do without.',
  E_CONFIG_CONFLICT: 'Two values contradict each other.',
  W_CONFIG_HOST_BITS: 'A network has bits set beyond its prefix; it is taken as the network.',
  W_CONFIG_ALLOWS_ALL: 'An entry allows every address of IPv4 or of IPv6.',
  W_CONFIG_FORGEABLE:
    'A jail believes entries of the journal that any local user can write: a group of its terms has no field that begins with "_".',
  W_CONFIG_NO_JAILS: 'The config has no jails: only bans by hand work.',
  W_CONFIG_DELETES_NOTHING: 'A null in `jails.d/` names a key that is not there.',
} as const;

export type ConfigCode = keyof typeof CONFIG_CODES;
