package natsstore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/nats-io/nats.go"

	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/internal/together"
)

// MaxPut bounds the messages of a transaction: JetStream takes no more, if it is not set to. An entry is one, one
// more if it has a key, and one more for each half megabyte of its record after the first.
const MaxPut = 1000

// Put is as [outbox.Store] has it, for calls of at most [MaxPut] messages. Larger ones are kept in several
// transactions, one after the other: the error says so if only the first of them were. An error that is not
// [outbox.ErrFull] may mean that nothing was heard of entries that are kept even so: a key makes it safe
// to try again.
func (s *Store) Put(ctx context.Context, entries []outbox.Entry) ([]outbox.PutResult, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if s.closed.Load() {
		return nil, outbox.ErrClosed
	}
	n := 0
	for i := range entries {
		if s.lanes[entries[i].Lane] == nil {
			return nil, errNoLane(entries[i].Lane)
		}
		n += s.messagesOf(&entries[i])
	}
	switch {
	case n == 0:
		return []outbox.PutResult{}, nil
	case n == 1:
		return s.putNow(ctx, entries)
	case n > MaxPut:
		return s.putInTurn(ctx, entries)
	}
	return s.group.Put(ctx, entries, n)
}

// atATime bounds what goes into one transaction, in messages and bytes. It takes a single server some 15 ms
// (measured), however much is in it. Calls of one message need none, and do not wait for others.
var atATime = together.Limit{Turns: 1, Entries: MaxPut, Bytes: 8 << 20}

// putAll puts what calls have brought in one transaction, and each in its own if that is too much.
func (s *Store) putAll(calls []*together.Call) {
	ctx, cancel := context.WithTimeout(context.Background(), requestFor)
	defer cancel()
	together.AtOnce(ctx, calls, s.putNow, func(err error) bool { return errors.Is(err, outbox.ErrFull) })
}

// messagesOf is how many messages an entry is.
func (s *Store) messagesOf(e *outbox.Entry) int {
	n := 1 + max(len(e.Record)-1, 0)/s.part
	if e.Key != "" {
		n++
	}
	return n
}

// A slot is where a key is kept.
type slot struct {
	lane outbox.Lane
	key  string
}

// A putting is entries that are put in one transaction.
type putting struct {
	entries []outbox.Entry
	known   map[slot]int64 // IDs of keys that were put before
	results []outbox.PutResult
}

// putNow puts entries in a transaction of their own.
func (s *Store) putNow(ctx context.Context, entries []outbox.Entry) ([]outbox.PutResult, error) {
	p := &putting{entries: entries, known: map[slot]int64{}}
	for try := range maxTries {
		err := p.put(ctx, s)
		if err == nil {
			p.wake(s)
			return p.results, nil
		}
		if !errors.Is(err, errConflict) {
			return nil, err
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

// put keeps the entries whose keys are not known.
func (p *putting) put(ctx context.Context, s *Store) error {
	var all []*nats.Msg
	p.results = make([]outbox.PutResult, len(p.entries))
	heads, first := map[int]int{}, map[slot]int{} // heads: the number of an entry's
	for i := range p.entries {
		at := slot{p.entries[i].Lane, p.entries[i].Key}
		if at.key != "" {
			if p.results[i].ID, p.results[i].Duplicate = p.known[at], p.known[at] > 0; p.results[i].Duplicate {
				continue
			}
			if _, p.results[i].Duplicate = first[at]; p.results[i].Duplicate { // of one that comes before it in this call
				continue
			}
			first[at] = i
		}
		messages, err := s.compose(&p.entries[i])
		if err != nil {
			return err
		}
		all = append(all, messages...)
		heads[i] = len(all)
	}
	if len(all) == 0 {
		return nil
	}
	last, err := s.publish(ctx, all)
	if err != nil {
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
