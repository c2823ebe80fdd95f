package natsstore

import (
	"context"
	"slices"
	"time"

	"example.com/bento-go/outbox"
)

// A queue is what was read of entries that nothing has happened to. It is good as long as nobody else
// has changed the lane.
type queue struct {
	fresh   []message // after the cursor, by ID
	freshTo int64     // sequence up to which they were read
	held    map[int64]*meta
	heldTo  int64
	flown   map[int64]*meta // of what is in flight
}

// forgotten keeps an entry of which nothing is left from being taken for one to which nothing happened.
func (q *queue) forgotten(id int64) {
	delete(q.held, id)
	q.fresh = slices.DeleteFunc(q.fresh, func(m message) bool { return m.ID == id })
}

// mostAhead bounds the records that are read ahead, in bytes: two requests hold as much.
const mostAhead = 8 << 20

// readFresh reads ahead until there are so many fresh entries that may be begun, or no more.
func (s *Store) readFresh(ctx context.Context, l *lane, want int) error {
	for more, first := true, true; more; first = false {
		usable, size := l.usable(want), 0
		for i := range usable {
			size += len(usable[i].record)
		}
		if len(usable) == want || size >= mostAhead {
			return nil
		}
		var all []stored
		var err error
		if all, more, err = s.fetchFresh(ctx, l, want-len(usable), first); err != nil {
			return err
		}
		for _, got := range all {
			m, err := s.read(got)
			if err != nil {
				return err
			}
			if l.flies(m.ID) || l.metas[m.ID] != nil {
				m.record = nil
			}
			l.fresh, l.freshTo = append(l.fresh, m), m.ID
		}
	}
	return nil
}

// fetchFresh reads on. If there should be nothing up to where it begins, it begins at the first message,
// so that what should not be there is found.
func (s *Store) fetchFresh(ctx context.Context, l *lane, most int, first bool) (all []stored, more bool, err error) {
	from, subject := max(l.freshTo, l.sheet.Cursor)+1, s.subjects.fresh(l.name)
	if !first || !l.bare() || len(l.fresh) > 1 || s.copied.Load() && time.Since(l.purged) < lagFor {
		return s.fetch(ctx, s.streams.entries, subject, from, most)
	}
	begun := time.Now()
	if all, more, err = s.fetch(ctx, s.streams.entries, subject, 1, most+len(l.fresh)); err != nil {
		return nil, false, err
	}
	if len(all) > 0 && all[0].seq <= l.sheet.Cursor {
		if err := s.survey(ctx, l, l.sheet.Cursor); err != nil {
			return nil, false, err
		}
	}
	l.surveyed = begun
	return slices.DeleteFunc(all, func(got stored) bool { return got.seq < from }), more, nil
}

// usable are at most so many fresh entries, as far as they were read, that may be begun.
func (l *lane) usable(most int) (all []message) {
	flying := l.flying()
	for _, m := range l.fresh {
		if len(all) == most {
			break
		}
		if _, flies := flying[m.ID]; !flies && m.ID > l.sheet.Cursor && l.metas[m.ID] == nil {
			all = append(all, m)
		}
	}
	return all
}

// readHeld reads on in the entries that were put with a NotBefore.
func (s *Store) readHeld(ctx context.Context, l *lane) error {
	if l.held == nil {
		l.held = map[int64]*meta{}
	}
	for more := true; more; {
		var all []stored
		var err error
		if all, more, err = s.fetch(ctx, s.streams.entries, s.subjects.held(l.name), l.heldTo+1, fetchMessages); err != nil {
			return err
		}
		for _, got := range all {
			m, err := s.read(got)
			if err != nil {
				return err
			}
			l.held[m.ID], l.heldTo = &m.meta, m.ID
		}
	}
	return nil
}

// find is the meta of an entry that is alive; nil if there is none.
func (s *Store) find(ctx context.Context, d *draft, id int64) (*meta, error) {
	all, err := s.findAll(ctx, d, []int64{id})
	return all[id], err
}

// findAll finds entries that are alive, those in flight included. What it does not know it reads.
func (s *Store) findAll(ctx context.Context, d *draft, ids []int64) (map[int64]*meta, error) {
	all, unknown := map[int64]*meta{}, []int64(nil)
	flying := d.flying()
	for _, id := range ids {
		_, flies := flying[id]
		switch at, read := slices.BinarySearchFunc(d.fresh, id, func(m message, id int64) int { return int(m.ID - id) }); {
		case d.meta(id) != nil:
			all[id] = d.meta(id)
		case d.held[id] != nil:
			all[id] = d.held[id]
		case d.flown[id] != nil && flies:
			all[id] = d.flown[id]
		case read && (flies || id > d.sheet.Cursor):
			all[id] = &d.fresh[at].meta
		default:
			unknown = append(unknown, id)
		}
	}
	got, err := s.pick(ctx, unknown)
	if err != nil {
		return nil, err
	}
	for id, msg := range got {
		if s.subjects.laneOf(msg.subject) != d.name {
			continue
		}
		m, err := s.read(msg)
		if err != nil {
			return nil, err
		}
		if _, flies := flying[id]; m.Held || flies || id > d.sheet.Cursor {
			all[id] = &m.meta
		}
	}
	return all, nil
}

// records gets those of entries; of what is missing, or not whole, there is none.
func (s *Store) records(ctx context.Context, metas []*meta) (map[int64][]byte, error) {
	var seqs []int64
	for _, m := range metas {
		if !m.done() {
			seqs = append(append(seqs, m.parts()...), m.ID)
		}
	}
	got, err := s.pick(ctx, seqs)
	if err != nil {
		return nil, err
	}
	all := map[int64][]byte{}
	for _, m := range metas {
		head, found := got[m.ID]
		if !found || m.done() {
			continue
		}
		last, err := s.read(head)
		if err != nil {
			return nil, err
		}
		if whole, found := join(m, last.record, got); found {
			all[m.ID] = whole
		}
	}
	return all, nil
}

// join puts a record together.
func join(m *meta, last []byte, got map[int64]stored) ([]byte, bool) {
	if m.Parts == 0 {
		return last, true
	}
	var whole []byte
	for _, seq := range m.parts() {
		part, found := got[seq]
		if !found {
			return nil, false
		}
		whole = append(whole, part.data...)
	}
	return append(whole, last...), true
}

// lane is a lane in its turn, which the caller has to give back.
func (s *Store) lane(ctx context.Context, of map[outbox.Lane]*lane, name outbox.Lane) (*lane, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if s.closed.Load() {
		return nil, outbox.ErrClosed
	}
	l := of[name]
	if l == nil {
		return nil, errNoLane(name)
	}
	return l, l.take(ctx)
}
