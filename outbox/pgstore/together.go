package pgstore

import (
	"context"
	"errors"
	"slices"
	"strings"

	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/internal/together"
)

// atATime bounds what goes into one transaction; a call of more has one of its own.
var atATime = together.Limit{Turns: 2, Entries: 4096, Bytes: 4 << 20}

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
	return s.group.Put(ctx, entries, len(entries))
}

// putAll puts the calls in one transaction, or each in its own if they are refused together. What is under
// way is not broken off when a call ends: its connection would be, too.
func (s *Store) putAll(calls []*together.Call) {
	together.AtOnce(context.Background(), calls, func(ctx context.Context, entries []outbox.Entry) ([]outbox.PutResult, error) {
		return s.putAlone(context.WithoutCancel(ctx), entries)
	}, refused)
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
	if s.tidying.turn() {
		_ = s.tidy(ctx) // no reason not to have put
	}
	return results, nil
}

// refused reports whether nothing was kept for sure, on account of what was to be.
func refused(err error) bool {
	return errors.Is(err, outbox.ErrFull) || strings.HasPrefix(codeOf(err), codesOfData)
}
