package sqlitestore

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"example.com/bento-go/outbox"
)

const columns = "id, lane, key, policy, harmless, record, state, attempts, reason, enqueued, not_before, changed"

// A querier is the file, or a transaction in it.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func entries(ctx context.Context, from querier, where string, args ...any) (all []outbox.Entry, err error) {
	rows, err := from.QueryContext(ctx, "SELECT "+columns+" FROM entries JOIN records USING (id) WHERE "+where, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var e outbox.Entry
		var enqueued, notBefore, changed int64
		if err := rows.Scan(&e.ID, &e.Lane, &e.Key, &e.Policy, &e.Harmless, &e.Record, &e.State, &e.Attempts, &e.Reason, &enqueued, &notBefore, &changed); err != nil {
			return nil, err
		}
		e.Enqueued, e.NotBefore, e.Changed = moment(enqueued), moment(notBefore), moment(changed)
		all = append(all, e)
	}
	return all, rows.Err()
}

// Next is as [outbox.Store] has it.
func (s *Store) Next(ctx context.Context, lease outbox.Lease, most int, now time.Time) (due []outbox.Entry, later time.Time, err error) {
	err = s.change(ctx, func(tx *sql.Tx) error {
		if err := holds(ctx, tx, lease, now); err != nil {
			return err
		}
		var paused string
		if err := tx.QueryRowContext(ctx, "SELECT paused FROM lanes WHERE lane = ?", lease.Lane).Scan(&paused); err != nil || paused != "" {
			return err
		}
		if due, err = entries(ctx, tx, "lane = ? AND state = 'queued' AND not_before <= ? ORDER BY id LIMIT ?", lease.Lane, nanos(now), most+1); err != nil {
			return err
		}
		if len(due) > most {
			due, later = due[:most], now
			return nil
		}
		var next sql.NullInt64
		err := tx.QueryRowContext(ctx, "SELECT min(not_before) FROM entries WHERE lane = ? AND state = 'queued' AND not_before > ?", lease.Lane, nanos(now)).Scan(&next)
		later = moment(next.Int64)
		return err
	})
	return due, later, err
}

// Recover is as [outbox.Store] has it.
func (s *Store) Recover(ctx context.Context, lease outbox.Lease, most int) (left []outbox.Entry, err error) {
	err = s.change(ctx, func(tx *sql.Tx) (err error) {
		if err := holds(ctx, tx, lease, time.Time{}); err != nil {
			return err
		}
		left, err = entries(ctx, tx, "lane = ? AND state = 'sending' ORDER BY id LIMIT ?", lease.Lane, most)
		return err
	})
	return left, err
}

// Query is as [outbox.Store] has it.
func (s *Store) Query(ctx context.Context, f outbox.Filter, most int) ([]outbox.Entry, error) {
	where, args := []string{"id > ?"}, []any{f.After}
	if f.Lane != "" {
		where, args = append(where, "lane = ?"), append(args, f.Lane)
	}
	if f.State != "" {
		where, args = append(where, "state = ?"), append(args, f.State)
	}
	if f.IDs != nil {
		where = append(where, "id IN (NULL"+strings.Repeat(", ?", len(f.IDs))+")")
		for _, id := range f.IDs {
			args = append(args, id)
		}
	}
	return entries(ctx, s.db, strings.Join(where, " AND ")+" ORDER BY id LIMIT ?", append(args, most)...)
}

// Stats is as [outbox.Store] has it.
func (s *Store) Stats(ctx context.Context) (outbox.Stats, error) {
	stats := outbox.Stats{Lanes: map[outbox.Lane]outbox.LaneStats{}}
	err := s.change(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT l.lane, l.paused, coalesce(e.state, ''), count(e.id), coalesce(min(e.enqueued), 0)
			FROM lanes l LEFT JOIN entries e ON e.lane = l.lane GROUP BY l.lane, e.state`)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var lane outbox.Lane
			var state outbox.State
			var paused string
			var n int
			var oldest int64
			if err := rows.Scan(&lane, &paused, &state, &n, &oldest); err != nil {
				return err
			}
			at := stats.Lanes[lane]
			if at.States == nil {
				at.States = map[outbox.State]int{}
			}
			at.Paused = paused
			if n > 0 {
				at.States[state] = n
			}
			if waits := state == outbox.Queued || state == outbox.Sending; waits && (at.Oldest.IsZero() || moment(oldest).Before(at.Oldest)) {
				at.Oldest = moment(oldest)
			}
			stats.Lanes[lane] = at
		}
		return rows.Err()
	})
	return stats, err
}
