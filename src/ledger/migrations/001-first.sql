-- Addresses are 16 normalised bytes (IPv4 as ::ffff:a.b.c.d) and a prefix length among 128 bits.
-- Instants are whole milliseconds since the epoch, UTC.

CREATE TABLE positions (
  id          TEXT PRIMARY KEY,
  path        TEXT NOT NULL,
  inode       TEXT NOT NULL,               -- decimal: it may not fit 63 bits
  head_length INTEGER NOT NULL,
  head_hash   TEXT NOT NULL,
  "offset"    INTEGER NOT NULL,
  tail_hash   TEXT NOT NULL,
  lines       INTEGER NOT NULL,
  skipping    INTEGER NOT NULL,
  finished    INTEGER NOT NULL
) STRICT;

-- What a jail remembers of an offender is its own matter: a text whose shape the version tells.
CREATE TABLE offenders (
  jail    TEXT NOT NULL,
  address BLOB NOT NULL CHECK (length(address) = 16),
  bits    INTEGER NOT NULL CHECK (bits BETWEEN 0 AND 128),
  version INTEGER NOT NULL,
  state   TEXT NOT NULL,
  UNIQUE (jail, address, bits)
) STRICT;

CREATE TABLE bans (
  id       INTEGER PRIMARY KEY,
  jail     TEXT NOT NULL,
  address  BLOB NOT NULL CHECK (length(address) = 16),
  bits     INTEGER NOT NULL CHECK (bits BETWEEN 0 AND 128),
  since    INTEGER NOT NULL,
  until    INTEGER,                        -- NULL: no end
  nth      INTEGER NOT NULL,
  reason   TEXT NOT NULL,
  by       TEXT NOT NULL,
  evidence TEXT NOT NULL,                  -- JSON: [{file, line, at, text}]
  scope    TEXT,                           -- JSON: {protocol, ports}; NULL: only detected
  ended_at INTEGER,                        -- NULL: open
  ended_by TEXT
) STRICT;

CREATE UNIQUE INDEX one_open_ban ON bans (jail, address, bits) WHERE ended_at IS NULL;
CREATE INDEX bans_by_address ON bans (address, bits);

CREATE TABLE ban_events (
  id   INTEGER PRIMARY KEY,
  ban  INTEGER NOT NULL REFERENCES bans (id),
  at   INTEGER NOT NULL,
  what TEXT NOT NULL,
  by   TEXT NOT NULL,
  why  TEXT NOT NULL
) STRICT;

CREATE INDEX ban_events_by_ban ON ban_events (ban);

-- Filters that have withstood their samples and forgeries, by the hash of their text.
CREATE TABLE proofs (
  hash TEXT PRIMARY KEY,
  at   INTEGER NOT NULL
) STRICT;
