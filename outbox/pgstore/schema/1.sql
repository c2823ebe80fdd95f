-- The tables of an outbox, in a schema of their own, which is the search path while this runs.
-- A time that was not given is the first day of the year 1.

CREATE TABLE version (
	version integer     PRIMARY KEY,
	since   timestamptz NOT NULL DEFAULT now()
);

-- Who sends a lane. The token grows with each owner: whoever has an older one has lost the lane.
CREATE TABLE lanes (
	lane    text        PRIMARY KEY,
	owner   text        NOT NULL DEFAULT '',
	token   bigint      NOT NULL DEFAULT 0,
	expires timestamptz NOT NULL DEFAULT '0001-01-01 00:00:00+00', -- by the sender's clock
	ttl     interval    NOT NULL DEFAULT '0',
	paused  text        NOT NULL DEFAULT ''                        -- why
);
INSERT INTO lanes (lane) VALUES ('events'), ('subscribers'), ('commands'), ('emails');

CREATE SEQUENCE ids;

CREATE TABLE entries (
	id           bigint      PRIMARY KEY,
	lane         text        NOT NULL COLLATE "C",
	state        text        NOT NULL COLLATE "C" DEFAULT 'queued'
	             CHECK (state IN ('queued', 'sending', 'accepted', 'failed', 'parked', 'discarded')),
	key          bytea       NOT NULL, -- the caller's name of the record; empty if it has none
	at_most_once boolean     NOT NULL,
	harmless     boolean     NOT NULL, -- Bento drops a repeat
	told         boolean     NOT NULL DEFAULT false, -- it has a history
	attempts     integer     NOT NULL DEFAULT 0,
	reason       text        NOT NULL DEFAULT '',
	enqueued     timestamptz NOT NULL,
	not_before   timestamptz NOT NULL,
	changed      timestamptz NOT NULL,
	record       bytea       NOT NULL  -- JSON; empty once it is accepted or discarded
) WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_insert_scale_factor = 0.2);

-- An entry that is delivered without further ado is in one of these after the other: fresh, sending.
CREATE INDEX entries_fresh   ON entries (lane, id)             WHERE state = 'queued' AND attempts = 0 AND not_before = '0001-01-01 00:00:00+00';
CREATE INDEX entries_waiting ON entries (lane, not_before, id) WHERE state = 'queued' AND (attempts > 0 OR not_before > '0001-01-01 00:00:00+00');
CREATE INDEX entries_tried   ON entries (lane, changed)        WHERE state = 'queued' AND attempts > 0;
CREATE INDEX entries_sending ON entries (lane, id)             WHERE state = 'sending';
CREATE INDEX entries_settled ON entries (state, id)            WHERE state <> 'queued' AND state <> 'sending';
CREATE INDEX entries_old     ON entries (lane, changed, id)    WHERE state IN ('accepted', 'failed', 'discarded');
CREATE UNIQUE INDEX entries_key ON entries (lane, key)         WHERE key <> '';

CREATE TABLE history (
	entry  bigint      NOT NULL,
	n      bigint      GENERATED ALWAYS AS IDENTITY,
	at     timestamptz NOT NULL,
	by     text        NOT NULL,
	state  text        NOT NULL,
	reason text        NOT NULL,
	PRIMARY KEY (entry, n)
);

-- Verdicts and decisions ever.
CREATE TABLE totals (
	lane  text   NOT NULL COLLATE "C",
	state text   NOT NULL COLLATE "C",
	cause text   NOT NULL COLLATE "C",
	n     bigint NOT NULL,
	PRIMARY KEY (lane, state, cause)
);

-- How many bytes the entries take is the sum of these. A transaction adds to a row that no other has
-- locked, and makes one if there is none: so none waits, and there are as many as were ever at it at once.
CREATE TABLE room (
	n     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	bytes bigint NOT NULL
) WITH (fillfactor = 20);
