package sqlitestore

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.com/bento-go/outbox"
)

const selected = `SELECT e.id, e.lane, key, at_most_once, harmless, record, sum,
	CASE WHEN s.id IS NULL THEN state ELSE 'sending' END, attempts + (s.id IS NOT NULL), reason, enqueued, not_before, coalesce(s.begun, changed)
	FROM entries e LEFT JOIN sending s ON s.id = e.id WHERE `

// A querier is the file, or a transaction in it.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// entries reads entries. damaged are the IDs among them of records that are not what was put.
func entries(ctx context.Context, from querier, where string, args ...any) (all []outbox.Entry, damaged []int64, err error) {
	rows, err := from.QueryContext(ctx, selected+where, args...)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var e outbox.Entry
		var atMostOnce bool
		var enqueued, notBefore, changed, sum int64
		if err := rows.Scan(&e.ID, &e.Lane, &e.Key, &atMostOnce, &e.Harmless, &e.Record, &sum, &e.State, &e.Attempts, &e.Reason, &enqueued, &notBefore, &changed); err != nil {
			return nil, nil, err
		}
		e.Policy = outbox.AtLeastOnce
		if atMostOnce {
			e.Policy = outbox.AtMostOnce
		}
		e.Enqueued, e.NotBefore, e.Changed = moment(enqueued), moment(notBefore), moment(changed)
		if !e.State.Done() && sumOf(e.ID, &e) != sum {
			damaged = append(damaged, e.ID)
		}
		all = append(all, e)
	}
	return all, damaged, rows.Err()
}

// Next is as [outbox.Store] has it. A record that is damaged is not due but failed.
func (s *Store) Next(ctx context.Context, lease outbox.Lease, most int, now time.Time) (due []outbox.Entry, later time.Time, err error) {
	err = s.change(ctx, func(tx *sql.Tx) error {
		if err := holds(ctx, tx, lease, now); err != nil {
			return err
		}
		var paused string
		if err := tx.QueryRowContext(ctx, "SELECT paused FROM lanes WHERE lane = ?", lease.Lane).Scan(&paused); err != nil || paused != "" {
			return err
		}
		if err := setBack(ctx, tx, lease.Lane, now); err != nil {
			return err
		}
		var waited, fresh []outbox.Entry
		var damaged []int64
		const waiting = "e.lane = ? AND state = 'queued' AND (attempts > 0 OR not_before > 0) AND "
		if waited, damaged, err = entries(ctx, tx, waiting+"not_before <= ? ORDER BY not_before, e.id LIMIT ?", lease.Lane, nanos(now), most+1); err != nil {
			return err
		}
		if rest := most + 1 - len(waited); rest > 0 {
			var more []int64
			if fresh, more, err = entries(ctx, tx, "e.lane = ? AND state = 'queued' AND attempts = 0 AND not_before = 0 ORDER BY e.id LIMIT ?", lease.Lane, rest); err != nil {
				return err
			}
			damaged = append(damaged, more...)
		}
		if due = append(waited, fresh...); len(due) > most {
			due, later = due[:most], now
		} else {
			var next sql.NullInt64
			const min = "SELECT min(not_before) FROM entries e WHERE " + waiting + "not_before > ?"
			if err := tx.QueryRowContext(ctx, min, lease.Lane, nanos(now)).Scan(&next); err != nil {
				return err
			}
			later = moment(next.Int64)
		}
		if len(damaged) == 0 {
			return nil
		}
		due = slices.DeleteFunc(due, func(e outbox.Entry) bool { return slices.Contains(damaged, e.ID) })
		return fail(ctx, tx, lease, damaged, now)
	})
	return due, later, err
}

// setBack makes due what was tried at a time that has not come yet.
func setBack(ctx context.Context, tx *sql.Tx, lane outbox.Lane, now time.Time) error {
	_, err := tx.ExecContext(ctx, "UPDATE entries SET not_before = 0, changed = ?1 WHERE lane = ?2 AND state = 'queued' AND attempts > 0 AND changed > ?1", nanos(now), lane)
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
		left, _, err = entries(ctx, tx, "e.id IN (SELECT id FROM sending WHERE lane = ?) ORDER BY e.id LIMIT ?", lease.Lane, most)
		return err
	})
	return left, err
}

// Query is as [outbox.Store] has it.
func (s *Store) Query(ctx context.Context, f outbox.Filter, most int) ([]outbox.Entry, error) {
	where, args := []string{"e.id > ?"}, []any{f.After}
	if f.Lane != "" {
		where, args = append(where, "e.lane = ?"), append(args, f.Lane)
	}
	switch f.State {
	case "":
	case outbox.Sending:
		where = append(where, "s.id IS NOT NULL")
	case outbox.Queued:
		where = append(where, "state = 'queued' AND s.id IS NULL")
	default:
		where, args = append(where, "state <> 'queued' AND state = ?"), append(args, f.State)
	}
	if f.IDs != nil {
		where, args = append(where, "e."+listed), append(args, listOf(f.IDs))
	}
	found, _, err := entries(ctx, s.db, strings.Join(where, " AND ")+" ORDER BY e.id LIMIT ?", append(args, most)...)
	return found, known(err)
}

