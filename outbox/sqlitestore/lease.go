package sqlitestore

import (
	"context"
	"database/sql"
	"time"

	"example.com/bento-go/outbox"
)

// Acquire is as [outbox.Store] has it.
func (s *Store) Acquire(ctx context.Context, lane outbox.Lane, owner string, now time.Time, ttl time.Duration) (lease outbox.Lease, err error) {
	taken := false
	err = s.change(ctx, func(tx *sql.Tx) error {
		var holder string
		var token, expires, term int64
		if err := tx.QueryRowContext(ctx, "SELECT owner, token, expires, ttl FROM lanes WHERE lane = ?", numberOf(lane)).Scan(&holder, &token, &expires, &term); err != nil {
			return err
		}
		if latest := nanos(now) + term; expires > latest { // the clock was set back
			expires = latest
		}
		held := nanos(now) < expires
		switch {
		case held && holder != owner:
			taken = true
			_, err := tx.ExecContext(ctx, "UPDATE lanes SET expires = ?1 WHERE lane = ?2 AND expires > ?1", expires, numberOf(lane))
			return err
		case holder != owner:
			token++
		}
		lease = outbox.Lease{Lane: lane, Owner: owner, Token: token, Expires: now.Add(ttl)}
		_, err := tx.ExecContext(ctx, "UPDATE lanes SET owner = ?, token = ?, expires = ?, ttl = ? WHERE lane = ?", owner, token, nanos(lease.Expires), int64(ttl), numberOf(lane))
		return err
	})
	if err == nil && taken {
		err = outbox.ErrLeased
	}
	return lease, err
}

// Release is as [outbox.Store] has it.
func (s *Store) Release(ctx context.Context, lease outbox.Lease) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE lanes SET expires = 0 WHERE lane = ? AND token = ?", numberOf(lease.Lane), lease.Token)
		return err
	})
}

// holds is ErrLost unless the lane is still the lease's; expired matters unless now is zero.
func holds(ctx context.Context, tx *sql.Tx, lease outbox.Lease, now time.Time) error {
	_, err := heldUntil(ctx, tx, lease, now)
	return err
}

// heldUntil is like holds, and when the lane runs out.
func heldUntil(ctx context.Context, tx *sql.Tx, lease outbox.Lease, now time.Time) (time.Time, error) {
	var token, expires int64
	if err := tx.QueryRowContext(ctx, "SELECT token, expires FROM lanes WHERE lane = ?", numberOf(lease.Lane)).Scan(&token, &expires); err != nil {
		return time.Time{}, err
	}
	if token != lease.Token || !now.IsZero() && nanos(now) >= expires {
		return time.Time{}, outbox.ErrLost
	}
	return moment(expires), nil
}

// Pause is as [outbox.Store] has it.
func (s *Store) Pause(ctx context.Context, lane outbox.Lane, reason string) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE lanes SET paused = ? WHERE lane = ?", reason, numberOf(lane))
		return err
	})
}
