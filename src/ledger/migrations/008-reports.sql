-- What was answered to reports that came with an id, in the order in which they came. A report that comes again is told from a
-- new one by it. Bounded: each commit with reports deletes the oldest.
CREATE TABLE reports (
  seq     INTEGER PRIMARY KEY,
  jail    TEXT NOT NULL,
  id      TEXT NOT NULL,                   -- the reporter's own
  at      INTEGER NOT NULL,                -- when it came
  address TEXT NOT NULL,                   -- as the answer wrote it
  outcome TEXT NOT NULL,
  why     TEXT,
  UNIQUE (jail, id)
) STRICT;
