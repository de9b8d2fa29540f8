-- How we know of a log-in: 'session', 'command', or NULL where a log line told it.
ALTER TABLE welcomes ADD COLUMN by TEXT;

-- What the brake of each jail remembers: the latest bans, and whether it has tripped. As a text whose shape the version tells.
CREATE TABLE brakes (
  jail    TEXT PRIMARY KEY,
  version INTEGER NOT NULL,
  state   TEXT NOT NULL
) STRICT;

-- Addresses with a record of periods without a match, in the order in which they were seen last.
CREATE TABLE regulars (
  address TEXT NOT NULL UNIQUE,
  clean   INTEGER NOT NULL,
  spoiled INTEGER NOT NULL,
  period  INTEGER NOT NULL
) STRICT;
