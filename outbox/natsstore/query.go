package natsstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"example.com/bento-go/outbox"
)

// Query is as [outbox.Store] has it.
func (s *Store) Query(ctx context.Context, f outbox.Filter, most int) (found []outbox.Entry, err error) {
	most = max(most, 0)
	err = s.all(ctx, func(lanes []*lane) error {
		if f.Lane != "" {
			lanes = slices.DeleteFunc(slices.Clone(lanes), func(l *lane) bool { return l.name != f.Lane })
		}
		if err := s.syncAll(ctx, lanes); err != nil {
			return err
		}
		for _, l := range lanes {
			of, err := s.list(ctx, l, f, most)
			if err != nil {
				return err
			}
			found = append(found, of...)
		}
		return nil
	})
	slices.SortFunc(found, func(a, b outbox.Entry) int { return cmp.Compare(a.ID, b.ID) })
	return found[:min(len(found), most)], err
}

// list is Query for one lane, as it was read last.
func (s *Store) list(ctx context.Context, l *lane, f outbox.Filter, most int) ([]outbox.Entry, error) {
	most = max(most, 0)
	q := &query{l: l, f: f, most: most, flying: l.flying(), records: map[int64][]byte{}}
	if f.IDs != nil {
		q.wanted = map[int64]bool{}
		for _, id := range f.IDs {
			q.wanted[id] = true
		}
	}
	for _, m := range l.metas {
		q.add(m)
	}
	if err := q.addPlain(ctx, s); err != nil {
		return nil, err
	}
	slices.SortFunc(q.found, func(a, b *meta) int { return cmp.Compare(a.ID, b.ID) })
	q.found = q.found[:min(len(q.found), most)]
	return q.entries(ctx, s)
}

// A query collects what matches.
type query struct {
	l       *lane
	f       outbox.Filter
	wanted  map[int64]bool // nil: all
	most    int
	flying  map[int64]int64
	found   []*meta
	records map[int64][]byte // that were read by the way
}

// add adds an entry that matches. It reports whether it did.
func (q *query) add(m *meta) bool {
	state := m.State
	if _, flies := q.flying[m.ID]; flies {
		state = outbox.Sending
	}
	if m.State == gone || m.ID <= q.f.After || q.f.State != "" && q.f.State != state || q.wanted != nil && !q.wanted[m.ID] {
		return false
	}
	q.found = append(q.found, m)
	return true
}

// addPlain adds what has no meta in the state stream: what is in flight, and what is fresh.
func (q *query) addPlain(ctx context.Context, s *Store) error {
	var ids []int64
	for id := range q.flying {
		ids = append(ids, id)
	}
	ids = slices.DeleteFunc(append(ids, q.f.IDs...), func(id int64) bool { return q.l.metas[id] != nil })
	if q.f.State == outbox.Queued || q.f.State == outbox.Sending || q.f.State == "" {
		slices.Sort(ids)
		metas, err := s.findAll(ctx, q.l.draft(), slices.Compact(ids))
		if err != nil {
			return err
		}
		for _, m := range metas {
			q.add(m)
		}
	}
	if q.f.IDs != nil || q.f.State != "" && q.f.State != outbox.Queued {
		return nil
	}
	if err := q.scan(ctx, s, s.subjects.fresh(q.l.name), max(q.f.After, q.l.sheet.Cursor)); err != nil {
		return err
	}
	return q.scan(ctx, s, s.subjects.held(q.l.name), q.f.After)
}

// scan adds the fresh entries of a subject, until there are enough.
func (q *query) scan(ctx context.Context, s *Store, subject string, after int64) error {
	for n, more := 0, true; more && n < q.most; {
		var all []stored
		var err error
		if all, more, err = s.fetch(ctx, s.streams.entries, subject, after+1, q.most-n); err != nil {
			return err
		}
		for _, got := range all {
			after = got.seq
			if _, flies := q.flying[got.seq]; flies || q.l.metas[got.seq] != nil {
				continue
			}
			m, err := s.read(got)
			if err != nil {
				return err
			}
			if q.add(&m.meta) {
				n++
			}
			if m.Parts == 0 {
				q.records[m.ID] = m.record
			}
		}
	}
	return nil
}

