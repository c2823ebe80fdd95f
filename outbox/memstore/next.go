package memstore

import (
	"context"
	"slices"
	"time"

	"example.com/bento-go/outbox"
)

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
