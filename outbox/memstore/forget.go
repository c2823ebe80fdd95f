package memstore

import (
	"context"
	"slices"
	"time"

	"example.com/bento-go/outbox"
)

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
