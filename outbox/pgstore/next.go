package pgstore

import (
	"context"
	"database/sql"
	"time"

	"example.com/bento-go/outbox"
)

// What an entry is in the table; each has an index.
const (
	isFresh   = "state = 'queued' AND attempts = 0 AND not_before = " + never
	isWaiting = "state = 'queued' AND (attempts > 0 OR not_before > " + never + ")"
	isSending = "state = 'sending'"
	isSettled = "state <> 'queued' AND state <> 'sending'"
)

// Next is as [outbox.Store] has it. It locks nothing, and waits for nobody: that the lane is still the
// lease's is looked at again by Begin.
func (s *Store) Next(ctx context.Context, lease outbox.Lease, most int, now time.Time) (due []outbox.Entry, later time.Time, err error) {
	goes, setBack, later, err := s.look(ctx, lease, now)
	if err == nil && setBack {
		if err = s.setBack(ctx, lease.Lane, now); err == nil {
			goes, _, later, err = s.look(ctx, lease, now)
		}
	}
	if err != nil || !goes {
		return nil, time.Time{}, err
	}
	err = s.read(ctx, func(ctx context.Context, q querier) error {
		due, err = s.due(ctx, q, lease.Lane, most+1, now) // to know whether there are more
		return err
	})
	if n := outbox.Together(due, most); n < len(due) {
		due, later = due[:n], now
	}
	return due, later, err
}

// look is ErrLost unless the lane is the lease's. goes says that it is not paused, setBack that there is
// what was tried at a time that has not come yet; later is when the next is due of what waits.
func (s *Store) look(ctx context.Context, lease outbox.Lease, now time.Time) (goes, setBack bool, later time.Time, err error) {
	const query = `
		SELECT token = $2 AND $3 < expires, paused = '',
			EXISTS (SELECT FROM outbox.entries e WHERE e.lane = l.lane AND state = 'queued' AND attempts > 0 AND changed > $3),
			(SELECT min(not_before) FROM outbox.entries e WHERE e.lane = l.lane AND ` + isWaiting + ` AND not_before > $3)
		FROM outbox.lanes l WHERE lane = $1`
	var good bool
	var first sql.NullTime
	err = s.read(ctx, func(ctx context.Context, q querier) error {
		return s.one(ctx, q, query, []any{string(lease.Lane), lease.Token, now}, &good, &goes, &setBack, &first)
	})
	if err == nil && !good {
		err = outbox.ErrLost
	}
	if first.Valid {
		later = first.Time.UTC()
	}
	return goes, setBack && goes, later, err
}

// setBack makes due what was tried at a time that has not come yet. What somebody changes just now is
// passed over.
func (s *Store) setBack(ctx context.Context, lane outbox.Lane, now time.Time) error {
	return s.change(ctx, func(ctx context.Context, q querier) error {
		return s.run(ctx, q, `
			UPDATE outbox.entries SET not_before = `+never+`, changed = $2 WHERE id IN (
				SELECT id FROM outbox.entries WHERE lane = $1 AND state = 'queued' AND attempts > 0 AND changed > $2 FOR UPDATE SKIP LOCKED
			)`, string(lane), now)
	})
}

// due are the entries to send: those that waited, then the others. Of what goes beyond [outbox.MaxBytes]
// there is the first, without its record, which says that there are more.
func (s *Store) due(ctx context.Context, q querier, lane outbox.Lane, most int, now time.Time) ([]outbox.Entry, error) {
	const query = `
		WITH due AS (
			(SELECT ` + columns + `, false AS fresh FROM outbox.entries WHERE lane = $1 AND ` + isWaiting + ` AND not_before <= $2 ORDER BY not_before, id LIMIT $3)
			UNION ALL
			(SELECT ` + columns + `, true FROM outbox.entries WHERE lane = $1 AND ` + isFresh + ` ORDER BY id LIMIT $3)
			LIMIT $3
		), sums AS (
			SELECT *,
				coalesce(sum(octet_length(record)) OVER (turn ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before,
				coalesce(sum(octet_length(record)) OVER (turn ROWS BETWEEN UNBOUNDED PRECEDING AND 2 PRECEDING), 0) AS before_last
			FROM due WINDOW turn AS (ORDER BY fresh, not_before, id)
		)
		SELECT ` + heads + `, CASE WHEN before < $4 THEN record ELSE '' END FROM sums WHERE before_last < $4 ORDER BY fresh, not_before, id`
	return s.entries(ctx, q, query, string(lane), now, most, outbox.MaxBytes)
}

// Recover is as [outbox.Store] has it.
func (s *Store) Recover(ctx context.Context, lease outbox.Lease, most int) (left []outbox.Entry, err error) {
	err = s.change(ctx, func(ctx context.Context, q querier) (err error) {
		if err := s.hold(ctx, q, lease, time.Time{}); err != nil {
			return err
		}
		left, err = s.find(ctx, q, outbox.Filter{Lane: lease.Lane, State: outbox.Sending}, most)
		return err
	})
	return left, err
}
