package sqlitestore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"example.com/bento-go/outbox"
)

// A flight is what was begun together, of one lane.
type flight struct {
	row   int64
	begun int64
	fresh bool
	ids   []int64
}

// flights are those of a lane; there is one at most, unless somebody else than a sender uses the store.
func flights(ctx context.Context, from querier, lane outbox.Lane) (all []flight, err error) {
	err = each(ctx, from, "SELECT rowid, begun, fresh, ids FROM sending WHERE lane = ?", func(scan func(...any) error) error {
		var f flight
		var ids []byte
		if err := scan(&f.row, &f.begun, &f.fresh, &ids); err != nil {
			return err
		}
		if err := json.Unmarshal(ids, &f.ids); err != nil {
			return fmt.Errorf("%w: what was in flight cannot be read", outbox.ErrDamaged)
		}
		all = append(all, f)
		return nil
	}, numberOf(lane))
	return all, err
}

// Begin is as [outbox.Store] has it.
func (s *Store) Begin(ctx context.Context, lease outbox.Lease, ids []int64, now time.Time) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		if err := holds(ctx, tx, lease, now); err != nil {
			return err
		}
		if len(ids) == 0 {
			return noteBegun(ctx, tx, lease.Lane, now)
		}
		var paused string
		if err := tx.QueryRowContext(ctx, "SELECT paused FROM lanes WHERE lane = ?", numberOf(lease.Lane)).Scan(&paused); err != nil {
			return err
		}
		if paused != "" {
			return outbox.ErrPaused
		}
		under, err := flights(ctx, tx, lease.Lane)
		if err != nil {
			return err
		}
		for _, f := range under {
			if slices.ContainsFunc(ids, func(id int64) bool { return slices.Contains(f.ids, id) }) {
				return outbox.ErrLost
			}
		}
		fresh, err := areQueued(ctx, tx, lease.Lane, ids)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO sending VALUES (?, ?, ?, ?)", numberOf(lease.Lane), nanos(now), fresh, listOf(ids)); err != nil {
			return err
		}
		return noteBegun(ctx, tx, lease.Lane, now)
	})
}

// areQueued is ErrLost unless all of the entries are. fresh says that they are just the fresh ones of
// a range.
func areQueued(ctx context.Context, tx *sql.Tx, lane outbox.Lane, ids []int64) (fresh bool, err error) {
	at := 0
	err = each(ctx, tx, "SELECT id FROM entries WHERE lane = ? AND "+isFresh+" AND id BETWEEN ? AND ? ORDER BY id", func(scan func(...any) error) error {
		var id int64
		err := scan(&id)
		if at >= 0 && at < len(ids) && ids[at] == id {
			at++
		} else {
			at = -1
		}
		return err
	}, numberOf(lane), ids[0], ids[len(ids)-1])
	if err != nil || at == len(ids) {
		return true, err
	}
	var n int
	err = tx.QueryRowContext(ctx, "SELECT count(*) FROM entries WHERE lane = ? AND state = 'queued' AND "+listed, numberOf(lane), listOf(ids)).Scan(&n)
	if err == nil && n != len(ids) {
		err = outbox.ErrLost
	}
	return false, err
}

// Settle is as [outbox.Store] has it.
func (s *Store) Settle(ctx context.Context, lease outbox.Lease, verdicts []outbox.Verdict, now time.Time) error {
	err := s.change(ctx, func(tx *sql.Tx) error {
		if err := holds(ctx, tx, lease, time.Time{}); err != nil || len(verdicts) == 0 {
			return err
		}
		alike := map[outbox.Verdict][]int64{} // most of a batch are
		ids := make([]int64, len(verdicts))
		for i, v := range verdicts {
			ids[i], v.ID = v.ID, 0
			alike[v] = append(alike[v], ids[i])
		}
		whole, err := land(ctx, tx, lease.Lane, ids)
		if err != nil {
			return err
		}
		for v, ids := range alike {
			n := settling{ctx, tx, lease, v, now}
			if err := n.settle(ids, whole && len(alike) == 1); err != nil {
				return err
			}
		}
		return nil
	})
	s.remains.removed(slices.ContainsFunc(verdicts, func(v outbox.Verdict) bool { return v.State == outbox.Accepted }), err)
	return err
}

