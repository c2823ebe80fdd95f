package pgstore

import (
	"context"
	"errors"
	"slices"
	"strings"

	"example.com/bento-go/outbox"
)

// A call is one of Put that waits for the server.
type call struct {
	entries []outbox.Entry
	results []outbox.PutResult
	err     error
	done    chan struct{}
}

const (
	// maxTurns is how many transactions are under way for calls that go together.
	maxTurns = 2
	// maxTogether bounds, in entries and in bytes of records, what goes together; a call of more goes by
	// itself.
	maxTogether, maxBytesTogether = 4096, 4 << 20
)

// Put is as [outbox.Store] has it. Calls that come while others wait for the server go together, in one
// transaction: what they cost is most of all that wait. Those with keys do not: they may have to wait
// for another transaction, and nobody else should.
//
// When the connection is lost while it commits, nobody knows whether the entries are kept: give them
// keys, and put them again.
func (s *Store) Put(ctx context.Context, entries []outbox.Entry) ([]outbox.PutResult, error) {
	switch {
	case len(entries) == 0:
		return nil, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case slices.ContainsFunc(entries, func(e outbox.Entry) bool { return e.Key != "" }):
		return s.putAlone(ctx, entries)
	}
	mine := &call{entries: entries, done: make(chan struct{})}
	s.mu.Lock()
	s.pending = append(s.pending, mine)
	s.mu.Unlock()
	select {
	case <-mine.done:
	case s.turns <- struct{}{}:
		for s.isPending(mine) {
			s.commit(s.together())
		}
		<-s.turns
	case <-ctx.Done():
		if s.withdraw(mine) {
			return nil, ctx.Err()
		}
	}
	<-mine.done // by this one, or another who has it in hand
	return mine.results, mine.err
}

// putAlone puts entries in a transaction of their own.
func (s *Store) putAlone(ctx context.Context, entries []outbox.Entry) (results []outbox.PutResult, err error) {
	err = s.change(ctx, func(ctx context.Context, q querier) error {
		results, err = s.put(ctx, q, entries)
		return err
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

func (s *Store) isPending(c *call) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Contains(s.pending, c)
}

// withdraw takes back a call. It reports whether nobody had it in hand.
func (s *Store) withdraw(c *call) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := slices.Index(s.pending, c)
	if at < 0 {
		return false
	}
	s.pending = slices.Delete(s.pending, at, at+1)
	return true
}

// together takes the calls that go together: the first, and those after it that fit.
func (s *Store) together() []*call {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, entries, bytes := 0, 0, 0
	for ; n < len(s.pending); n++ {
		entries += len(s.pending[n].entries)
		for _, e := range s.pending[n].entries {
			bytes += len(e.Record)
		}
		if n > 0 && (entries > maxTogether || bytes > maxBytesTogether) {
			break
		}
	}
	taken := s.pending[:n:n]
	s.pending = slices.Clone(s.pending[n:])
	return taken
}

// commit puts all of the calls in one transaction, or each in its own if they are refused together;
// each of them all or none. A call that ends must not end those of others.
func (s *Store) commit(calls []*call) {
	if len(calls) == 0 {
		return
	}
	var entries []outbox.Entry
	for _, c := range calls {
		entries = append(entries, c.entries...)
	}
	ctx := context.Background()
	results, err := s.putAlone(ctx, entries)
	for _, c := range calls {
		switch n := len(c.entries); {
		case err == nil:
			c.results, results = results[:n:n], results[n:]
		case len(calls) > 1 && refused(err):
			c.results, c.err = s.putAlone(ctx, c.entries)
		default:
			c.err = err
		}
		close(c.done)
	}
}

// refused reports whether nothing was kept for sure, on account of what was to be.
func refused(err error) bool {
	return errors.Is(err, outbox.ErrFull) || strings.HasPrefix(codeOf(err), codesOfData)
}
