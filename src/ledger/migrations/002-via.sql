-- The trusted proxy through which a banned address reached the host, as it is written; NULL: it came by itself.
ALTER TABLE bans ADD COLUMN via TEXT;
