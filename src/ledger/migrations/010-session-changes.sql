-- Sessions come and go with nearly every line of a log under attack: a row for each of them, found, replaced and deleted, took
-- more than all else. What changed is written as one text for each log and commit, and now and then all of it anew.
CREATE TABLE session_changes (
  id      INTEGER PRIMARY KEY,             -- in the order in which they were written
  source  TEXT NOT NULL,                   -- the path that is watched
  version INTEGER NOT NULL,
  entries INTEGER NOT NULL,
  state   TEXT NOT NULL                    -- JSON: a list of [filter, session], which is over, and of
                                           -- [filter, session, address, null, until, waiting], where there is none: null;
                                           -- from rows of before, the address in hexadecimal, and its bits
) STRICT;
INSERT INTO session_changes (source, version, entries, state)
  SELECT source, 1, 1, json_array(json_array(
    filter, session, iif(address IS NULL, NULL, hex(address)), bits, until, iif(waiting IS NULL, NULL, json(waiting))))
  FROM sessions ORDER BY rowid;
DROP TABLE sessions;
