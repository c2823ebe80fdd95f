// Package memstore keeps an outbox in memory: for tests, and for what may be lost.
package memstore

import (
	"cmp"
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
	entries []*outbox.Entry
	byID    map[int64]*outbox.Entry
	keys    map[key]int64
	leases  map[outbox.Lane]outbox.Lease
	paused  map[outbox.Lane]string
	lastID  int64
	token   int64
	closed  bool
}

type key struct {
	lane outbox.Lane
	name string
}

// overhead is about what an entry takes beside its record.
const overhead = 256

// New returns a store for so many bytes of records.
func New(bytes int) *Store {
	return &Store{
		room: bytes, byID: map[int64]*outbox.Entry{}, keys: map[key]int64{},
		leases: map[outbox.Lane]outbox.Lease{}, paused: map[outbox.Lane]string{},
	}
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

func (s *Store) add(e outbox.Entry, k key) int64 {
	s.lastID++
	e.ID, e.State, e.Record = s.lastID, outbox.Queued, slices.Clone(e.Record)
	s.entries = append(s.entries, &e)
	s.byID[e.ID] = &e
	if e.Key != "" {
		s.keys[k] = e.ID
	}
	return e.ID
}

// Acquire is as [outbox.Store] has it.
func (s *Store) Acquire(ctx context.Context, lane outbox.Lane, owner string, now time.Time, ttl time.Duration) (outbox.Lease, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return outbox.Lease{}, err
	}
	defer unlock()
	held, taken := s.leases[lane]
	if taken && held.Owner != owner && now.Before(held.Expires) {
		return outbox.Lease{}, outbox.ErrLeased
	}
	if !taken || held.Owner != owner || !now.Before(held.Expires) {
		s.token++
		held = outbox.Lease{Lane: lane, Owner: owner, Token: s.token}
	}
	held.Expires = now.Add(ttl)
	s.leases[lane] = held
	return held, nil
}

// Release is as [outbox.Store] has it.
func (s *Store) Release(ctx context.Context, lease outbox.Lease) error {
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if held := s.leases[lease.Lane]; held.Token == lease.Token {
		held.Expires = time.Time{}
		s.leases[lease.Lane] = held
	}
	return nil
}

// holds reports whether the lease is still good.
func (s *Store) holds(lease outbox.Lease, now time.Time) bool {
	held := s.leases[lease.Lane]
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
	if s.paused[lease.Lane] != "" {
		return nil, later, nil
	}
	for _, e := range s.entries {
		switch {
		case e.Lane != lease.Lane || e.State != outbox.Queued:
		case e.NotBefore.After(now):
			if later.IsZero() || e.NotBefore.Before(later) {
				later = e.NotBefore
			}
		case len(due) < most:
			due = append(due, *e)
		default:
			return due, now, nil
		}
	}
	return due, later, nil
}

// Begin is as [outbox.Store] has it.
func (s *Store) Begin(ctx context.Context, lease outbox.Lease, ids []int64, now time.Time) error {
	return s.change(ctx, ids, func() bool { return s.holds(lease, now) }, func(e *outbox.Entry) bool {
		return e.Lane == lease.Lane && e.State == outbox.Queued
	}, func(e *outbox.Entry, _ int) {
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
	return s.change(ctx, ids, func() bool { return s.leases[lease.Lane].Token == lease.Token }, func(e *outbox.Entry) bool {
		return e.Lane == lease.Lane && e.State == outbox.Sending
	}, func(e *outbox.Entry, i int) {
		e.State, e.Reason, e.NotBefore, e.Changed = verdicts[i].State, verdicts[i].Reason, verdicts[i].NotBefore, now
	})
}

// Decide is as [outbox.Store] has it.
func (s *Store) Decide(ctx context.Context, ids []int64, to outbox.State, reason string, now time.Time) error {
	return s.change(ctx, ids, func() bool { return true }, func(e *outbox.Entry) bool {
		return e.State == outbox.Parked || e.State == outbox.Failed
	}, func(e *outbox.Entry, _ int) {
		e.State, e.Reason, e.NotBefore, e.Changed = to, reason, time.Time{}, now
	})
}

// change changes all of the entries, or none: whoever does it has to be allowed, and each entry to
// be as it should.
func (s *Store) change(ctx context.Context, ids []int64, allowed func() bool, may func(*outbox.Entry) bool, do func(*outbox.Entry, int)) error {
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
	if s.leases[lease.Lane].Token != lease.Token {
		return nil, outbox.ErrLost
	}
	return s.find(outbox.Filter{Lane: lease.Lane, State: outbox.Sending}, most), nil
}

// Pause is as [outbox.Store] has it.
func (s *Store) Pause(ctx context.Context, lane outbox.Lane, reason string) error {
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	s.paused[lane] = reason
	return nil
}

// Query is as [outbox.Store] has it.
func (s *Store) Query(ctx context.Context, f outbox.Filter, most int) ([]outbox.Entry, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	return s.find(f, most), nil
}

func (s *Store) find(f outbox.Filter, most int) (found []outbox.Entry) {
	from, _ := slices.BinarySearchFunc(s.entries, f.After+1, func(e *outbox.Entry, id int64) int { return cmp.Compare(e.ID, id) })
	for _, e := range s.entries[from:] {
		if len(found) == most {
			break
		}
		if (f.Lane == "" || e.Lane == f.Lane) && (f.State == "" || e.State == f.State) && (f.IDs == nil || slices.Contains(f.IDs, e.ID)) {
			found = append(found, *e)
		}
	}
	return found
}

// Stats is as [outbox.Store] has it.
func (s *Store) Stats(ctx context.Context) (outbox.Stats, error) {
	stats := outbox.Stats{Lanes: map[outbox.Lane]outbox.LaneStats{}}
	unlock, err := s.lock(ctx)
	if err != nil {
		return stats, err
	}
	defer unlock()
	for _, lane := range outbox.Lanes {
		stats.Lanes[lane] = outbox.LaneStats{States: map[outbox.State]int{}, Paused: s.paused[lane]}
	}
	for _, e := range s.entries {
		lane := stats.Lanes[e.Lane]
		lane.States[e.State]++
		if !e.State.Settled() && (lane.Oldest.IsZero() || e.Enqueued.Before(lane.Oldest)) {
			lane.Oldest = e.Enqueued
		}
		stats.Lanes[e.Lane] = lane
	}
	return stats, nil
}

// Forget is as [outbox.Store] has it.
func (s *Store) Forget(ctx context.Context, before time.Time) (int, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return 0, err
	}
	defer unlock()
	was := len(s.entries)
	s.entries = slices.DeleteFunc(s.entries, func(e *outbox.Entry) bool {
		gone := e.State.Settled() && e.State != outbox.Parked && e.Changed.Before(before)
		if gone {
			delete(s.byID, e.ID)
			delete(s.keys, key{e.Lane, e.Key})
			s.room += len(e.Record) + overhead
		}
		return gone
	})
	return was - len(s.entries), nil
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