// History is as [outbox.Store] has it.
func (s *Store) History(ctx context.Context, id int64) (all []outbox.Change, err error) {
	rows, err := s.db.QueryContext(ctx, "SELECT at, by, state, reason FROM history WHERE entry = ? ORDER BY n", id)
	if err != nil {
		return nil, known(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var c outbox.Change
		var at int64
		if err := rows.Scan(&at, &c.By, &c.State, &c.Reason); err != nil {
			return nil, known(err)
		}
		c.At = moment(at)
		all = append(all, c)
	}
	return all, known(rows.Err())
}

// Idle is as [outbox.Store] has it.
func (s *Store) Idle(ctx context.Context) (idle bool, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT NOT EXISTS (SELECT 1 FROM sending)
		AND NOT EXISTS (SELECT 1 FROM entries WHERE state = 'queued' AND attempts = 0 AND not_before = 0)
		AND NOT EXISTS (SELECT 1 FROM entries WHERE state = 'queued' AND (attempts > 0 OR not_before > 0))`).Scan(&idle)
	return idle, known(err)
}

// Stats is as [outbox.Store] has it.
func (s *Store) Stats(ctx context.Context) (outbox.Stats, error) {
	stats := outbox.Stats{Lanes: map[outbox.Lane]outbox.LaneStats{}}
	err := s.change(ctx, func(tx *sql.Tx) error {
		if err := lanesOf(ctx, tx, stats); err != nil {
			return err
		}
		if err := countsOf(ctx, tx, stats); err != nil {
			return err
		}
		return totalsOf(ctx, tx, stats)
	})
	return stats, err
}

func lanesOf(ctx context.Context, tx *sql.Tx, stats outbox.Stats) error {
	return each(ctx, tx, "SELECT lane, owner, expires, paused FROM lanes", func(scan func(...any) error) error {
		var lane outbox.Lane
		var expires int64
		of := outbox.LaneStats{States: map[outbox.State]int{}}
		if err := scan(&lane, &of.Sender, &expires, &of.Paused); err != nil {
			return err
		}
		if of.Lease = moment(expires); expires == 0 {
			of.Sender = ""
		}
		stats.Lanes[lane] = of
		return nil
	})
}

// countsOf counts entries by way of the index that each state is in.
func countsOf(ctx context.Context, tx *sql.Tx, stats outbox.Stats) error {
	const counts = `
		SELECT lane, 'queued', count(*), min(id) FROM entries WHERE state = 'queued' AND attempts = 0 AND not_before = 0 GROUP BY lane
		UNION ALL SELECT lane, 'queued', count(*), min(id) FROM entries WHERE state = 'queued' AND (attempts > 0 OR not_before > 0) GROUP BY lane
		UNION ALL SELECT lane, 'sending', count(*), 0 FROM sending GROUP BY lane
		UNION ALL SELECT lane, state, count(*), 0 FROM entries WHERE state <> 'queued' GROUP BY lane, state`
	first := map[outbox.Lane]int64{} // ID of what waits
	err := each(ctx, tx, counts, func(scan func(...any) error) error {
		var lane outbox.Lane
		var state outbox.State
		var n int
		var id int64
		if err := scan(&lane, &state, &n, &id); err != nil {
			return err
		}
		of, known := stats.Lanes[lane]
		if !known {
			return fmt.Errorf("%w: it has a lane %q", outbox.ErrDamaged, lane)
		}
		of.States[state] += n
		if earlier, found := first[lane]; state == outbox.Queued && (!found || id < earlier) {
			first[lane] = id
		}
		stats.Lanes[lane] = of
		return nil
	})
	for lane, id := range first {
		var enqueued int64
		if err := tx.QueryRowContext(ctx, "SELECT enqueued FROM entries WHERE id = ?", id).Scan(&enqueued); err != nil {
			return err
		}
		of := stats.Lanes[lane]
		of.Oldest = moment(enqueued)
		stats.Lanes[lane] = of
	}
	for _, of := range stats.Lanes {
		if n := of.States[outbox.Sending]; n > 0 { // which are queued, too
			if of.States[outbox.Queued] -= n; of.States[outbox.Queued] == 0 {
				delete(of.States, outbox.Queued)
			}
		}
	}
	return err
}

func totalsOf(ctx context.Context, tx *sql.Tx, stats outbox.Stats) error {
	return each(ctx, tx, "SELECT lane, state, cause, n FROM totals", func(scan func(...any) error) error {
		var lane outbox.Lane
		var state outbox.State
		var cause outbox.Cause
		var n int64
		if err := scan(&lane, &state, &cause, &n); err != nil {
			return err
		}
		of := stats.Lanes[lane]
		of.Count(state, cause, n)
		stats.Lanes[lane] = of
		return nil
	})
}

// each reads the rows of a query.
func each(ctx context.Context, from querier, query string, row func(scan func(...any) error) error) error {
	rows, err := from.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}
