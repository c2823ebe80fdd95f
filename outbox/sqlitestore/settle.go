package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"example.com/bento-go/outbox"
)

// Begin is as [outbox.Store] has it.
func (s *Store) Begin(ctx context.Context, lease outbox.Lease, ids []int64, now time.Time) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		if err := holds(ctx, tx, lease, now); err != nil {
			return err
		}
		return all(ctx, tx, len(ids), `INSERT INTO sending SELECT id, lane, ? FROM entries e
			WHERE lane = ? AND state = 'queued' AND NOT EXISTS (SELECT 1 FROM sending s WHERE s.id = e.id) AND `+listed, nanos(now), lease.Lane, listOf(ids))
	})
}

// Settle is as [outbox.Store] has it.
func (s *Store) Settle(ctx context.Context, lease outbox.Lease, verdicts []outbox.Verdict, now time.Time) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		if err := holds(ctx, tx, lease, time.Time{}); err != nil {
			return err
		}
		alike := map[outbox.Verdict][]int64{} // most of a batch are
		for _, v := range verdicts {
			id := v.ID
			v.ID = 0
			alike[v] = append(alike[v], id)
		}
		for v, ids := range alike {
			if err := settle(ctx, tx, lease, v, ids, now); err != nil {
				return err
			}
		}
		return nil
	})
}

// settle notes the same verdict of several entries.
func settle(ctx context.Context, tx *sql.Tx, lease outbox.Lease, v outbox.Verdict, ids []int64, now time.Time) error {
	list := listOf(ids)
	if err := all(ctx, tx, len(ids), "DELETE FROM sending WHERE lane = ? AND "+listed, lease.Lane, list); err != nil {
		return err
	}
	left := int64(len(ids))
	if v.State == outbox.Accepted {
		result, err := tx.ExecContext(ctx, "DELETE FROM entries WHERE key = '' AND told = 0 AND "+listed, list)
		if err != nil {
			return err
		}
		gone, err := result.RowsAffected()
		if left -= gone; err != nil {
			return err
		}
	}
	if left > 0 {
		_, err := tx.ExecContext(ctx, "UPDATE entries SET state = ?1, attempts = attempts + 1, reason = ?2, not_before = ?3, changed = ?4"+emptied+" WHERE id IN (SELECT value FROM json_each(?5))",
			v.State, v.Reason, nanos(v.NotBefore), nanos(now), list)
		if err != nil {
			return err
		}
	}
	if v.State == outbox.Parked || v.State == outbox.Failed {
		return tell(ctx, tx, outbox.Change{At: now, By: lease.Owner, State: v.State, Reason: v.Reason}, v.Cause, list)
	}
	return count(ctx, tx, v.State, v.Cause, lease.Lane, len(ids))
}

// emptied removes the record of what needs it no more; the state is the first argument.
const emptied = ", record = CASE WHEN ?1 IN ('accepted', 'discarded') THEN x'' ELSE record END"

// Decide is as [outbox.Store] has it.
func (s *Store) Decide(ctx context.Context, ids []int64, d outbox.Decision, now time.Time) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		list := listOf(ids)
		err := all(ctx, tx, len(ids), "UPDATE entries SET state = ?1, reason = ?2, not_before = 0, changed = ?3"+emptied+
			" WHERE state <> 'queued' AND state IN ('parked', 'failed') AND id IN (SELECT value FROM json_each(?4))", d.To, d.Reason, nanos(now), list)
		if err != nil {
			return err
		}
		return tell(ctx, tx, outbox.Change{At: now, By: d.By, State: d.To, Reason: d.Reason}, outbox.CauseDecided, list)
	})
}

// tell adds a line to the history of entries, and counts them.
func tell(ctx context.Context, tx *sql.Tx, c outbox.Change, cause outbox.Cause, list string) error {
	if _, err := tx.ExecContext(ctx, "INSERT INTO history SELECT id, told, ?, ?, ?, ? FROM entries WHERE "+listed, nanos(c.At), c.By, c.State, c.Reason, list); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "UPDATE entries SET told = told + 1 WHERE "+listed, list); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO totals SELECT lane, ?, ?, count(*) FROM entries WHERE "+listed+" GROUP BY lane ON CONFLICT DO UPDATE SET n = n + excluded.n",
		c.State, cause, list)
	return err
}

func count(ctx context.Context, tx *sql.Tx, state outbox.State, cause outbox.Cause, lane outbox.Lane, n int) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO totals VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n", lane, state, cause, n)
	return err
}

// all changes n rows, or none: it is ErrLost unless it changes so many.
func all(ctx context.Context, tx *sql.Tx, n int, statement string, args ...any) error {
	result, err := tx.ExecContext(ctx, statement, args...)
	if err != nil {
		return err
	}
	if changed, err := result.RowsAffected(); err != nil || changed != int64(n) {
		return errors.Join(outbox.ErrLost, err)
	}
	return nil
}
