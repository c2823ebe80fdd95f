package sqlitestore

import (
	"os"
	"sync"
	"time"
)

// What is removed is overwritten in the file itself. The log beside it keeps what was written before, until
// it is brought home and cut off, which SQLite does by itself only once it is long: so the store does it when
// a person has discarded something, and when there is nothing to send.

// tidyEvery is how often, at most, the log is cut off on account of what was delivered.
const tidyEvery = 10 * time.Second

// remains are records in the log that the file has no more.
type remains struct {
	mu     sync.Mutex
	there  bool
	tidied time.Time
	cut    func() bool
}

// removed notes that a change took records away, if it did.
func (r *remains) removed(records bool, err error) {
	if !records || err != nil {
		return
	}
	r.mu.Lock()
	r.there = true
	r.mu.Unlock()
}

// tidy cuts the log off if there is something in it, and it was not just done.
func (r *remains) tidy(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if since := now.Sub(r.tidied); !r.there || since >= 0 && since < tidyEvery {
		return
	}
	r.there, r.tidied = !r.cut(), now
}

// atOnce cuts the log off; if somebody reads just then, it is done when there is nothing to send.
func (r *remains) atOnce() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.there = !r.cut()
}

// logged reports whether there is something in the log.
func (s *Store) logged() bool {
	info, err := os.Stat(s.path + "-wal")
	return err == nil && info.Size() > 0
}

// cut reports whether nothing is in the log any more.
func (s *Store) cut() bool { return !s.logged() || s.compact() }

// compact brings what was written home into the file, so that the log beside it is empty, and takes no room
// of the disk. It reports whether it did.
func (s *Store) compact() bool {
	if !s.logged() {
		return false
	}
	var busy, pages, moved int
	err := s.db.QueryRow("PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &moved) //nolint:noctx // as commit
	return err == nil && busy == 0
}
