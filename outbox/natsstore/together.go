package natsstore

import (
	"context"
	"errors"
	"slices"
	"sync"

	"example.com/bento-go/outbox"
)

// A counter is where calls of Put wait for each other: those that come while a transaction is under way
// go together in the next. A transaction takes a single server some 15 ms (measured), however much is in
// it. Calls of one message need none, and do not wait here.
type counter struct {
	mu      sync.Mutex // of waiting
	waiting []*call
	turn    chan struct{} // is full while somebody commits
}

// A call is one of Put.
type call struct {
	ctx      context.Context //nolint:containedctx // it lives as long as the call
	entries  []outbox.Entry
	messages int
	results  []outbox.PutResult
	err      error
	done     chan struct{}
}

// maxTogether bounds the records of calls that go together, in bytes.
const maxTogether = 8 << 20

func (s *Store) putTogether(ctx context.Context, entries []outbox.Entry, messages int) ([]outbox.PutResult, error) {
	mine := &call{ctx: ctx, entries: entries, messages: messages, done: make(chan struct{})}
	c := &s.counter
	c.mu.Lock()
	c.waiting = append(c.waiting, mine)
	c.mu.Unlock()
	for {
		select {
		case <-mine.done:
			return mine.results, mine.err
		case c.turn <- struct{}{}:
			s.commitCalls(c.next())
			<-c.turn
		case <-ctx.Done():
			if c.withdraw(mine) {
				return nil, ctx.Err()
			}
			<-mine.done // it is under way, which is bounded
			return mine.results, mine.err
		}
	}
}

// next takes the calls that go together.
func (c *counter) next() []*call {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, messages, size := 0, 0, 0
	for n < len(c.waiting) {
		messages += c.waiting[n].messages
		for i := range c.waiting[n].entries {
			size += len(c.waiting[n].entries[i].Record)
		}
		if n > 0 && (messages > MaxPut || size > maxTogether) {
			break
		}
		n++
	}
	all := slices.Clone(c.waiting[:n])
	c.waiting = slices.Delete(c.waiting, 0, n)
	return all
}

// withdraw takes a call back. It reports whether it was still waiting.
func (c *counter) withdraw(mine *call) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := slices.Index(c.waiting, mine)
	if at < 0 {
		return false
	}
	c.waiting = slices.Delete(c.waiting, at, at+1)
	return true
}

// commitCalls puts what calls have brought: together, and each by itself if that is too much.
func (s *Store) commitCalls(all []*call) {
	switch len(all) {
	case 0:
		return
	case 1:
		all[0].results, all[0].err = s.putNow(all[0].ctx, all[0].entries)
		close(all[0].done)
		return
	}
	var entries []outbox.Entry
	for _, c := range all {
		entries = append(entries, c.entries...)
	}
	ctx, cancel := context.WithTimeout(context.Background(), requestFor) // a call that ends must not end those of others
	defer cancel()
	results, err := s.putNow(ctx, entries)
	if errors.Is(err, outbox.ErrFull) {
		for _, c := range all {
			s.commitCalls([]*call{c})
		}
		return
	}
	for _, c := range all {
		if c.err = err; err == nil {
			c.results, results = results[:len(c.entries):len(c.entries)], results[len(c.entries):]
		}
		close(c.done)
	}
}
