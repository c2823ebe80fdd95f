package natsstore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/nats-io/nats.go"

	"example.com/bento-go/outbox"
)

// MaxPut bounds the messages of one Put: JetStream takes so many in a transaction. An entry is one, one
// more if it has a key, and one more for each half megabyte of its record after the first.
const MaxPut = 1000

// Put is as [outbox.Store] has it. One call keeps at most [MaxPut] messages. When the error is that
// nothing was heard, it may have been kept: a key makes it safe to try again.
func (s *Store) Put(ctx context.Context, entries []outbox.Entry) ([]outbox.PutResult, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if s.closed.Load() {
		return nil, outbox.ErrClosed
	}
	p := &putting{entries: entries, known: map[slot]int64{}}
	for try := range maxTries {
		err := p.put(ctx, s)
		if !errors.Is(err, errConflict) {
			return p.results, err
		}
		if err := s.lookUp(ctx, p); err != nil {
			return nil, err
		}
		if err := pause(ctx, rand.N(time.Duration(1+try)*time.Millisecond)); err != nil { //nolint:gosec // not for a secret
			return nil, err
		}
	}
	return nil, fmt.Errorf("natsstore: gave up after %d tries to put what others put all the time, or a cluster that is busy", maxTries)
}

// A slot is where a key is kept.
type slot struct {
	lane outbox.Lane
	key  string
}

// A putting is a call of Put.
type putting struct {
	entries []outbox.Entry
	known   map[slot]int64 // IDs of keys that were put before
	results []outbox.PutResult
}

// put keeps the entries whose keys are not known.
func (p *putting) put(ctx context.Context, s *Store) error {
	var all []*nats.Msg
	p.results = make([]outbox.PutResult, len(p.entries))
	heads := map[int]int{} // index of an entry: number of its head
	first := map[slot]int{}
	for i := range p.entries {
		e := &p.entries[i]
		if s.lanes[e.Lane] == nil {
			return errNoLane(e.Lane)
		}
		at := slot{e.Lane, e.Key}
		if e.Key != "" {
			if id, known := p.known[at]; known {
				p.results[i] = outbox.PutResult{ID: id, Duplicate: true}
				continue
			}
			if _, known := first[at]; known {
				p.results[i].Duplicate = true // of one that comes before it in this call
				continue
			}
			first[at] = i
		}
		messages, err := s.compose(e)
		if err != nil {
			return err
		}
		all = append(all, messages...)
		heads[i] = len(all)
	}
	if len(all) == 0 {
		return nil
	}
	if len(all) > MaxPut {
		return fmt.Errorf("natsstore: %d entries are %d messages, and JetStream keeps %d together: enqueue fewer at once", len(p.entries), len(all), MaxPut)
	}
	last, err := s.publish(ctx, all)
	if err != nil {
		p.results = nil
		return err
	}
	for i, n := range heads {
		p.results[i].ID = last - int64(len(all)-n)
	}
	for i := range p.entries {
		if r := &p.results[i]; r.ID == 0 {
			r.ID = p.results[first[slot{p.entries[i].Lane, p.entries[i].Key}]].ID
		}
	}
	p.wake(s)
	return nil
}

// lookUp finds out which of the keys are known.
func (s *Store) lookUp(ctx context.Context, p *putting) error {
	// So that what is forgotten is forgotten.
	if err := s.all(ctx, func(lanes []*lane) error { return s.syncAll(ctx, lanes) }); err != nil {
		return err
	}
	clear(p.known)
	for i := range p.entries {
		e := &p.entries[i]
		at := slot{e.Lane, e.Key}
		if _, known := p.known[at]; known || e.Key == "" {
			continue
		}
		claim, err := s.get(ctx, s.streams.entries, map[string]string{"last_by_subj": s.subjects.claim(e.Lane, e.Key)})
		if err != nil {
			return err
		}
		if claim != nil {
			p.known[at] = claim.seq + 1
		}
	}
	return nil
}
