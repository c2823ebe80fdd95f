package pgstore

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
)

// tidyEvery is after how many transactions whoever puts tidies the sum; whoever relays does, too.
const tidyEvery = 256

// A tidying is the turns of whoever puts to tidy.
type tidying struct {
	ctx    context.Context // until the store is closed
	end    context.CancelFunc
	turns  atomic.Uint64
	beside chan struct{} // full while it is done beside the application, and once the store is closed
}

func newTidying() *tidying {
	t := &tidying{beside: make(chan struct{}, 1)}
	t.ctx, t.end = context.WithCancel(context.Background())
	t.turns.Store(rand.Uint64N(tidyEvery)) //nolint:gosec // programs that put little, and end, have their turn, too
	return t
}

// turn reports whether it is time to tidy.
func (t *tidying) turn() bool { return t.turns.Add(1)%tidyEvery == 0 }

// close waits until nothing is tidied any more.
func (t *tidying) close() {
	t.end()
	t.beside <- struct{}{}
}

// tidyBeside tidies, in its turn, while the application goes on: in its own transaction it could be in
// the way of others, and another connection of its pool may be free only when that has ended.
func (s *Store) tidyBeside() {
	if !s.tidying.turn() {
		return
	}
	select {
	case s.tidying.beside <- struct{}{}:
		go func() {
			defer func() { <-s.tidying.beside }()
			_ = s.tidy(s.tidying.ctx) // there are other turns
		}()
	default:
	}
}

// take notes that entries take so many bytes more, or less. A row of the sum that another transaction
// has locked is passed over, so that none waits. In a transaction that sees the tables as they were
// when it began, a row of its own is the only one that it may surely write; it must not even look, which the
// first condition sees to: where statistics have it that the table is small, all of it would be read.
func (s *Store) take(ctx context.Context, q querier, bytes int64) error {
	if bytes == 0 {
		return nil
	}
	const add = `
		UPDATE outbox.room SET bytes = bytes + $1
		WHERE current_setting('transaction_isolation') = 'read committed' AND n = (
			SELECT n FROM outbox.room WHERE current_setting('transaction_isolation') = 'read committed' LIMIT 1 FOR UPDATE SKIP LOCKED
		) RETURNING 1`
	found := false
	err := s.each(ctx, q, func(func(...any) error) error { found = true; return nil }, add, bytes)
	if err != nil || found {
		return err
	}
	return s.run(ctx, q, "INSERT INTO outbox.room (bytes) VALUES ($1)", bytes)
}

// tidy puts rows of the sum together when there are many.
func (s *Store) tidy(ctx context.Context) error {
	const many, most = 256, 10_000
	var n int
	if err := s.read(ctx, func(ctx context.Context, q querier) error {
		return s.one(ctx, q, "SELECT count(*) FROM outbox.room", nil, &n)
	}); err != nil || n < many {
		return err
	}
	return s.change(ctx, func(ctx context.Context, q querier) error {
		var sum int64
		err := s.one(ctx, q, `
			WITH gone AS (
				DELETE FROM outbox.room WHERE n IN (SELECT n FROM outbox.room LIMIT $1 FOR UPDATE SKIP LOCKED) RETURNING bytes
			) SELECT coalesce(sum(bytes), 0)::bigint FROM gone`, []any{most}, &sum)
		if err != nil {
			return err
		}
		return s.run(ctx, q, "INSERT INTO outbox.room (bytes) VALUES ($1)", sum)
	})
}
