package sqlitestore

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"example.com/bento-go/outbox"
)

// schema is made in an empty file; its version is user_version.
const schema = `
CREATE TABLE lanes (
	lane    INTEGER PRIMARY KEY,
	name    TEXT    NOT NULL,
	owner   TEXT    NOT NULL,
	token   INTEGER NOT NULL,
	expires INTEGER NOT NULL, -- nanoseconds since 1970; 0 is never
	ttl     INTEGER NOT NULL,
	paused  TEXT    NOT NULL,
	begun   TEXT    NOT NULL DEFAULT '[]' -- when entries were, lately: a list, in JSON
) STRICT;
INSERT INTO lanes (lane, name, owner, token, expires, ttl, paused)
VALUES (1, 'events', '', 0, 0, 0, ''), (2, 'subscribers', '', 0, 0, 0, ''), (3, 'commands', '', 0, 0, 0, ''), (4, 'emails', '', 0, 0, 0, '');

CREATE TABLE entries (
	id         INTEGER PRIMARY KEY,
	lane       INTEGER NOT NULL,
	key        TEXT    NOT NULL,
	flags      INTEGER NOT NULL, -- 1 is at most once, 2 is that a repeat is harmless
	enqueued   INTEGER NOT NULL,
	sum        INTEGER NOT NULL, -- CRC-32C of what stands above, and of the record
	state      TEXT    NOT NULL, -- queued while it is being sent, too: see sending
	attempts   INTEGER NOT NULL,
	reason     TEXT    NOT NULL,
	not_before INTEGER NOT NULL,
	changed    INTEGER NOT NULL, -- 0 is when it was enqueued
	told       INTEGER NOT NULL, -- lines of its history
	record     BLOB    NOT NULL  -- empty once it is accepted or discarded
) STRICT;

-- An entry that is delivered without further ado is in one of these, of fresh ones, and leaves it with
-- the entry; what is less common has the others.
CREATE INDEX entries_fresh   ON entries (lane, id)             WHERE state = 'queued' AND attempts = 0 AND not_before = 0;
CREATE INDEX entries_waiting ON entries (lane, not_before, id) WHERE state = 'queued' AND (attempts > 0 OR not_before > 0);
CREATE INDEX entries_tried   ON entries (lane, changed)        WHERE state = 'queued' AND attempts > 0;
CREATE INDEX entries_ended   ON entries (state, id, lane)      WHERE state <> 'queued';
CREATE INDEX entries_old     ON entries (lane, changed, id)    WHERE state IN ('accepted', 'failed', 'discarded');
CREATE UNIQUE INDEX entries_key ON entries (lane, key)         WHERE key <> '';

-- What is in flight: a row for a request, so that an intent does not write its entries anew.
CREATE TABLE sending (
	lane  INTEGER NOT NULL,
	begun INTEGER NOT NULL,
	fresh INTEGER NOT NULL, -- they are all the fresh entries of the lane from the first to the last
	ids   TEXT    NOT NULL  -- a list, in JSON
) STRICT;

CREATE TABLE history (
	entry  INTEGER NOT NULL,
	n      INTEGER NOT NULL,
	at     INTEGER NOT NULL,
	by     TEXT    NOT NULL,
	state  TEXT    NOT NULL,
	reason TEXT    NOT NULL,
	PRIMARY KEY (entry, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE totals (
	lane  INTEGER NOT NULL,
	state TEXT    NOT NULL,
	cause TEXT    NOT NULL,
	n     INTEGER NOT NULL,
	PRIMARY KEY (lane, state, cause)
) STRICT, WITHOUT ROWID;

CREATE TABLE last (id INTEGER NOT NULL) STRICT; -- that was given to an entry
INSERT INTO last VALUES (0);

PRAGMA application_id = 0x42454e54; -- BENT
PRAGMA user_version = 3;
`

const version = 3

// fromTwo is what a file of version 2 lacks.
const fromTwo = "ALTER TABLE lanes ADD COLUMN begun TEXT NOT NULL DEFAULT '[]'; PRAGMA user_version = 3"

// What an entry is in the file.
const (
	isFresh   = "state = 'queued' AND attempts = 0 AND not_before = 0"
	isWaiting = "state = 'queued' AND (attempts > 0 OR not_before > 0)"
)

// numberOf is a lane as the file has it; 0 for none.
func numberOf(lane outbox.Lane) int { return slices.Index(outbox.Lanes, lane) + 1 }

// laneOf is the lane of a number.
func laneOf(n int) (outbox.Lane, error) {
	if n < 1 || n > len(outbox.Lanes) {
		return "", fmt.Errorf("%w: it has a lane %d", outbox.ErrDamaged, n)
	}
	return outbox.Lanes[n-1], nil
}

// pragmas are read back after the file is open: a driver that does not know how one is written
// passes over it in silence.
var pragmas = []struct{ name, set, want string }{
	{"journal_mode", "WAL", "wal"},
	{"synchronous", "FULL", "2"},
	{"busy_timeout", busyTimeout, busyTimeout},
	{"secure_delete", "ON", "1"},           // what is removed is gone: records hold addresses
	{"cache_size", "-8000", "-8000"},       // KiB: a batch fits
	{"wal_autocheckpoint", "4000", "4000"}, // pages: most of what is delivered never gets into the file proper
	{"journal_size_limit", "16777216", "16777216"},
}

const busyTimeout = "5000" // milliseconds

func source(path string) string {
	var query strings.Builder
	for _, p := range pragmas {
		fmt.Fprintf(&query, "&_pragma=%s(%s)", p.name, p.set)
	}
	return "file:" + escaped.Replace(path) + "?" + query.String()[1:]
}

// escaped keeps what means something in a URI from meaning it in a path.
var escaped = strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23")

func (s *Store) prepare(ctx context.Context, capacity int64) error {
	for _, p := range pragmas {
		var got string
		if err := s.db.QueryRowContext(ctx, "PRAGMA "+p.name).Scan(&got); err != nil {
			return err
		}
		if got != p.want {
			return fmt.Errorf("SQLite took %s = %s, not %s", p.name, got, p.want)
		}
	}
	if err := s.db.QueryRowContext(ctx, "PRAGMA page_size").Scan(&s.pageSize); err != nil {
		return err
	}
	s.pages = capacity / s.pageSize
	most := 2*s.pages + notes/s.pageSize
	var pages int64
	if err := s.db.QueryRowContext(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", most)).Scan(&pages); err != nil {
		return err
	}
	err := s.migrate(ctx)
	if err == nil {
		s.statements, err = prepare(ctx, s.db)
	}
	return err
}

// notes is how many bytes the file may grow beyond twice its capacity, for what became of what is there:
// of small records that all fail, the reasons take more than the records.
const notes = 64 << 20

func (s *Store) migrate(ctx context.Context) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		var found, tables int
		if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&found); err != nil {
			return err
		}
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&tables); err != nil {
			return err
		}
		switch {
		case found == version:
			return nil
		case found == 2:
			_, err := tx.ExecContext(ctx, fromTwo)
			return err
		case found != 0 || tables > 0:
			return fmt.Errorf("it is of version %d, and this program knows %d: it belongs to another program, or to another version of this one; open it with that, or choose another path", found, version)
		}
		_, err := tx.ExecContext(ctx, schema)
		return err
	})
}
