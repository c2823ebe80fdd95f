// Package sqlitestore keeps an outbox in a SQLite file, which several processes of one machine may
// share. What it has acknowledged survives a kill and a power cut: WAL with synchronous=FULL, read
// back when the file is opened.
//
// The driver is modernc.org/sqlite, which needs no C. The file and its directory are for their owner
// only. A network file system is refused where it is recognized (on Linux): SQLite cannot trust its
// locks.
//
// The file is bounded, and so is what it takes of the disk: [outbox.ErrFull] comes while there is still
// room to note what becomes of what is there. Records are checked when they are read: one that the disk
// has changed is not sent, but failed. What is removed is overwritten.
package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/internal/together"
)

// A Store is an [outbox.Store] in a file.
type Store struct {
	db         *sql.DB // one connection, which writes
	reader     *sql.DB // some, which look, and hold up nobody
	statements statements
	path       string
	pages      int64 // that the file may have
	pageSize   int64
	reserve    int64 // bytes of the disk that are left free

	changes atomic.Int64    // to entries, by this Store
	quiet   sync.Map        // lanes that had nothing due: a quiet by outbox.Lane
	group   *together.Group // calls of Put
}

const (
	// DefaultCapacity bounds the file, in bytes.
	DefaultCapacity = 1 << 30
	// DefaultReserve is left free on the disk, in bytes.
	DefaultReserve = 64 << 20
)

type settings struct{ capacity, reserve int64 }

// An Option adjusts a Store at [Open].
type Option func(*settings)

// WithCapacity bounds what Put may make of the file to so many bytes, at least a megabyte. The notes of
// what becomes of what is there have more: the file never takes more than twice that and 64 MiB.
func WithCapacity(bytes int64) Option { return func(s *settings) { s.capacity = max(bytes, 1<<20) } }

// WithReserve takes no more when the disk has less than so many bytes left; the default is 64 MiB.
// The notes of what becomes of what is there need about 20 MiB of it at times.
func WithReserve(bytes int64) Option { return func(s *settings) { s.reserve = max(bytes, 0) } }

// Open opens the file, or makes it with mode 0600 in a directory of mode 0700. A file that others may
// read, or a directory that others may write to, is refused.
func Open(ctx context.Context, path string, opts ...Option) (*Store, error) {
	set := settings{DefaultCapacity, DefaultReserve}
	for _, opt := range opts {
		opt(&set)
	}
	if err := private(path); err != nil {
		return nil, fmt.Errorf("sqlitestore: %w", err)
	}
	if name := network(path); name != "" {
		return nil, fmt.Errorf("sqlitestore: %s is on %s, a file system of another machine, whose locks SQLite cannot trust: choose a local disk, or a store for many machines", path, name)
	}
	db, err := sql.Open("sqlite", source(path)+"&_txlock=immediate")
	if err != nil {
		return nil, fmt.Errorf("sqlitestore: %s: %w", path, err)
	}
	db.SetMaxOpenConns(1)
	s := &Store{db: db, path: path, reserve: set.reserve}
	s.group = together.New(atATime, s.putAll)
	if err := patiently(ctx, func() error { return s.prepare(ctx, set.capacity) }); err != nil {
		return nil, errors.Join(fmt.Errorf("sqlitestore: %s: %w", path, known(err)), db.Close())
	}
	if s.reader, err = sql.Open("sqlite", source(path)+"&_txlock=deferred"); err != nil {
		return nil, errors.Join(fmt.Errorf("sqlitestore: %s: %w", path, err), db.Close())
	}
	s.reader.SetMaxOpenConns(2)
	s.reader.SetMaxIdleConns(1)
	s.reader.SetConnMaxIdleTime(time.Minute)
	return s, nil
}

// patience bounds how long the file is waited for.
const patience = 10 * time.Second

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

// private makes the file if it is not there, and makes sure that it is its owner's only.
func private(path string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|noFollow, 0o600) // SQLite gives its other files the same mode
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	around, err := os.Stat(dir)
	switch {
	case err != nil || runtime.GOOS == "windows": // whose modes say nothing
		return err
	case info.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("%s may be read by others, and will hold addresses: chmod 600 %s", path, path)
	case around.Mode().Perm()&0o022 != 0:
		return fmt.Errorf("%s may be written to by others: chmod 700 %s, or choose a directory of your own", dir, dir)
	}
	return nil
}

// Close is as [outbox.Store] has it.
func (s *Store) Close() error { return errors.Join(s.reader.Close(), s.db.Close()) }

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

