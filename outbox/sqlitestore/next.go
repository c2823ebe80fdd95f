package sqlitestore

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"example.com/bento-go/outbox"
)

// Next is as [outbox.Store] has it. A record that is damaged is not due but failed.
func (s *Store) Next(ctx context.Context, lease outbox.Lease, most int, now time.Time) ([]outbox.Entry, time.Time, error) {
	due, later, err := s.next(ctx, lease, most, now)
	if err == nil && len(due) == 0 {
		s.tidy(ctx, now)
	}
	return due, later, err
}

func (s *Store) next(ctx context.Context, lease outbox.Lease, most int, now time.Time) (due []outbox.Entry, later time.Time, err error) {
	seen, err := s.seen(ctx)
	if err != nil {
		return nil, later, known(err)
	}
	if q, remembered := s.quiet.Load(lease.Lane); remembered && q.(quiet).still(seen, lease.Token, now) {
		return nil, q.(quiet).later, nil
	}
	var until time.Time
	damaged := false
	err = within(ctx, s.db, func(tx *sql.Tx) (err error) {
		if until, err = heldUntil(ctx, tx, lease, now); err != nil {
			return err
		}
		var paused string
		if err := tx.QueryRowContext(ctx, "SELECT paused FROM lanes WHERE lane = ?", numberOf(lease.Lane)).Scan(&paused); err != nil || paused != "" {
			return err
		}
		if err := setBack(ctx, tx, lease.Lane, now); err != nil {
			return err
		}
		n := next{lane: lease.Lane, most: most, now: now}
		if err := n.find(ctx, tx); err != nil {
			return err
		}
		due, later = n.due, n.later
		if damaged = len(n.damaged) > 0; !damaged {
			return nil
		}
		if len(due) == 0 {
			later = now // behind them may be more
		}
		return fail(ctx, tx, lease, n.damaged, now)
	})
	if err == nil && len(due) == 0 && !damaged {
		s.quiet.Store(lease.Lane, quiet{seen, lease.Token, until, now, later})
	}
	return due, later, err
}

// A sight is how the file was: it is the same as long as nobody writes to it.
type sight struct{ others, own int64 }

func (s *Store) seen(ctx context.Context) (now sight, err error) {
	now.own = s.changes.Load()
	err = s.db.QueryRowContext(ctx, "PRAGMA data_version").Scan(&now.others)
	return now, err
}

// A quiet lane had nothing due at a time; whoever asks again need not look until its lease runs out, as
// long as nothing is written. Most who ask have nothing to do.
type quiet struct {
	sight
	token            int64
	until, at, later time.Time
}

func (q quiet) still(seen sight, token int64, now time.Time) bool {
	return q.sight == seen && q.token == token && now.Before(q.until) && !now.Before(q.at) && (q.later.IsZero() || now.Before(q.later))
}

// A next looks for what is due.
type next struct {
	lane    outbox.Lane
	most    int
	now     time.Time
	due     []outbox.Entry
	damaged []int64
	later   time.Time
}

func (n *next) find(ctx context.Context, tx *sql.Tx) error {
	under, err := flights(ctx, tx, n.lane)
	if err != nil {
		return err
	}
	most := n.most + 1 // to know whether there are more
	for _, f := range under {
		most += len(f.ids)
	}
	waited, damaged, err := entries(ctx, tx, 2*outbox.MaxBytes, isWaiting+" AND lane = ? AND not_before <= ? ORDER BY not_before, id LIMIT ?", numberOf(n.lane), nanos(n.now), most)
	if err != nil {
		return err
	}
	fresh, more, err := entries(ctx, tx, 2*outbox.MaxBytes, isFresh+" AND lane = ? ORDER BY id LIMIT ?", numberOf(n.lane), most-len(waited))
	if err != nil {
		return err
	}
	n.due, n.damaged = slices.Concat(waited, fresh), slices.Concat(damaged, more)
	if len(under)+len(n.damaged) > 0 {
		n.due = slices.DeleteFunc(n.due, func(e outbox.Entry) bool {
			return slices.Contains(n.damaged, e.ID) || slices.ContainsFunc(under, func(f flight) bool { return slices.Contains(f.ids, e.ID) })
		})
	}
	if most := outbox.Together(n.due, n.most); most < len(n.due) {
		n.due, n.later = n.due[:most], n.now
		return nil
	}
	var first sql.NullInt64
	err = tx.QueryRowContext(ctx, "SELECT min(not_before) FROM entries WHERE "+isWaiting+" AND lane = ? AND not_before > ? AND id NOT IN (SELECT value FROM sending, json_each(ids))",
		numberOf(n.lane), nanos(n.now)).Scan(&first)
	n.later = moment(first.Int64)
	return err
}

// setBack makes due what was tried at a time that has not come yet.
func setBack(ctx context.Context, tx *sql.Tx, lane outbox.Lane, now time.Time) error {
	_, err := tx.ExecContext(ctx, "UPDATE entries SET not_before = 0, changed = ?1 WHERE lane = ?2 AND state = 'queued' AND attempts > 0 AND changed > ?1"+
		" AND id NOT IN (SELECT value FROM sending, json_each(ids))", nanos(now), numberOf(lane))
	return err
}

// fail keeps damaged records from being sent.
func fail(ctx context.Context, tx *sql.Tx, lease outbox.Lease, ids []int64, now time.Time) error {
	v := outbox.Verdict{State: outbox.Failed, Cause: outbox.CauseDamaged, Reason: "the record was damaged in the file: the disk may be failing"}
	list := listOf(ids)
	if _, err := tx.ExecContext(ctx, "UPDATE entries SET state = ?, reason = ?, changed = ? WHERE "+listed, v.State, v.Reason, nanos(now), list); err != nil {
		return err
	}
	return tell(ctx, tx, outbox.Change{At: now, By: lease.Owner, State: v.State, Reason: v.Reason}, v.Cause, list)
}

// Recover is as [outbox.Store] has it.
func (s *Store) Recover(ctx context.Context, lease outbox.Lease, most int) (left []outbox.Entry, err error) {
	err = s.change(ctx, func(tx *sql.Tx) (err error) {
		if err := holds(ctx, tx, lease, time.Time{}); err != nil {
			return err
		}
		left, err = find(ctx, tx, outbox.Filter{Lane: lease.Lane, State: outbox.Sending}, most)
		return err
	})
	return left, err
}
