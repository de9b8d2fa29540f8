-- From which addresses someone logged in, and until when that protects them, by the stamps of lines. Written anew with each
-- log-in, so that the order of rows is that in which they were heard of.
CREATE TABLE welcomes (
  jail    TEXT NOT NULL,
  address BLOB NOT NULL CHECK (length(address) = 16),
  bits    INTEGER NOT NULL CHECK (bits BETWEEN 0 AND 128),
  since   INTEGER NOT NULL,
  last    INTEGER NOT NULL,
  until   INTEGER NOT NULL,
  UNIQUE (jail, address, bits)
) STRICT;

-- The last line of a log, where a filter took it: the next one may say that it came again.
CREATE TABLE last_lines (
  source TEXT PRIMARY KEY,                 -- the path that is watched
  line   BLOB NOT NULL,                    -- as it stands in the log, without its end
  at     INTEGER NOT NULL                  -- when it was read
) STRICT;
