// Package memstore keeps an outbox in memory: for tests, and for what may be lost.
package memstore

import (
	"context"
	"errors"
	"slices"
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
	token   int64
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
}

// New returns a store for so many bytes of records.
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

// Put is as [outbox.Store] has it.
func (s *Store) Put(ctx context.Context, entries []outbox.Entry) ([]outbox.PutResult, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	results := make([]outbox.PutResult, len(entries))
	fresh, size := map[key]int{}, 0
	for i, e := range entries {
		k := key{e.Lane, e.Key}
		if first, known := s.keys[k]; known && e.Key != "" {
			results[i] = outbox.PutResult{ID: first, Duplicate: true}
			continue
		}
		if _, known := fresh[k]; known && e.Key != "" {
			results[i].Duplicate = true // of one that comes before it in this call
			continue
		}
		fresh[k] = i
		size += len(e.Record) + overhead
	}
	if size > s.room {
		return nil, outbox.ErrFull
	}
	s.room -= size
	for i, e := range entries {
		k := key{e.Lane, e.Key}
		switch {
		case results[i].Duplicate && results[i].ID == 0:
			results[i].ID = s.keys[k]
		case !results[i].Duplicate:
			results[i].ID = s.add(e, k)
		}
	}
	return results, nil
}

func (s *Store) add(given outbox.Entry, k key) int64 {
	s.lastID++
	e := &entry{Entry: given}
	e.ID, e.State, e.Record = s.lastID, outbox.Queued, slices.Clone(e.Record)
	s.entries = append(s.entries, e)
	s.byID[e.ID] = e
	if e.Key != "" {
		s.keys[k] = e.ID
	}
	return e.ID
}

// remove removes entries for good.
func (s *Store) remove(gone func(*entry) bool) int {
	was := len(s.entries)
	s.entries = slices.DeleteFunc(s.entries, func(e *entry) bool {
		if !gone(e) {
			return false
		}
		delete(s.byID, e.ID)
		delete(s.keys, key{e.Lane, e.Key})
		s.room += e.size()
		return true
	})
	return was - len(s.entries)
}

// Acquire is as [outbox.Store] has it.
func (s *Store) Acquire(ctx context.Context, name outbox.Lane, owner string, now time.Time, ttl time.Duration) (outbox.Lease, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return outbox.Lease{}, err
	}
	defer unlock()
	l := s.lanes[name]
	if l.lease.Expires.After(now.Add(l.ttl)) { // the clock was set back
		l.lease.Expires = now.Add(l.ttl)
	}
	held := now.Before(l.lease.Expires)
	switch {
	case held && l.lease.Owner != owner:
		return outbox.Lease{}, outbox.ErrLeased
	case l.lease.Owner != owner:
		s.token++
		l.lease = outbox.Lease{Lane: name, Owner: owner, Token: s.token}
	}
	l.lease.Expires, l.ttl = now.Add(ttl), ttl
	return l.lease, nil
}

// Release is as [outbox.Store] has it.
func (s *Store) Release(ctx context.Context, lease outbox.Lease) error {
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if held := &s.lanes[lease.Lane].lease; held.Token == lease.Token {
		held.Expires = time.Time{}
	}
	return nil
}

// holds reports whether the lease is still good.
func (s *Store) holds(lease outbox.Lease, now time.Time) bool {
	held := s.lanes[lease.Lane].lease
	return held.Token == lease.Token && now.Before(held.Expires)
}

// Next is as [outbox.Store] has it.
func (s *Store) Next(ctx context.Context, lease outbox.Lease, most int, now time.Time) (due []outbox.Entry, later time.Time, err error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return nil, later, err
	}
	defer unlock()
	if !s.holds(lease, now) {
		return nil, later, outbox.ErrLost
	}
	if s.lanes[lease.Lane].Paused != "" {
		return nil, later, nil
	}
	var waited, fresh []outbox.Entry
	for _, e := range s.entries {
		if e.Lane != lease.Lane || e.State != outbox.Queued {
			continue
		}
		if e.Attempts > 0 && e.Changed.After(now) { // the clock was set back
			e.NotBefore, e.Changed = time.Time{}, now
		}
		switch {
		case e.NotBefore.After(now):
			if later.IsZero() || e.NotBefore.Before(later) {
				later = e.NotBefore
			}
		case e.NotBefore.IsZero() && e.Attempts == 0:
			fresh = append(fresh, e.Entry)
		default:
			waited = append(waited, e.Entry)
		}
	}
	slices.SortStableFunc(waited, func(a, b outbox.Entry) int { return a.NotBefore.Compare(b.NotBefore) })
	due = slices.Concat(waited, fresh)
	if n := outbox.Together(due, most); n < len(due) {
		return due[:n], now, nil
	}
	return due, later, nil
}

