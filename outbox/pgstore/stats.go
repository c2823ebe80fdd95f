package pgstore

import (
	"context"
	"database/sql"

	"example.com/bento-go/outbox"
)

// Stats is as [outbox.Store] has it: all of one moment. It counts by reading the indexes, which takes
// the longer the more entries there are.
func (s *Store) Stats(ctx context.Context) (outbox.Stats, error) {
	stats := outbox.Stats{Lanes: map[outbox.Lane]outbox.LaneStats{}}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := s.attempt(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}, func(ctx context.Context, q querier) error {
		if err := s.lanesOf(ctx, q, stats); err != nil {
			return err
		}
		if err := s.countsOf(ctx, q, stats); err != nil {
			return err
		}
		return s.totalsOf(ctx, q, stats)
	})
	return stats, s.known(err)
}

func (s *Store) lanesOf(ctx context.Context, q querier, stats outbox.Stats) error {
	return s.each(ctx, q, func(scan func(...any) error) error {
		var lane outbox.Lane
		of := outbox.LaneStats{States: map[outbox.State]int{}}
		if err := scan(&lane, &of.Sender, &of.Lease, &of.Paused); err != nil {
			return err
		}
		if of.Lease = of.Lease.UTC(); of.Lease.IsZero() {
			of.Sender = ""
		}
		stats.Lanes[lane] = of
		return nil
	}, "SELECT lane, owner, expires, paused FROM outbox.lanes")
}

// countsOf counts entries by way of the index that each state is in.
func (s *Store) countsOf(ctx context.Context, q querier, stats outbox.Stats) error {
	const counts = `
		SELECT lane, 'queued', count(*), min(id) FROM outbox.entries WHERE ` + isFresh + ` GROUP BY lane
		UNION ALL SELECT lane, 'queued', count(*), min(id) FROM outbox.entries WHERE ` + isWaiting + ` GROUP BY lane
		UNION ALL SELECT lane, 'sending', count(*), min(id) FROM outbox.entries WHERE ` + isSending + ` GROUP BY lane
		UNION ALL SELECT lane, state, count(*), min(id) FROM outbox.entries WHERE ` + isSettled + ` GROUP BY lane, state`
	first := map[outbox.Lane]int64{} // ID of what waits
	err := s.each(ctx, q, func(scan func(...any) error) error {
		var lane outbox.Lane
		var state outbox.State
		var n int
		var id int64
		if err := scan(&lane, &state, &n, &id); err != nil {
			return err
		}
		stats.Lanes[lane].States[state] += n
		if earlier, found := first[lane]; state.Waits() && (!found || id < earlier) {
			first[lane] = id
		}
		return nil
	}, counts)
	if err != nil {
		return err
	}
	for lane, id := range first {
		of := stats.Lanes[lane]
		if err := s.one(ctx, q, "SELECT enqueued FROM outbox.entries WHERE id = $1", []any{id}, &of.Oldest); err != nil {
			return err
		}
		of.Oldest = of.Oldest.UTC()
		stats.Lanes[lane] = of
	}
	return nil
}

func (s *Store) totalsOf(ctx context.Context, q querier, stats outbox.Stats) error {
	return s.each(ctx, q, func(scan func(...any) error) error {
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
	}, "SELECT lane, state, cause, n FROM outbox.totals")
}
