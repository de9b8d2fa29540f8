-- What a daemon that ended in order leaves for its next start: a picture of the open bans, in a file of its own (left.ts). To read
-- the rows of a hundred thousand takes a third of a second. It is true only while they stand as they are: whoever changes any, by
-- whatever program, takes its mark out, and without that nobody looks at it. Whether the ban is open isn't asked: REPLACE ends one
-- without telling a trigger of what it replaces.
CREATE TABLE left_bans (
  id      INTEGER PRIMARY KEY CHECK (id = 1),
  version INTEGER NOT NULL,
  text    INTEGER NOT NULL,                -- bytes of the JSON in front
  sum     INTEGER NOT NULL                 -- CRC-32 of the file
) STRICT;
CREATE TRIGGER left_bans_begun AFTER INSERT ON bans
  BEGIN DELETE FROM left_bans; END;
CREATE TRIGGER left_bans_changed AFTER UPDATE ON bans
  BEGIN DELETE FROM left_bans; END;
CREATE TRIGGER left_bans_gone AFTER DELETE ON bans
  BEGIN DELETE FROM left_bans; END;
