package sqlitestore

import (
	"context"
	"database/sql"

	"example.com/bento-go/outbox"
)

// Stats is as [outbox.Store] has it.
func (s *Store) Stats(ctx context.Context) (outbox.Stats, error) {
	stats := outbox.Stats{Lanes: map[outbox.Lane]outbox.LaneStats{}}
	err := s.look(ctx, func(tx *sql.Tx) error {
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
		var n int
		var expires int64
		of := outbox.LaneStats{States: map[outbox.State]int{}}
		if err := scan(&n, &of.Sender, &expires, &of.Paused); err != nil {
			return err
		}
		if of.Lease = moment(expires); expires == 0 {
			of.Sender = ""
		}
		lane, err := laneOf(n)
		stats.Lanes[lane] = of
		return err
	})
}

// countsOf counts entries by way of the index that each state is in.
func countsOf(ctx context.Context, tx *sql.Tx, stats outbox.Stats) error {
	const counts = `
		SELECT lane, 'queued', count(*), min(id) FROM entries WHERE ` + isFresh + ` GROUP BY lane
		UNION ALL SELECT lane, 'queued', count(*), min(id) FROM entries WHERE ` + isWaiting + ` GROUP BY lane
		UNION ALL SELECT lane, 'sending', sum(json_array_length(ids)), 0 FROM sending GROUP BY lane
		UNION ALL SELECT lane, state, count(*), 0 FROM entries WHERE state <> 'queued' GROUP BY lane, state`
	first := map[outbox.Lane]int64{} // ID of what waits
	err := each(ctx, tx, counts, func(scan func(...any) error) error {
		var n, count int
		var state outbox.State
		var id int64
		if err := scan(&n, &state, &count, &id); err != nil {
			return err
		}
		lane, err := laneOf(n)
		if err != nil {
			return err
		}
		stats.Lanes[lane].States[state] += count
		if earlier, found := first[lane]; state == outbox.Queued && (!found || id < earlier) {
			first[lane] = id
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, of := range stats.Lanes {
		if n := of.States[outbox.Sending]; n > 0 { // which are queued, too
			if of.States[outbox.Queued] -= n; of.States[outbox.Queued] == 0 {
				delete(of.States, outbox.Queued)
			}
		}
	}
	return oldestOf(ctx, tx, first, stats)
}

// oldestOf finds when the first entries that wait were enqueued.
func oldestOf(ctx context.Context, tx *sql.Tx, first map[outbox.Lane]int64, stats outbox.Stats) error {
	for lane, id := range first {
		var enqueued int64
		if err := tx.QueryRowContext(ctx, "SELECT enqueued FROM entries WHERE id = ?", id).Scan(&enqueued); err != nil {
			return err
		}
		of := stats.Lanes[lane]
		of.Oldest = moment(enqueued)
		stats.Lanes[lane] = of
	}
	return nil
}

func totalsOf(ctx context.Context, tx *sql.Tx, stats outbox.Stats) error {
	return each(ctx, tx, "SELECT lane, state, cause, n FROM totals", func(scan func(...any) error) error {
		var lane int
		var state outbox.State
		var cause outbox.Cause
		var n int64
		if err := scan(&lane, &state, &cause, &n); err != nil {
			return err
		}
		name, err := laneOf(lane)
		of := stats.Lanes[name]
		of.Count(state, cause, n)
		stats.Lanes[name] = of
		return err
	})
}
