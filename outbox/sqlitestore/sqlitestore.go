// Package sqlitestore keeps an outbox in a SQLite file, which several processes of one machine may
// share. What it has acknowledged survives a kill and a power cut: WAL with synchronous=FULL, read
// back when the file is opened.
//
// The driver is modernc.org/sqlite, which needs no C. The file and its directory are for their owner
// only; do not keep them on a network file system, whose locks SQLite cannot trust.
package sqlitestore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"example.com/bento-go/outbox"
)

// A Store is an [outbox.Store] in a file.
type Store struct {
	db    *sql.DB
	path  string
	pages int64 // that the file may have

	mu      sync.Mutex // of pending
	pending []*putting
	writing sync.Mutex // held by who commits pending
}

// DefaultCapacity bounds the file.
const DefaultCapacity = 1 << 30

// An Option adjusts a Store at [Open].
type Option func(*int64)

// WithCapacity bounds the file to so many bytes, at least a megabyte. Of that a sixteenth is kept for
// the notes of what became of what is there already.
func WithCapacity(bytes int64) Option { return func(c *int64) { *c = max(bytes, 1<<20) } }

// Open opens the file, or makes it with mode 0600 in a directory of mode 0700.
func Open(ctx context.Context, path string, opts ...Option) (*Store, error) {
	capacity := int64(DefaultCapacity)
	for _, opt := range opts {
		opt(&capacity)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("sqlitestore: %w", err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) // SQLite gives its other files the same mode
	if err != nil {
		return nil, fmt.Errorf("sqlitestore: %w", err)
	}
	if err := file.Close(); err != nil {
		return nil, fmt.Errorf("sqlitestore: %w", err)
	}
	db, err := sql.Open("sqlite", source(path))
	if err != nil {
		return nil, fmt.Errorf("sqlitestore: %s: %w", path, err)
	}
	db.SetMaxOpenConns(1) // one writer; readers wait their turn, which is short
	s := &Store{db: db, path: path}
	if err := s.prepare(ctx, capacity); err != nil {
		return nil, errors.Join(fmt.Errorf("sqlitestore: %s: %w", path, err), db.Close())
	}
	return s, nil
}

// Close is as [outbox.Store] has it.
func (s *Store) Close() error { return s.db.Close() }

// change does something in one transaction.
func (s *Store) change(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
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
	if errors.As(err, &failure) && failure.Code()&0xff == sqlite3.SQLITE_FULL {
		return fmt.Errorf("%w: %w", outbox.ErrFull, err)
	}
	return err
}

// Acquire is as [outbox.Store] has it.
func (s *Store) Acquire(ctx context.Context, lane outbox.Lane, owner string, now time.Time, ttl time.Duration) (lease outbox.Lease, err error) {
	err = s.change(ctx, func(tx *sql.Tx) error {
		var holder string
		var token, expires int64
		if err := tx.QueryRowContext(ctx, "SELECT owner, token, expires FROM lanes WHERE lane = ?", lane).Scan(&holder, &token, &expires); err != nil {
			return err
		}
		held := nanos(now) < expires
		switch {
		case held && holder != owner:
			return outbox.ErrLeased
		case !held || holder != owner:
			token++
		}
		lease = outbox.Lease{Lane: lane, Owner: owner, Token: token, Expires: now.Add(ttl)}
		_, err := tx.ExecContext(ctx, "UPDATE lanes SET owner = ?, token = ?, expires = ? WHERE lane = ?", owner, token, nanos(lease.Expires), lane)
		return err
	})
	return lease, err
}

// Release is as [outbox.Store] has it.
func (s *Store) Release(ctx context.Context, lease outbox.Lease) error {
	_, err := s.db.ExecContext(ctx, "UPDATE lanes SET expires = 0 WHERE lane = ? AND token = ?", lease.Lane, lease.Token)
	return known(err)
}

// holds is ErrLost unless the lane is still the lease's; expired matters unless now is zero.
func holds(ctx context.Context, tx *sql.Tx, lease outbox.Lease, now time.Time) error {
	var token, expires int64
	if err := tx.QueryRowContext(ctx, "SELECT token, expires FROM lanes WHERE lane = ?", lease.Lane).Scan(&token, &expires); err != nil {
		return err
	}
	if token != lease.Token || !now.IsZero() && nanos(now) >= expires {
		return outbox.ErrLost
	}
	return nil
}

// Pause is as [outbox.Store] has it.
func (s *Store) Pause(ctx context.Context, lane outbox.Lane, reason string) error {
	_, err := s.db.ExecContext(ctx, "UPDATE lanes SET paused = ? WHERE lane = ?", reason, lane)
	return known(err)
}

// Begin is as [outbox.Store] has it.
func (s *Store) Begin(ctx context.Context, lease outbox.Lease, ids []int64, now time.Time) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		if err := holds(ctx, tx, lease, now); err != nil {
			return err
		}
		return all(ctx, tx, "UPDATE entries SET state = 'sending', attempts = attempts + 1, changed = ? WHERE lane = ? AND state = 'queued'", ids, nanos(now), lease.Lane)
	})
}

// Settle is as [outbox.Store] has it.
func (s *Store) Settle(ctx context.Context, lease outbox.Lease, verdicts []outbox.Verdict, now time.Time) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		if err := holds(ctx, tx, lease, time.Time{}); err != nil {
			return err
		}
		alike := map[outbox.Verdict][]int64{} // most of a batch are
		for _, v := range verdicts {
			id := v.ID
			v.ID = 0
			alike[v] = append(alike[v], id)
		}
		for v, ids := range alike {
			err := all(ctx, tx, "UPDATE entries SET state = ?, reason = ?, not_before = ?, changed = ? WHERE lane = ? AND state = 'sending'", ids,
				v.State, v.Reason, nanos(v.NotBefore), nanos(now), lease.Lane)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Decide is as [outbox.Store] has it.
func (s *Store) Decide(ctx context.Context, ids []int64, to outbox.State, reason string, now time.Time) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		return all(ctx, tx, "UPDATE entries SET state = ?, reason = ?, not_before = 0, changed = ? WHERE state IN ('parked', 'failed')", ids, to, reason, nanos(now))
	})
}

// all changes the rows with the ids, or none: it is ErrLost unless each of them is changed.
func all(ctx context.Context, tx *sql.Tx, update string, ids []int64, args ...any) error {
	list, err := json.Marshal(ids)
	if err != nil {
		return err
	}
	result, err := tx.ExecContext(ctx, update+" AND id IN (SELECT value FROM json_each(?))", append(args, string(list))...)
	if err != nil {
		return err
	}
	if changed, err := result.RowsAffected(); err != nil || changed != int64(len(ids)) {
		return errors.Join(outbox.ErrLost, err)
	}
	return nil
}

// Forget is as [outbox.Store] has it.
func (s *Store) Forget(ctx context.Context, before time.Time) (int, error) {
	result, err := s.db.ExecContext(ctx, "DELETE FROM entries WHERE state IN ('accepted', 'failed', 'discarded') AND changed < ?", nanos(before))
	if err != nil {
		return 0, known(err)
	}
	n, err := result.RowsAffected()
	return int(n), err
}

// nanos is a time as the file has it.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func moment(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}
