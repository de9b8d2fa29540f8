-- A session whose address no line has told yet may have lines that wait for it.
CREATE TABLE sessions_with_waiting (
  source  TEXT NOT NULL,                   -- the path that is watched
  filter  TEXT NOT NULL,
  session TEXT NOT NULL,
  address BLOB CHECK (length(address) = 16),               -- NULL: not told yet
  bits    INTEGER CHECK (bits BETWEEN 0 AND 128),
  waiting TEXT,                            -- JSON: {pattern, counts}; NULL: nothing waits
  until   INTEGER NOT NULL,                -- by the stamps of later lines
  UNIQUE (source, filter, session)
) STRICT;
INSERT INTO sessions_with_waiting (source, filter, session, address, bits, until)
  SELECT source, filter, session, address, bits, until FROM sessions ORDER BY rowid;
DROP TABLE sessions;
ALTER TABLE sessions_with_waiting RENAME TO sessions;
