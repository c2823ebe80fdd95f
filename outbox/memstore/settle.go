package memstore

import (
	"context"
	"time"

	"example.com/bento-go/outbox"
)

// Begin is as [outbox.Store] has it.
func (s *Store) Begin(ctx context.Context, lease outbox.Lease, ids []int64, now time.Time) error {
	if len(ids) == 0 {
		return s.beginMore(ctx, lease, now)
	}
	paused := false
	err := s.change(ctx, ids, func() bool {
		paused = s.holds(lease, now) && s.lanes[lease.Lane].Paused != ""
		return s.holds(lease, now) && !paused
	}, func(e *entry) bool {
		return e.Lane == lease.Lane && e.State == outbox.Queued
	}, func(e *entry, i int) {
		e.State, e.Changed = outbox.Sending, now
		e.Attempts++
		if i == 0 {
			s.lanes[e.Lane].noteBegun(now)
		}
	})
	if paused {
		return outbox.ErrPaused
	}
	return err
}

// beginMore notes one more request of what is being sent.
func (s *Store) beginMore(ctx context.Context, lease outbox.Lease, now time.Time) error {
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if !s.holds(lease, now) {
		return outbox.ErrLost
	}
	s.lanes[lease.Lane].noteBegun(now)
	return nil
}

// Begun is as [outbox.Store] has it.
func (s *Store) Begun(ctx context.Context, lanes ...outbox.Lane) (all []time.Time, err error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	for _, name := range lanes {
		all = append(all, s.lanes[name].begun...)
	}
	return all, nil
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
