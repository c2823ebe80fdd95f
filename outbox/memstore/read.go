package memstore

import (
	"cmp"
	"context"
	"slices"

	"example.com/bento-go/outbox"
)

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
	from, _ := slices.BinarySearchFunc(s.entries, f.After+1, func(e *entry, id int64) int { return cmp.Compare(e.ID, id) })
	for _, e := range s.entries[from:] {
		if len(found) == most {
			break
		}
		if (f.Lane == "" || e.Lane == f.Lane) && (f.State == "" || e.State == f.State) && (f.IDs == nil || slices.Contains(f.IDs, e.ID)) {
			found = append(found, e.Entry)
		}
	}
	return found
}

// History is as [outbox.Store] has it.
func (s *Store) History(ctx context.Context, id int64) ([]outbox.Change, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if e := s.byID[id]; e != nil {
		return slices.Clone(e.history), nil
	}
	return nil, nil
}

// Stats is as [outbox.Store] has it.
func (s *Store) Stats(ctx context.Context) (outbox.Stats, error) {
	stats := outbox.Stats{Lanes: map[outbox.Lane]outbox.LaneStats{}}
	unlock, err := s.lock(ctx)
	if err != nil {
		return stats, err
	}
	defer unlock()
	for name, l := range s.lanes {
		of := outbox.LaneStats{States: map[outbox.State]int{}, Paused: l.Paused}
		for state, by := range l.Totals {
			for cause, n := range by {
				of.Count(state, cause, n)
			}
		}
		if !l.lease.Expires.IsZero() {
			of.Sender, of.Lease = l.lease.Owner, l.lease.Expires
		}
		stats.Lanes[name] = of
	}
	for _, e := range s.entries {
		of := stats.Lanes[e.Lane]
		of.States[e.State]++
		if e.State.Waits() && of.Oldest.IsZero() {
			of.Oldest = e.Enqueued
		}
		stats.Lanes[e.Lane] = of
	}
	return stats, nil
}

// Idle is as [outbox.Store] has it.
func (s *Store) Idle(ctx context.Context) (bool, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return false, err
	}
	defer unlock()
	return !slices.ContainsFunc(s.entries, func(e *entry) bool { return e.State.Waits() }), nil
}
