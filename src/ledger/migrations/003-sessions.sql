-- Whose sessions are under way in a log, for its lines that bear no address. Written anew whenever a line speaks of one, so
-- that the order of rows is that in which they were heard of last.
CREATE TABLE sessions (
  source  TEXT NOT NULL,                   -- the path that is watched
  filter  TEXT NOT NULL,
  session TEXT NOT NULL,
  address BLOB NOT NULL CHECK (length(address) = 16),
  bits    INTEGER NOT NULL CHECK (bits BETWEEN 0 AND 128),
  until   INTEGER NOT NULL,                -- by the stamps of later lines
  UNIQUE (source, filter, session)
) STRICT;
