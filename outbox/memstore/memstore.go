// Package memstore keeps an outbox in memory: for tests, and for what may be lost.
package memstore

import (
	"context"
	"errors"
	"sync"
	"time"

	"example.com/bento-go/outbox"
)

// A Store is an [outbox.Store] in memory, for one process.
type Store struct {
	mu      sync.Mutex
	room    int // bytes left
	entries []*entry
	byID    map[int64]*entry
	keys    map[key]int64
	lanes   map[outbox.Lane]*lane
	lastID  int64
	closed  bool
}

type entry struct {
	outbox.Entry
	history []outbox.Change
}

// size is what an entry takes of the room.
func (e *entry) size() int { return len(e.Record) + overhead }

// overhead is about what an entry takes beside its record.
const overhead = 256

type key struct {
	lane outbox.Lane
	name string
}

type lane struct {
	outbox.LaneStats
	lease outbox.Lease
	ttl   time.Duration
	begun []time.Time
}

func (l *lane) noteBegun(now time.Time) {
	l.begun = append(l.begun[max(0, len(l.begun)-outbox.MostBegun+1):], now)
}

// New returns a store for so many bytes of records, and 256 more for each entry.
func New(bytes int) *Store {
	s := &Store{room: bytes, byID: map[int64]*entry{}, keys: map[key]int64{}, lanes: map[outbox.Lane]*lane{}}
	for _, name := range outbox.Lanes {
		s.lanes[name] = &lane{}
	}
	return s
}

func (s *Store) lock(ctx context.Context) (unlock func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, outbox.ErrClosed
	}
	return s.mu.Unlock, nil
}

// Close is as [outbox.Store] has it.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errors.New("memstore: closed already")
	}
	s.closed = true
	return nil
}