// entries are what was found, with their records.
func (q *query) entries(ctx context.Context, s *Store) ([]outbox.Entry, error) {
	var unread []*meta
	for _, m := range q.found {
		if _, read := q.records[m.ID]; !read {
			unread = append(unread, m)
		}
	}
	records, err := s.records(ctx, unread)
	if err != nil {
		return nil, err
	}
	var all []outbox.Entry
	for _, m := range q.found {
		e := q.l.shown(m, q.flying)
		if e.Record = records[m.ID]; e.Record == nil {
			e.Record = q.records[m.ID]
		}
		all = append(all, e)
	}
	return all, nil
}

// History is as [outbox.Store] has it.
func (s *Store) History(ctx context.Context, id int64) (all []outbox.Change, err error) {
	err = s.all(ctx, func(lanes []*lane) error {
		if err := s.syncAll(ctx, lanes); err != nil {
			return err
		}
		for _, l := range lanes {
			if m := l.metas[id]; m != nil {
				all = slices.Clone(m.History)
			}
		}
		return nil
	})
	return all, err
}

// Forget is as [outbox.Store] has it, by the server's clock where that of this machine is ahead of it:
// keys that are kept too short a time keep nobody from enqueueing twice.
func (s *Store) Forget(ctx context.Context, name outbox.Lane, before time.Time, most int) (gone int, err error) {
	c, err := s.inspect(ctx, "")
	if err != nil {
		return 0, err
	}
	before = before.Add(min(c.ahead, 0))
	for more := true; more; {
		var n int
		err := s.look(ctx, name, func(d *draft) error {
			if err := s.sweep(ctx, d.lane); err != nil { // what is forgotten must not be found in the stream
				return err
			}
			n, more = d.forget(before, most-gone)
			return nil
		})
		if err != nil {
			return gone, err
		}
		gone += n
	}
	return gone, nil
}

// What is forgotten in one transaction, at most.
const forgetEntries, forgetDrawers = 5000, 500

// forget removes what changed before a time. It returns how many of them there were, and whether there
// are more that may go.
func (d *draft) forget(before time.Time, most int) (n int, more bool) {
	var old []*meta
	for _, m := range d.metas {
		if (m.done() || m.State == outbox.Failed) && m.Changed < nanos(before) {
			old = append(old, m)
		}
	}
	slices.SortFunc(old, func(a, b *meta) int { return cmp.Or(cmp.Compare(a.Changed, b.Changed), cmp.Compare(a.ID, b.ID)) })
	drawers := map[int64]bool{}
	for _, m := range old {
		if n == most && m.State != gone {
			return n, false
		}
		if drawers[m.ID/drawerSize] = true; len(d.changed) == forgetEntries || len(drawers) > forgetDrawers {
			return n, true
		}
		d.forgetOne(m)
		if m.State != gone {
			n++
		}
	}
	return n, false
}

func (d *draft) forgetOne(m *meta) {
	if !m.done() {
		d.doom(m)
	}
	if m.State == outbox.Failed {
		d.sheet.count(outbox.Discarded, outbox.CauseForgotten, 1)
	}
	if claim := m.claim(); claim > 0 {
		d.sheet.Doomed.Others = append(d.sheet.Doomed.Others, claim)
	}
	d.drop(m.ID)
	d.written = true
}

// all has the turns of all lanes, as those have read them who look, while it does something.
func (s *Store) all(ctx context.Context, do func([]*lane) error) error {
	var lanes []*lane
	defer func() {
		for _, l := range lanes {
			l.give()
		}
	}()
	for _, name := range outbox.Lanes {
		l, err := s.lane(ctx, s.views, name)
		if err != nil {
			return err
		}
		lanes = append(lanes, l)
	}
	return do(lanes)
}

func errNoLane(name outbox.Lane) error { return fmt.Errorf("natsstore: there is no lane %q", name) }
