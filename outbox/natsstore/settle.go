package natsstore

import (
	"context"
	"slices"
	"time"

	"example.com/bento-go/outbox"
)

// Begin is as [outbox.Store] has it.
func (s *Store) Begin(ctx context.Context, lease outbox.Lease, ids []int64, now time.Time) error {
	return s.change(ctx, lease.Lane, func(d *draft) error {
		if err := d.holds(lease, now); err != nil {
			return err
		}
		d.sheet.Begun = append(d.sheet.Begun[max(0, len(d.sheet.Begun)-outbox.MostBegun+1):], nanos(now))
		if d.written = true; len(ids) == 0 {
			return nil
		}
		if d.sheet.Paused != "" {
			return outbox.ErrPaused
		}
		flying := d.flying()
		for _, id := range ids {
			if _, flies := flying[id]; flies {
				return outbox.ErrLost
			}
		}
		metas, err := s.findAll(ctx, d, ids)
		if err != nil {
			return err
		}
		flown := map[int64]*meta{}
		for _, id := range ids {
			m := metas[id]
			if m == nil || m.State != outbox.Queued {
				return outbox.ErrLost
			}
			kept := *m
			flown[id] = &kept
		}
		d.sheet.Flights = append(d.sheet.Flights, flight{nanos(now), slices.Clone(ids)})
		d.advance(flown)
		d.afterwards = append(d.afterwards, func() { d.launched(flown) })
		return nil
	})
}

// Begun is as [outbox.Store] has it.
func (s *Store) Begun(ctx context.Context, lanes ...outbox.Lane) (all []time.Time, err error) {
	for _, name := range lanes {
		err := s.look(ctx, name, func(d *draft) error {
			for _, at := range d.sheet.Begun {
				all = append(all, moment(at))
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// advance moves the cursor over what is begun, as long as nothing is left behind it.
func (d *draft) advance(begun map[int64]*meta) {
	flying := d.flying()
	for _, m := range d.fresh {
		if m.ID <= d.sheet.Cursor {
			continue
		}
		_, flies := flying[m.ID]
		if begun[m.ID] == nil && !flies && d.metas[m.ID] == nil {
			return
		}
		d.sheet.Cursor = m.ID
	}
}

// launched keeps what is in flight from being read again.
func (l *lane) launched(flown map[int64]*meta) {
	if l.flown == nil {
		l.flown = map[int64]*meta{}
	}
	for id, m := range flown {
		if l.metas[id] == nil && l.held[id] == nil {
			l.flown[id] = m
		}
	}
	l.fresh = slices.DeleteFunc(l.fresh, func(m message) bool { return m.ID <= l.sheet.Cursor })
}

// Settle is as [outbox.Store] has it.
func (s *Store) Settle(ctx context.Context, lease outbox.Lease, verdicts []outbox.Verdict, now time.Time) error {
	ids := make([]int64, len(verdicts))
	for i, v := range verdicts {
		ids[i] = v.ID
	}
	return s.change(ctx, lease.Lane, func(d *draft) error {
		if err := d.holds(lease, time.Time{}); err != nil || len(ids) == 0 {
			return err
		}
		if !d.land(ids) {
			return outbox.ErrLost
		}
		metas, err := s.findAll(ctx, d, ids)
		if err != nil {
			return err
		}
		for _, v := range verdicts {
			m := meta{ID: v.ID, Policy: outbox.AtMostOnce, State: outbox.Queued, Lost: true}
			if metas[v.ID] != nil {
				m = *metas[v.ID]
			}
			d.settle(m, lease, v, now)
		}
		d.afterwards = append(d.afterwards, func() {
			for _, id := range ids {
				delete(d.flown, id)
			}
		})
		return nil
	})
}

// land ends the flight of entries. It reports whether all of them were in one.
func (d *draft) land(ids []int64) bool {
	landed := make(map[int64]bool, len(ids))
	for _, id := range ids {
		landed[id] = true
	}
	n, left := 0, []flight(nil)
	for _, f := range d.sheet.Flights {
		rest := slices.DeleteFunc(slices.Clone(f.IDs), func(id int64) bool { return landed[id] })
		if n += len(f.IDs) - len(rest); len(rest) > 0 {
			left = append(left, flight{f.Begun, rest})
		}
	}
	d.sheet.Flights = left
	return n == len(ids)
}

// settle notes a verdict.
func (d *draft) settle(m meta, lease outbox.Lease, v outbox.Verdict, now time.Time) {
	m.Attempts++
	m.NotBefore = nanos(v.NotBefore)
	d.written = true
	if v.State == outbox.Parked || v.State == outbox.Failed {
		d.note(&m, outbox.Change{At: now, By: lease.Owner, State: v.State, Reason: v.Reason}, v.Cause)
		d.set(m)
		return
	}
	m.State, m.Reason, m.Changed = v.State, v.Reason, nanos(now)
	d.sheet.count(v.State, v.Cause, 1)
	if v.State.Done() {
		d.doom(&m)
	}
	if v.State == outbox.Accepted && m.Key == "" && m.History == nil {
		d.vanish(&m)
		return
	}
	d.set(m)
}

// vanish leaves nothing of an entry but what keeps its message from being taken for a fresh one.
func (d *draft) vanish(m *meta) {
	if m.Held || m.ID > d.sheet.Cursor {
		d.set(meta{ID: m.ID, State: gone, Changed: m.Changed, Held: m.Held})
		return
	}
	d.drop(m.ID)
}

// Recover is as [outbox.Store] has it.
func (s *Store) Recover(ctx context.Context, lease outbox.Lease, most int) (left []outbox.Entry, err error) {
	err = s.look(ctx, lease.Lane, func(d *draft) error {
		if err := d.holds(lease, time.Time{}); err != nil {
			return err
		}
		left, err = s.list(ctx, d.lane, outbox.Filter{State: outbox.Sending}, most)
		if err == nil && len(left) == 0 {
			left = d.vanished(most)
		}
		return err
	})
	return left, err
}

// vanished are the entries in flight whose messages are gone from the stream: somebody has to decide
// about them, too.
func (d *draft) vanished(most int) (all []outbox.Entry) {
	for id := range d.flying() {
		if len(all) < most {
			m := meta{ID: id, Policy: outbox.AtMostOnce, State: outbox.Sending}
			all = append(all, m.entry(d.name))
		}
	}
	return all
}

// Decide is as [outbox.Store] has it.
func (s *Store) Decide(ctx context.Context, ids []int64, decision outbox.Decision, now time.Time) error {
	return s.all(ctx, func(lanes []*lane) error {
		return s.changeAll(ctx, lanes, false, func(drafts []*draft) error {
			for _, id := range ids {
				if !decide(drafts, id, decision, now) {
					return outbox.ErrLost
				}
			}
			return nil
		})
	})
}

// decide decides about one entry, whichever lane it is in. It reports whether that could be.
func decide(drafts []*draft, id int64, decision outbox.Decision, now time.Time) bool {
	for _, d := range drafts {
		m := d.meta(id)
		if m == nil || m.State != outbox.Parked && m.State != outbox.Failed {
			continue
		}
		decided := *m
		decided.NotBefore = 0
		d.note(&decided, outbox.Change{At: now, By: decision.By, State: decision.To, Reason: decision.Reason}, outbox.CauseDecided)
		if decided.done() {
			d.doom(m)
		}
		d.set(decided)
		return true
	}
	return false
}