// Begin is as [outbox.Store] has it.
func (s *Store) Begin(ctx context.Context, lease outbox.Lease, ids []int64, now time.Time) error {
	return s.change(ctx, ids, func() bool { return s.holds(lease, now) }, func(e *entry) bool {
		return e.Lane == lease.Lane && e.State == outbox.Queued
	}, func(e *entry, _ int) {
		e.State, e.Changed = outbox.Sending, now
		e.Attempts++
	})
}

// Settle is as [outbox.Store] has it.
func (s *Store) Settle(ctx context.Context, lease outbox.Lease, verdicts []outbox.Verdict, now time.Time) error {
	ids := make([]int64, len(verdicts))
	for i, v := range verdicts {
		ids[i] = v.ID
	}
	gone := map[int64]bool{}
	return s.change(ctx, ids, func() bool { return s.lanes[lease.Lane].lease.Token == lease.Token }, func(e *entry) bool {
		return e.Lane == lease.Lane && e.State == outbox.Sending
	}, func(e *entry, i int) {
		v := verdicts[i]
		e.State, e.Reason, e.NotBefore, e.Changed = v.State, v.Reason, v.NotBefore, now
		s.lanes[e.Lane].Count(v.State, v.Cause, 1)
		if v.State == outbox.Parked || v.State == outbox.Failed {
			e.history = append(e.history, outbox.Change{At: now, By: lease.Owner, State: v.State, Reason: v.Reason})
		}
		if v.State == outbox.Accepted && e.Key == "" && e.history == nil {
			gone[e.ID] = true
		}
		s.empty(e)
		if i == len(verdicts)-1 && len(gone) > 0 {
			s.remove(func(e *entry) bool { return gone[e.ID] })
		}
	})
}

// empty removes the record of what needs it no more.
func (s *Store) empty(e *entry) {
	if e.State.Done() {
		s.room += len(e.Record)
		e.Record = nil
	}
}

// Decide is as [outbox.Store] has it.
func (s *Store) Decide(ctx context.Context, ids []int64, d outbox.Decision, now time.Time) error {
	return s.change(ctx, ids, func() bool { return true }, func(e *entry) bool {
		return e.State == outbox.Parked || e.State == outbox.Failed
	}, func(e *entry, _ int) {
		e.State, e.Reason, e.NotBefore, e.Changed = d.To, d.Reason, time.Time{}, now
		e.history = append(e.history, outbox.Change{At: now, By: d.By, State: d.To, Reason: d.Reason})
		s.lanes[e.Lane].Count(d.To, outbox.CauseDecided, 1)
		s.empty(e)
	})
}

// change changes all of the entries, or none: whoever does it has to be allowed, and each entry to
// be as it should.
func (s *Store) change(ctx context.Context, ids []int64, allowed func() bool, may func(*entry) bool, do func(*entry, int)) error {
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if !allowed() {
		return outbox.ErrLost
	}
	for _, id := range ids {
		if e := s.byID[id]; e == nil || !may(e) {
			return outbox.ErrLost
		}
	}
	for i, id := range ids {
		do(s.byID[id], i)
	}
	return nil
}

// Recover is as [outbox.Store] has it.
func (s *Store) Recover(ctx context.Context, lease outbox.Lease, most int) ([]outbox.Entry, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if s.lanes[lease.Lane].lease.Token != lease.Token {
		return nil, outbox.ErrLost
	}
	return s.find(outbox.Filter{Lane: lease.Lane, State: outbox.Sending}, most), nil
}

// Pause is as [outbox.Store] has it.
func (s *Store) Pause(ctx context.Context, name outbox.Lane, reason string) error {
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	s.lanes[name].Paused = reason
	return nil
}

// Forget is as [outbox.Store] has it.
func (s *Store) Forget(ctx context.Context, lane outbox.Lane, before time.Time, most int) (int, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return 0, err
	}
	defer unlock()
	var old []*entry
	for _, e := range s.entries {
		if e.Lane == lane && (e.State.Done() || e.State == outbox.Failed) && e.Changed.Before(before) {
			old = append(old, e)
		}
	}
	slices.SortStableFunc(old, func(a, b *entry) int { return a.Changed.Compare(b.Changed) })
	gone := map[*entry]bool{}
	for _, e := range old[:min(len(old), most)] {
		gone[e] = true
		if e.State == outbox.Failed {
			s.lanes[e.Lane].Count(outbox.Discarded, outbox.CauseForgotten, 1)
		}
	}
	return s.remove(func(e *entry) bool { return gone[e] }), nil
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
