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
	id         INTEGER PRIMARY KEY AUTOINCREMENT,
	lane       TEXT    NOT NULL,
	key        TEXT    NOT NULL,
	policy     TEXT    NOT NULL,
	harmless   INTEGER NOT NULL,
	state      TEXT    NOT NULL,
	attempts   INTEGER NOT NULL,
	reason     TEXT    NOT NULL,
	enqueued   INTEGER NOT NULL, -- nanoseconds since 1970; 0 is never
	not_before INTEGER NOT NULL,
	changed    INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX entries_key ON entries (lane, key) WHERE key <> '';
CREATE INDEX entries_due ON entries (lane, state, id);
CREATE INDEX entries_settled ON entries (changed) WHERE state IN ('accepted', 'failed', 'discarded');
-- By themselves, so that a change of state does not write the record anew.
CREATE TABLE records (
	id     INTEGER PRIMARY KEY REFERENCES entries ON DELETE CASCADE,
	record BLOB NOT NULL
) STRICT;
CREATE TABLE lanes (
	lane    TEXT    PRIMARY KEY,
	owner   TEXT    NOT NULL,
	token   INTEGER NOT NULL,
	expires INTEGER NOT NULL,
	paused  TEXT    NOT NULL
) STRICT;
INSERT INTO lanes VALUES ('events', '', 0, 0, ''), ('subscribers', '', 0, 0, ''), ('commands', '', 0, 0, ''), ('emails', '', 0, 0, '');
PRAGMA user_version = 1;
`

const version = 1

// pragmas are read back after the file is open: a driver that does not know how one is written
// passes over it in silence.
var pragmas = []struct{ name, set, want string }{
	{"journal_mode", "WAL", "wal"},
	{"synchronous", "FULL", "2"},
	{"busy_timeout", "5000", "5000"},
	{"foreign_keys", "ON", "1"},
	{"secure_delete", "ON", "1"}, // what is forgotten is gone: records hold addresses
}

func source(path string) string {
	var query strings.Builder
	for _, p := range pragmas {
		fmt.Fprintf(&query, "&_pragma=%s(%s)", p.name, p.set)
	}
	return "file:" + path + "?_txlock=immediate" + query.String()
}

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
			return fmt.Errorf("it is of version %d, and this program knows %d: it belongs to another program, or another version", found, version)
		}
		_, err := tx.ExecContext(ctx, schema)
		return err
	})
}
