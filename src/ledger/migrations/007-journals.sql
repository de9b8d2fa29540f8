-- How far the journal has been read, by each set of match terms.
CREATE TABLE journals (
  id     TEXT PRIMARY KEY,
  cursor TEXT,                             -- NULL: no entry yet
  since  INTEGER NOT NULL,                 -- without a cursor, what the journal received earlier is not read
  lines  INTEGER NOT NULL,
  broken TEXT NOT NULL                     -- JSON: streams whose latest line was broken off
) STRICT;
