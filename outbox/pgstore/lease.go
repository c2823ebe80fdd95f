package pgstore

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"example.com/bento-go/outbox"
)

// Acquire is as [outbox.Store] has it. The lease is one row, and taken by one statement: of two senders
// that ask at once, the second sees what the first has written.
func (s *Store) Acquire(ctx context.Context, lane outbox.Lane, owner string, now time.Time, ttl time.Duration) (lease outbox.Lease, err error) {
	const acquire = `
		WITH was AS (SELECT * FROM outbox.lanes WHERE lane = $1 FOR UPDATE)
		UPDATE outbox.lanes l SET
			owner   = CASE WHEN $3::timestamptz < was.expires AND was.owner <> $2::text THEN was.owner ELSE $2::text END,
			token   = CASE WHEN $3::timestamptz < was.expires OR was.owner = $2::text THEN was.token ELSE was.token + 1 END,
			expires = CASE WHEN $3::timestamptz < was.expires AND was.owner <> $2::text THEN $3::timestamptz + was.ttl ELSE $3::timestamptz + $4::interval END, -- the first: the clock was set back
			ttl     = CASE WHEN $3::timestamptz < was.expires AND was.owner <> $2::text THEN was.ttl ELSE $4::interval END
		FROM was
		WHERE l.lane = was.lane AND (was.owner = $2::text OR $3::timestamptz >= was.expires OR was.expires > $3::timestamptz + was.ttl
			AND $5::timestamptz BETWEEN clock_timestamp() - was.ttl AND clock_timestamp() + was.ttl) -- or this machine's clock is wrong
		RETURNING l.owner, l.token`
	owner = clean(owner)
	err = s.change(ctx, func(ctx context.Context, q querier) error {
		lease = outbox.Lease{Lane: lane}
		err := s.one(ctx, q, acquire, []any{string(lane), owner, now, ttl, s.clock()}, &lease.Owner, &lease.Token)
		if errors.Is(err, sql.ErrNoRows) {
			return nil // another has it: nothing changed
		}
		return err
	})
	switch {
	case err != nil:
		return outbox.Lease{}, err
	case lease.Owner != owner:
		return outbox.Lease{}, outbox.ErrLeased
	}
	lease.Expires = now.Add(ttl)
	_ = s.tidy(ctx) // no reason to lose the lane
	return lease, nil
}

// Release is as [outbox.Store] has it.
func (s *Store) Release(ctx context.Context, lease outbox.Lease) error {
	return s.change(ctx, func(ctx context.Context, q querier) error {
		return s.run(ctx, q, "UPDATE outbox.lanes SET expires = "+never+" WHERE lane = $1 AND token = $2", string(lease.Lane), lease.Token)
	})
}

// hold is ErrLost unless the lane is still the lease's; expired matters unless now is zero. It keeps
// others from taking the lane until the transaction ends.
func (s *Store) hold(ctx context.Context, q querier, lease outbox.Lease, now time.Time) error {
	query, args := "SELECT token = $2 FROM outbox.lanes WHERE lane = $1 FOR UPDATE", []any{string(lease.Lane), lease.Token}
	if !now.IsZero() {
		query, args = "SELECT token = $2 AND $3 < expires FROM outbox.lanes WHERE lane = $1 FOR UPDATE", append(args, now)
	}
	var good bool
	err := s.one(ctx, q, query, args, &good)
	if err == nil && !good {
		err = outbox.ErrLost
	}
	return err
}

// Pause is as [outbox.Store] has it. Senders are told of a lane that may go on.
func (s *Store) Pause(ctx context.Context, lane outbox.Lane, reason string) error {
	return s.change(ctx, func(ctx context.Context, q querier) error {
		if err := s.run(ctx, q, "UPDATE outbox.lanes SET paused = $2 WHERE lane = $1", string(lane), clean(reason)); err != nil || reason != "" {
			return err
		}
		return s.run(ctx, q, "SELECT pg_notify($1, $2)", s.channel, string(lane))
	})
}

// never is the time that was not given, as a statement has it.
const never = "'0001-01-01 00:00:00+00'"

// clean is a text as PostgreSQL takes it.
func clean(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}
