package natsstore

import (
	"cmp"
	"context"
	"slices"
	"time"

	"example.com/bento-go/outbox"
)

// Next is as [outbox.Store] has it. It returns fewer than most if their records are large. An entry whose
// record is gone from the stream is not due but failed.
func (s *Store) Next(ctx context.Context, lease outbox.Lease, most int, now time.Time) (due []outbox.Entry, later time.Time, err error) {
	err = s.look(ctx, lease.Lane, func(d *draft) error {
		due, later = nil, time.Time{}
		if err := d.holds(lease, now); err != nil || d.sheet.Paused != "" {
			return err
		}
		d.setBack(now)
		n := next{draft: d, lease: lease, most: max(most, 0), now: now}
		if err := n.find(ctx, s); err != nil {
			return err
		}
		due, later = n.due, n.later
		return nil
	})
	if err != nil {
		return nil, time.Time{}, err
	}
	return due, later, nil
}

// setBack makes due what was tried at a time that has not come yet.
func (d *draft) setBack(now time.Time) {
	flying := d.flying()
	for id, m := range d.active {
		if _, flies := flying[id]; !flies && m.State == outbox.Queued && m.Attempts > 0 && m.Changed > nanos(now) {
			reset := *m
			reset.NotBefore, reset.Changed = 0, nanos(now)
			d.set(reset)
			d.written = true
		}
	}
}

// A next looks for what is due.
type next struct {
	*draft
	lease outbox.Lease
	most  int
	now   time.Time
	due   []outbox.Entry
	later time.Time
	size  int // of the records
}

func (n *next) find(ctx context.Context, s *Store) error {
	if err := s.readHeld(ctx, n.lane); err != nil {
		return err
	}
	waited := n.waited()
	if err := s.readFresh(ctx, n.lane, n.most+1-min(len(waited), n.most+1)); err != nil {
		return err
	}
	fresh := n.usable(n.most + 1)
	if len(waited)+len(fresh) > n.most {
		n.later = n.now
	}
	waited = waited[:min(len(waited), n.most)]
	fresh = fresh[:min(len(fresh), n.most-len(waited))]
	if err := n.addWaited(ctx, s, waited); err != nil {
		return err
	}
	return n.addFresh(ctx, s, fresh)
}

// waited are those that waited and are due, in order; later is when the next of them is.
func (n *next) waited() (all []*meta) {
	flying := n.flying()
	consider := func(m *meta) {
		_, flies := flying[m.ID]
		switch at := moment(m.NotBefore); {
		case flies || m.State != outbox.Queued:
		case !at.After(n.now):
			all = append(all, m)
		case n.later.IsZero() || at.Before(n.later):
			n.later = at
		}
	}
	for id := range n.active {
		consider(n.meta(id))
	}
	for id, m := range n.held {
		if n.metas[id] == nil {
			consider(m)
		}
	}
	slices.SortFunc(all, func(a, b *meta) int { return cmp.Or(cmp.Compare(a.NotBefore, b.NotBefore), cmp.Compare(a.ID, b.ID)) })
	return all
}

// readAtOnce is how many records of those that waited are read together.
const readAtOnce = 128

func (n *next) addWaited(ctx context.Context, s *Store, all []*meta) error {
	for some := range slices.Chunk(all, readAtOnce) {
		if n.full() {
			return nil
		}
		records, err := s.records(ctx, some)
		if err != nil {
			return err
		}
		for _, m := range some {
			if record, found := records[m.ID]; found {
				n.add(m, record)
			} else {
				n.fail(m)
			}
		}
	}
	return nil
}

func (n *next) addFresh(ctx context.Context, s *Store, all []message) error {
	for i := range all {
		m := &all[i]
		if n.full() {
			return nil
		}
		if m.Parts == 0 {
			n.add(&m.meta, slices.Clone(m.record))
			continue
		}
		got, err := s.pick(ctx, m.parts())
		if err != nil {
			return err
		}
		if record, found := join(&m.meta, m.record, got); found {
			n.add(&m.meta, record)
		} else {
			n.fail(&m.meta)
		}
	}
	return nil
}

// full reports whether the records are large enough for one Next.
func (n *next) full() bool {
	if n.size < outbox.MaxBytes {
		return false
	}
	n.later = n.now
	return true
}

func (n *next) add(m *meta, record []byte) {
	e := m.entry(n.name)
	e.Record = record
	n.due, n.size = append(n.due, e), n.size+len(record)
}

// fail keeps an entry from being sent whose record is gone.
func (n *next) fail(m *meta) {
	failed := *m
	failed.Lost = true
	n.note(&failed, outbox.Change{At: n.now, By: n.lease.Owner, State: outbox.Failed, Reason: "the record is gone from the stream: somebody removed it, or the servers lost it"}, outbox.CauseDamaged)
	n.set(failed)
}

// maxHistory bounds the changes that are kept of an entry, so that a drawer fits into a message.
const maxHistory = 16

// note notes what became of an entry, and counts it.
func (d *draft) note(m *meta, c outbox.Change, cause outbox.Cause) {
	m.State, m.Reason, m.Changed = c.State, c.Reason, nanos(c.At)
	m.History = append(slices.Clone(m.History), outbox.Change{At: c.At.Round(0).UTC(), By: c.By, State: c.State, Reason: c.Reason})
	if len(m.History) > maxHistory { // the first stays
		m.History = slices.Delete(m.History, 1, 2)
	}
	d.sheet.count(c.State, cause, 1)
	d.written = true
}
