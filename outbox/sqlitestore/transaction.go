package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"example.com/bento-go/outbox"
)

// patience bounds how long the file is waited for: SQLite has no line, and a process that writes all the
// time leaves it to another only now and then.
const patience = 30 * time.Second

// patiently does something again as long as another process has the file: SQLite does not wait by
// itself while the first opens a file, or the last closes it.
func patiently(ctx context.Context, do func() error) error {
	for end := time.Now().Add(patience); ; {
		err := do()
		var failure *sqlite.Error
		if !errors.As(err, &failure) || failure.Code()&0xff != sqlite3.SQLITE_BUSY || time.Now().After(end) {
			return err
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// change changes something in one transaction.
func (s *Store) change(ctx context.Context, do func(*sql.Tx) error) error {
	defer s.changes.Add(1)
	return within(ctx, s.db, do)
}

// look reads something in one transaction.
func (s *Store) look(ctx context.Context, do func(*sql.Tx) error) error {
	return within(ctx, s.reader, do)
}

func within(ctx context.Context, db *sql.DB, do func(*sql.Tx) error) error {
	var tx *sql.Tx
	err := patiently(ctx, func() (err error) {
		tx, err = db.BeginTx(ctx, nil)
		return err
	})
	if err != nil {
		return known(err)
	}
	if err := do(tx); err != nil {
		if rolled := tx.Rollback(); rolled != nil && !errors.Is(known(err), outbox.ErrFull) { // a full disk has rolled it back already
			err = errors.Join(err, rolled)
		}
		return known(err)
	}
	return known(tx.Commit())
}

// known gives SQLite's errors their names here.
func known(err error) error {
	var failure *sqlite.Error
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("%w: a row is missing that was made with the file", outbox.ErrDamaged)
	case !errors.As(err, &failure):
		return err
	}
	switch failure.Code() & 0xff {
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("%w: %w", outbox.ErrFull, err)
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB,
		sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_ERROR: // no statement here is wrong, or breaks one: the schema is not what it was
		return fmt.Errorf("%w: %w: move it aside, so that a new one is made, and take out of it what can be read (sqlite3 FILE .recover)", outbox.ErrDamaged, err)
	}
	return err
}
