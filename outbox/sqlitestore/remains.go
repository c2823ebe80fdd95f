package sqlitestore

import (
	"context"
	"database/sql"
	"os"
	"sync"
	"time"
)

// What is removed is overwritten in the file itself. The log beside it keeps what was written before, until
// it is brought home and cut off, which SQLite does by itself only once it is long: so a store does it when a
// person has discarded something, when it has nothing to send, and when it is closed. It waits for nobody:
// as long as somebody reads the file, nothing can be cut off, and it is tried again.

const (
	// tidyOwn is how often, at most, the log is cut off on account of what this store removed.
	tidyOwn = 10 * time.Second
	// tidyOthers is how often on account of what others may have, such as a process that was killed.
	tidyOthers = time.Minute
	// discardTries is how often a discard tries, discardPause apart, before it leaves the log to who sends.
	discardTries, discardPause = 10, 50 * time.Millisecond
)

// remains are records in the log that this store removed from the file.
type remains struct {
	mu    sync.Mutex
	there bool
	tried time.Time
}

// removed notes that a change took records away, if it did.
func (r *remains) removed(records bool, err error) {
	if records && err == nil {
		r.set(true)
	}
}

func (r *remains) set(there bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.there = there
}

// due reports whether it is time to look, and takes it that somebody does.
func (r *remains) due(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	every := tidyOthers
	if r.there {
		every = tidyOwn
	}
	if since := now.Sub(r.tried); since >= 0 && since < every {
		return false
	}
	r.tried = now
	return true
}

// tidy is for a time without anything to send.
func (s *Store) tidy(ctx context.Context, now time.Time) {
	if s.remains.due(now) {
		s.cutOff(ctx)
	}
}

// discarded cuts the log off at once, or as soon as nobody reads.
func (s *Store) discarded(ctx context.Context) {
	for range discardTries {
		if s.cutOff(ctx) {
			return
		}
		select {
		case <-time.After(discardPause):
		case <-ctx.Done():
			return
		}
	}
}

// cutOff empties the log, and reports whether it did.
func (s *Store) cutOff(ctx context.Context) bool {
	s.remains.set(false)
	done := !s.logged() || s.cut(ctx)
	if !done {
		s.remains.set(true)
	}
	return done
}

func (s *Store) cut(ctx context.Context) bool {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.ExecContext(ctx, "PRAGMA busy_timeout = 0"); err != nil { // who waits stops all who write
		return false
	}
	defer func() { _, _ = conn.ExecContext(context.WithoutCancel(ctx), "PRAGMA busy_timeout = "+busyTimeout) }()
	return checkpoint(conn.QueryRowContext(ctx, truncate))
}

// compact is cutOff for somebody who needs the room, and waits for it.
func (s *Store) compact() bool {
	return s.logged() && checkpoint(s.db.QueryRow(truncate)) //nolint:noctx // as commit
}

const truncate = "PRAGMA wal_checkpoint(TRUNCATE)"

func checkpoint(row *sql.Row) bool {
	var busy, pages, moved int
	return row.Scan(&busy, &pages, &moved) == nil && busy == 0
}

// logged reports whether there is something in the log.
func (s *Store) logged() bool {
	info, err := os.Stat(s.path + "-wal")
	return err == nil && info.Size() > 0
}
