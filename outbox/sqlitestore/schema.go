package sqlitestore

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// schema is made in an empty file; its version is user_version.
const schema = `
CREATE TABLE entries (
	id           INTEGER PRIMARY KEY,
	lane         TEXT    NOT NULL,
	key          TEXT    NOT NULL,
	at_most_once INTEGER NOT NULL,
	harmless     INTEGER NOT NULL,
	enqueued     INTEGER NOT NULL, -- nanoseconds since 1970; 0 is never
	sum          INTEGER NOT NULL, -- CRC-32C of what stands above, and of the record
	state        TEXT    NOT NULL, -- queued while it is being sent, too: see sending
	attempts     INTEGER NOT NULL,
	reason       TEXT    NOT NULL,
	not_before   INTEGER NOT NULL,
	changed      INTEGER NOT NULL,
	told         INTEGER NOT NULL, -- lines of its history
	record       BLOB    NOT NULL  -- empty once it is accepted or discarded
) STRICT;

-- An entry that is delivered without further ado is in one of these, of fresh ones, and leaves it with
-- the entry; what is less common has the others.
CREATE INDEX entries_fresh   ON entries (lane, id)             WHERE state = 'queued' AND attempts = 0 AND not_before = 0;
CREATE INDEX entries_waiting ON entries (lane, not_before, id) WHERE state = 'queued' AND (attempts > 0 OR not_before > 0);
CREATE INDEX entries_tried   ON entries (lane, changed)        WHERE state = 'queued' AND attempts > 0;
CREATE INDEX entries_ended   ON entries (lane, state, id)      WHERE state <> 'queued';
CREATE INDEX entries_old     ON entries (changed)              WHERE state IN ('accepted', 'failed', 'discarded');
CREATE UNIQUE INDEX entries_key ON entries (lane, key)         WHERE key <> '';

-- What is in flight, so that an intent does not write its entries anew.
CREATE TABLE sending (
	id    INTEGER PRIMARY KEY,
	lane  TEXT    NOT NULL,
	begun INTEGER NOT NULL
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
	lane  TEXT    NOT NULL,
	state TEXT    NOT NULL,
	cause TEXT    NOT NULL,
	n     INTEGER NOT NULL,
	PRIMARY KEY (lane, state, cause)
) STRICT, WITHOUT ROWID;

CREATE TABLE lanes (
	lane    TEXT    PRIMARY KEY,
	owner   TEXT    NOT NULL,
	token   INTEGER NOT NULL,
	expires INTEGER NOT NULL,
	ttl     INTEGER NOT NULL,
	paused  TEXT    NOT NULL
) STRICT;
INSERT INTO lanes VALUES ('events', '', 0, 0, 0, ''), ('subscribers', '', 0, 0, 0, ''), ('commands', '', 0, 0, 0, ''), ('emails', '', 0, 0, 0, '');

CREATE TABLE last (id INTEGER NOT NULL) STRICT; -- that was given to an entry
INSERT INTO last VALUES (0);

PRAGMA application_id = 0x42454e54; -- BENT
PRAGMA user_version = 2;
`

const version = 2

// pragmas are read back after the file is open: a driver that does not know how one is written
// passes over it in silence.
var pragmas = []struct{ name, set, want string }{
	{"journal_mode", "WAL", "wal"},
	{"synchronous", "FULL", "2"},
	{"busy_timeout", "5000", "5000"},
	{"secure_delete", "ON", "1"}, // what is removed is gone: records hold addresses
	{"journal_size_limit", "16777216", "16777216"},
}

func source(path string) string {
	var query strings.Builder
	for _, p := range pragmas {
		fmt.Fprintf(&query, "&_pragma=%s(%s)", p.name, p.set)
	}
	return "file:" + escaped.Replace(path) + "?_txlock=immediate" + query.String()
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
	var pageSize int64
	if err := s.db.QueryRowContext(ctx, "PRAGMA page_size").Scan(&pageSize); err != nil {
		return err
	}
	s.pages = capacity / pageSize
	var pages int64
	if err := s.db.QueryRowContext(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", s.pages)).Scan(&pages); err != nil {
		return err
	}
	return s.migrate(ctx)
}

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
		case found != 0 || tables > 0:
			return fmt.Errorf("it is of version %d, and this program knows %d: it belongs to another program, or to another version of this one; open it with that, or choose another path", found, version)
		}
		_, err := tx.ExecContext(ctx, schema)
		return err
	})
}