// land ends the flight of entries, and is ErrLost if one of them is in none. whole says that they are
// just the fresh ones of a range.
func land(ctx context.Context, tx *sql.Tx, lane outbox.Lane, ids []int64) (whole bool, err error) {
	under, err := flights(ctx, tx, lane)
	if err != nil {
		return false, err
	}
	landed := 0
	for _, f := range under {
		if slices.Equal(f.ids, ids) {
			_, err := tx.ExecContext(ctx, "DELETE FROM sending WHERE rowid = ?", f.row)
			return f.fresh, err
		}
		left := slices.DeleteFunc(slices.Clone(f.ids), func(id int64) bool { return slices.Contains(ids, id) })
		landed += len(f.ids) - len(left)
		statement, args := "UPDATE sending SET fresh = FALSE, ids = ?2 WHERE rowid = ?1", []any{f.row, listOf(left)}
		if len(left) == 0 {
			statement, args = "DELETE FROM sending WHERE rowid = ?", args[:1]
		}
		if _, err := tx.ExecContext(ctx, statement, args...); err != nil {
			return false, err
		}
	}
	if landed != len(ids) {
		return false, outbox.ErrLost
	}
	return false, nil
}

// A settling notes one verdict of several entries.
type settling struct {
	ctx   context.Context //nolint:containedctx // it lives as long as the transaction
	tx    *sql.Tx
	lease outbox.Lease
	outbox.Verdict
	now time.Time
}

// settle notes it. whole says that the entries are just the fresh ones of a range, which is quicker
// than a list.
func (n settling) settle(ids []int64, whole bool) error {
	which, args := listed, []any{listOf(ids)}
	if whole {
		which, args = "lane = ? AND "+isFresh+" AND id BETWEEN ? AND ?", []any{numberOf(n.lease.Lane), ids[0], ids[len(ids)-1]}
	}
	left := int64(len(ids))
	if n.State == outbox.Accepted {
		result, err := n.tx.ExecContext(n.ctx, "DELETE FROM entries WHERE key = '' AND told = 0 AND "+which, args...) //nolint:gosec // which is one of two constants
		if err != nil {
			return err
		}
		gone, err := result.RowsAffected()
		if left -= gone; err != nil {
			return err
		}
	}
	if left > 0 {
		_, err := n.tx.ExecContext(n.ctx, "UPDATE entries SET state = ?1, attempts = attempts + 1, reason = ?2, not_before = ?3, changed = ?4"+emptied+" WHERE id IN (SELECT value FROM json_each(?5))",
			n.State, n.Reason, nanos(n.NotBefore), nanos(n.now), listOf(ids))
		if err != nil {
			return err
		}
	}
	if n.State == outbox.Parked || n.State == outbox.Failed {
		return tell(n.ctx, n.tx, outbox.Change{At: n.now, By: n.lease.Owner, State: n.State, Reason: n.Reason}, n.Cause, listOf(ids))
	}
	_, err := n.tx.ExecContext(n.ctx, "INSERT INTO totals VALUES (?, ?, ?, ?)"+adding, numberOf(n.lease.Lane), n.State, n.Cause, len(ids))
	return err
}

// emptied removes the record of what needs it no more; the state is the first argument.
const emptied = ", record = CASE WHEN ?1 IN ('accepted', 'discarded') THEN x'' ELSE record END"

// Decide is as [outbox.Store] has it.
func (s *Store) Decide(ctx context.Context, ids []int64, d outbox.Decision, now time.Time) error {
	err := s.change(ctx, func(tx *sql.Tx) error {
		list := listOf(ids)
		result, err := tx.ExecContext(ctx, "UPDATE entries SET state = ?1, reason = ?2, not_before = 0, changed = ?3"+emptied+
			" WHERE state <> 'queued' AND state IN ('parked', 'failed') AND id IN (SELECT value FROM json_each(?4))", d.To, d.Reason, nanos(now), list)
		if err != nil {
			return err
		}
		if changed, err := result.RowsAffected(); err != nil || changed != int64(len(ids)) {
			return errors.Join(outbox.ErrLost, err)
		}
		return tell(ctx, tx, outbox.Change{At: now, By: d.By, State: d.To, Reason: d.Reason}, outbox.CauseDecided, list)
	})
	if err == nil && d.To != outbox.Queued {
		s.discarded(ctx)
	}
	return err
}

// tell adds a line to the history of entries, and counts them.
func tell(ctx context.Context, tx *sql.Tx, c outbox.Change, cause outbox.Cause, list string) error {
	if _, err := tx.ExecContext(ctx, "INSERT INTO history SELECT id, told, ?, ?, ?, ? FROM entries WHERE "+listed, nanos(c.At), c.By, c.State, c.Reason, list); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "UPDATE entries SET told = told + 1 WHERE "+listed, list); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO totals SELECT lane, ?, ?, count(*) FROM entries WHERE "+listed+" GROUP BY lane"+adding,
		c.State, cause, list)
	return err
}
