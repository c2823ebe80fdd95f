-- When entries of a lane were begun, lately, by the senders' clocks: who takes over knows so how much of a
-- limit is used.
ALTER TABLE lanes ADD COLUMN begun timestamptz[] NOT NULL DEFAULT '{}';
