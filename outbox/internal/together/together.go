// Package together is for stores that make calls of Put wait for something that takes long and costs
// the same for many: those that come while others wait go together when their turn comes.
package together

import (
	"context"
	"errors"
	"slices"
	"sync"

	"example.com/bento-go/outbox"
)

// A Group is where calls wait. It starts no goroutine: a caller that gets a turn serves what waits, until
// its own call is served. It is safe for concurrent use.
type Group struct {
	limit Limit
	put   func([]*Call)
	turns chan struct{} // as many as are taken

	mu      sync.Mutex
	waiting []*Call
}

// A Limit bounds what goes together. A call of more goes by itself.
type Limit struct {
	Turns   int // that are taken at the same time
	Entries int // or what else the calls count
	Bytes   int // of records
}

// A Call is one of Put.
type Call struct {
	ctx     context.Context //nolint:containedctx // it lives as long as the call
	Entries []outbox.Entry

	// What became of it is set by who serves it.
	Results []outbox.PutResult
	Err     error

	count, bytes int
	taken        bool // by who serves it
	done         chan struct{}
}

// New returns a group. Put serves calls that go together, at least one, and sets what became of each.
func New(limit Limit, put func([]*Call)) *Group {
	return &Group{limit: limit, put: put, turns: make(chan struct{}, limit.Turns)}
}

// Put has the entries served, which count so much. When ctx ends before somebody takes them, they are
// withdrawn; when it ends later, what became of them is waited for.
func (g *Group) Put(ctx context.Context, entries []outbox.Entry, count int) ([]outbox.PutResult, error) {
	mine := &Call{ctx: ctx, Entries: entries, count: count, done: make(chan struct{})}
	for i := range entries {
		mine.bytes += len(entries[i].Record)
	}
	g.mu.Lock()
	g.waiting = append(g.waiting, mine)
	g.mu.Unlock()
	select {
	case <-mine.done:
	case g.turns <- struct{}{}:
		g.serveUntil(mine)
	case <-ctx.Done():
	}
	if ctx.Err() != nil && g.withdraw(mine) {
		return nil, ctx.Err()
	}
	<-mine.done
	return mine.Results, mine.Err
}

// serveUntil serves what waits until somebody has taken a call, or nobody waits for it any more. It gives
// the turn back.
func (g *Group) serveUntil(mine *Call) {
	defer func() { <-g.turns }()
	for mine.ctx.Err() == nil {
		calls := g.next(mine)
		if len(calls) == 0 {
			return
		}
		g.serve(calls)
	}
}

// next takes the calls that go together: the first, and those after it that fit. There are none once
// somebody has taken mine.
func (g *Group) next(mine *Call) []*Call {
	g.mu.Lock()
	defer g.mu.Unlock()
	if mine.taken {
		return nil
	}
	n, count, bytes := 0, 0, 0
	for ; n < len(g.waiting); n++ {
		c := g.waiting[n]
		if count, bytes = count+c.count, bytes+c.bytes; n > 0 && (count > g.limit.Entries || bytes > g.limit.Bytes) {
			break
		}
		c.taken = true
	}
	calls := slices.Clone(g.waiting[:n])
	g.waiting = slices.Delete(g.waiting, 0, n)
	return calls
}

// withdraw takes a call back. It reports whether nobody has taken it.
func (g *Group) withdraw(mine *Call) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if mine.taken {
		return false
	}
	at := slices.Index(g.waiting, mine)
	g.waiting = slices.Delete(g.waiting, at, at+1)
	return true
}

var errUnserved = errors.New("outbox: the call that this one went with panicked: nobody knows whether the entries are kept")

// serve serves calls. If that panics, none of them waits for ever, or is told that all is well.
func (g *Group) serve(calls []*Call) {
	served := false
	defer func() {
		for _, c := range calls {
			if !served {
				c.Results, c.Err = nil, errUnserved
			}
			close(c.done)
		}
	}()
	g.put(calls)
	served = true
}

// AtOnce puts what calls bring at once, by put with ctx, which must not be that of one of them. When that
// is refused for what is in it, so that nothing is kept, and also when there is just one call, each is put by
// itself, with its own context.
func AtOnce(ctx context.Context, calls []*Call, put func(context.Context, []outbox.Entry) ([]outbox.PutResult, error), refused func(error) bool) {
	if len(calls) == 1 {
		calls[0].Results, calls[0].Err = put(calls[0].ctx, calls[0].Entries)
		return
	}
	each := make([][]outbox.Entry, len(calls))
	for i, c := range calls {
		each[i] = c.Entries
	}
	entries := slices.Concat(each...)
	results, err := put(ctx, entries)
	for _, c := range calls {
		switch n := len(c.Entries); {
		case err == nil:
			c.Results, results = results[:n:n], results[n:]
		case refused(err):
			c.Results, c.Err = put(c.ctx, c.Entries)
		default:
			c.Err = err
		}
	}
}