// Acquire is as [outbox.Store] has it.
func (s *Store) Acquire(ctx context.Context, lane outbox.Lane, owner string, now time.Time, ttl time.Duration) (lease outbox.Lease, err error) {
	taken := false
	err = within(ctx, s.db, func(tx *sql.Tx) error {
		var holder string
		var token, expires, term int64
		if err := tx.QueryRowContext(ctx, "SELECT owner, token, expires, ttl FROM lanes WHERE lane = ?", numberOf(lane)).Scan(&holder, &token, &expires, &term); err != nil {
			return err
		}
		if latest := nanos(now) + term; expires > latest { // the clock was set back
			expires = latest
		}
		held := nanos(now) < expires
		switch {
		case held && holder != owner:
			taken = true
			_, err := tx.ExecContext(ctx, "UPDATE lanes SET expires = ?1 WHERE lane = ?2 AND expires > ?1", expires, numberOf(lane))
			return err
		case holder != owner:
			token++
		}
		lease = outbox.Lease{Lane: lane, Owner: owner, Token: token, Expires: now.Add(ttl)}
		_, err := tx.ExecContext(ctx, "UPDATE lanes SET owner = ?, token = ?, expires = ?, ttl = ? WHERE lane = ?", owner, token, nanos(lease.Expires), int64(ttl), numberOf(lane))
		return err
	})
	if err == nil && taken {
		err = outbox.ErrLeased
	}
	return lease, err
}

// Release is as [outbox.Store] has it.
func (s *Store) Release(ctx context.Context, lease outbox.Lease) error {
	_, err := s.db.ExecContext(ctx, "UPDATE lanes SET expires = 0 WHERE lane = ? AND token = ?", numberOf(lease.Lane), lease.Token)
	return known(err)
}

// holds is ErrLost unless the lane is still the lease's; expired matters unless now is zero.
func holds(ctx context.Context, tx *sql.Tx, lease outbox.Lease, now time.Time) error {
	var token, expires int64
	if err := tx.QueryRowContext(ctx, "SELECT token, expires FROM lanes WHERE lane = ?", numberOf(lease.Lane)).Scan(&token, &expires); err != nil {
		return err
	}
	if token != lease.Token || !now.IsZero() && nanos(now) >= expires {
		return outbox.ErrLost
	}
	return nil
}

// Pause is as [outbox.Store] has it.
func (s *Store) Pause(ctx context.Context, lane outbox.Lane, reason string) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE lanes SET paused = ? WHERE lane = ?", reason, numberOf(lane))
		return err
	})
}

// Forget is as [outbox.Store] has it.
func (s *Store) Forget(ctx context.Context, lane outbox.Lane, before time.Time, most int) (gone int, err error) {
	err = s.change(ctx, func(tx *sql.Tx) error {
		var ids []int64
		old := "SELECT id FROM entries WHERE state IN ('accepted', 'failed', 'discarded') AND lane = ? AND changed < ? ORDER BY changed, id LIMIT ?"
		err := each(ctx, tx, old, func(scan func(...any) error) error {
			var id int64
			err := scan(&id)
			ids = append(ids, id)
			return err
		}, numberOf(lane), nanos(before), most)
		if err != nil || len(ids) == 0 {
			return err
		}
		gone = len(ids)
		for _, statement := range []string{
			"INSERT INTO totals SELECT lane, 'discarded', '" + string(outbox.CauseForgotten) + "', count(*) FROM entries WHERE state = 'failed' AND " + listed + " GROUP BY lane" + adding,
			"DELETE FROM history WHERE entry IN (SELECT value FROM json_each(?))",
			"DELETE FROM entries WHERE " + listed,
		} {
			if _, err := tx.ExecContext(ctx, statement, listOf(ids)); err != nil {
				return err
			}
		}
		return nil
	})
	return gone, err
}

// adding makes an insertion into totals add to what is there.
const adding = " ON CONFLICT DO UPDATE SET n = n + excluded.n"

// listOf is how IDs go into a statement.
func listOf(ids []int64) string {
	list := make([]byte, 0, 2+8*len(ids))
	list = append(list, '[')
	for i, id := range ids {
		if i > 0 {
			list = append(list, ',')
		}
		list = strconv.AppendInt(list, id, 10)
	}
	return string(append(list, ']'))
}

// listed is the condition that an entry is one of a list.
const listed = "id IN (SELECT value FROM json_each(?))"

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
