-- Which bans ended first: history is forgotten in that order, some at a time.
CREATE INDEX bans_by_end ON bans (ended_at) WHERE ended_at IS NOT NULL;
