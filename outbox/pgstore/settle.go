package pgstore

import (
	"context"
	"time"

	"example.com/bento-go/outbox"
)

// Begin is as [outbox.Store] has it.
func (s *Store) Begin(ctx context.Context, lease outbox.Lease, ids []int64, now time.Time) error {
	return s.change(ctx, func(ctx context.Context, q querier) error {
		if err := s.hold(ctx, q, lease, now); err != nil {
			return err
		}
		const noted = "UPDATE outbox.lanes SET begun = (begun || $2::timestamptz)[greatest(cardinality(begun) + 2 - $3::int, 1):] WHERE lane = $1"
		if err := s.run(ctx, q, noted, string(lease.Lane), now, outbox.MostBegun); err != nil || len(ids) == 0 {
			return err
		}
		const begin = `
			WITH paused AS (SELECT 1 FROM outbox.lanes WHERE lane = $1 AND paused <> ''), begun AS (
				UPDATE outbox.entries SET state = 'sending', attempts = attempts + 1, changed = $3
				WHERE id = ANY($2::bigint[]) AND lane = $1 AND state = 'queued' AND NOT EXISTS (SELECT FROM paused) RETURNING 1
			) SELECT (SELECT count(*) FROM begun), EXISTS (SELECT FROM paused)`
		var n int
		var paused bool
		if err := s.one(ctx, q, begin, []any{string(lease.Lane), ids, now}, &n, &paused); err != nil {
			return err
		}
		if paused {
			return outbox.ErrPaused
		}
		return all(n, len(ids))
	})
}

// Begun is as [outbox.Store] has it.
func (s *Store) Begun(ctx context.Context, lanes ...outbox.Lane) (all []time.Time, err error) {
	err = s.read(ctx, func(ctx context.Context, q querier) error {
		all = nil
		return s.each(ctx, q, func(scan func(...any) error) error {
			var at time.Time
			if err := scan(&at); err != nil {
				return err
			}
			all = append(all, at.UTC())
			return nil
		}, "SELECT unnest(begun) FROM outbox.lanes WHERE lane = ANY($1::text[])", names(lanes))
	})
	return all, err
}

func names(lanes []outbox.Lane) []string {
	all := make([]string, len(lanes))
	for i, lane := range lanes {
		all[i] = string(lane)
	}
	return all
}

// all is ErrLost unless all were changed that should have been.
func all(changed, should int) error {
	if changed != should {
		return outbox.ErrLost
	}
	return nil
}

// Settle is as [outbox.Store] has it.
func (s *Store) Settle(ctx context.Context, lease outbox.Lease, verdicts []outbox.Verdict, now time.Time) error {
	alike := map[outbox.Verdict][]int64{} // most of a batch are
	for _, v := range verdicts {
		id := v.ID
		v.ID = 0
		alike[v] = append(alike[v], id)
	}
	return s.change(ctx, func(ctx context.Context, q querier) error {
		if err := s.hold(ctx, q, lease, time.Time{}); err != nil || len(verdicts) == 0 {
			return err
		}
		var freed int64
		for v, ids := range alike {
			n := settling{s, q, lease, v, now, &freed}
			if err := n.settle(ctx, ids); err != nil {
				return err
			}
		}
		return s.take(ctx, q, -freed)
	})
}

// A settling notes one verdict of several entries.
type settling struct {
	*Store
	q     querier
	lease outbox.Lease
	outbox.Verdict
	now   time.Time
	freed *int64 // bytes
}

// settle notes it. IDs are compared with a list, which is quick whatever the server believes about how
// many rows there are: just after the tables are made it knows nothing.
func (n settling) settle(ctx context.Context, ids []int64) error {
	left := len(ids)
	if n.State == outbox.Accepted {
		gone, err := n.remove(ctx, ids)
		if left -= gone; err != nil {
			return err
		}
	}
	if left > 0 {
		changed, err := n.mark(ctx, ids)
		if left -= changed; err != nil {
			return err
		}
	}
	if left != 0 {
		return outbox.ErrLost
	}
	return n.run(ctx, n.q, `
		INSERT INTO outbox.totals AS t VALUES ($1, $2, $3, $4) ON CONFLICT (lane, state, cause) DO UPDATE SET n = t.n + excluded.n`,
		string(n.lease.Lane), string(n.State), string(n.Cause), len(ids))
}

const isFlying = "id = ANY($1::bigint[]) AND lane = $2 AND " + isSending

// remove removes those of the entries of which nothing is to be remembered.
func (n settling) remove(ctx context.Context, ids []int64) (gone int, err error) {
	const removing = `
		WITH gone AS (DELETE FROM outbox.entries WHERE ` + isFlying + ` AND key = '' AND NOT told RETURNING ` + size + ` AS bytes)
		SELECT count(*), coalesce(sum(bytes), 0)::bigint FROM gone`
	var bytes int64
	err = n.one(ctx, n.q, removing, []any{ids, string(n.lease.Lane)}, &gone, &bytes)
	*n.freed += bytes
	return gone, err
}

// mark notes what became of the others.
func (n settling) mark(ctx context.Context, ids []int64) (changed int, err error) {
	if n.State.Done() {
		var bytes int64
		err := n.one(ctx, n.q, "SELECT coalesce(sum(octet_length(record)), 0)::bigint FROM outbox.entries WHERE "+isFlying, []any{ids, string(n.lease.Lane)}, &bytes)
		if *n.freed += bytes; err != nil {
			return 0, err
		}
	}
	const marking = `
		WITH changed AS (
			UPDATE outbox.entries SET state = $3::text, reason = $4::text, not_before = $5::timestamptz, changed = $6::timestamptz,
				told = told OR $8::boolean, record = CASE WHEN $7::boolean THEN '' ELSE record END
			WHERE ` + isFlying + ` RETURNING id
		), line AS (
			INSERT INTO outbox.history (entry, at, by, state, reason) SELECT id, $6::timestamptz, $9::text, $3::text, $4::text FROM changed WHERE $8::boolean ORDER BY id
		) SELECT count(*) FROM changed`
	worth := n.State == outbox.Parked || n.State == outbox.Failed // a line in its history
	err = n.one(ctx, n.q, marking, []any{ids, string(n.lease.Lane), string(n.State), clean(n.Reason), n.NotBefore, n.now, n.State.Done(), worth, clean(n.lease.Owner)}, &changed)
	return changed, err
}

// deciding notes a decision, and tells senders of what is to be sent again.
const deciding = `
	WITH old AS MATERIALIZED (
		SELECT id, lane, octet_length(record) AS bytes FROM outbox.entries
		WHERE id = ANY($1::bigint[]) AND state IN ('parked', 'failed') ORDER BY id FOR UPDATE
	), changed AS (
		UPDATE outbox.entries e SET state = $2::text, reason = $3::text, not_before = ` + never + `, changed = $4::timestamptz, told = true,
			record = CASE WHEN $2::text = 'queued' THEN record ELSE '' END
		FROM old WHERE e.id = old.id
		RETURNING e.id, e.lane, CASE WHEN $2::text = 'queued' THEN 0 ELSE old.bytes END AS freed
	), line AS (
		INSERT INTO outbox.history (entry, at, by, state, reason) SELECT id, $4::timestamptz, $5::text, $2::text, $3::text FROM changed ORDER BY id
	), counted AS (
		INSERT INTO outbox.totals AS t SELECT lane, $2::text, $6::text, count(*) FROM changed GROUP BY lane ORDER BY lane
		ON CONFLICT (lane, state, cause) DO UPDATE SET n = t.n + excluded.n
	), told AS MATERIALIZED (
		SELECT pg_notify($7::text, lane) FROM (SELECT DISTINCT lane FROM changed) AS c WHERE $2::text = 'queued'
	)
	SELECT (SELECT count(*) FROM changed), (SELECT coalesce(sum(freed), 0)::bigint FROM changed), (SELECT count(*) FROM told)`

// Decide is as [outbox.Store] has it.
func (s *Store) Decide(ctx context.Context, ids []int64, d outbox.Decision, now time.Time) error {
	return s.change(ctx, func(ctx context.Context, q querier) error {
		if len(ids) == 0 {
			return nil
		}
		var n, told int
		var freed int64
		err := s.one(ctx, q, deciding, []any{ids, string(d.To), clean(d.Reason), now, clean(d.By), string(outbox.CauseDecided), s.channel}, &n, &freed, &told)
		if err != nil {
			return err
		}
		if err := all(n, len(ids)); err != nil {
			return err
		}
		return s.take(ctx, q, -freed)
	})
}

// Forget is as [outbox.Store] has it, by the server's clock where that of this machine is ahead of it:
// keys that are kept too short a time keep nobody from enqueueing twice. An entry that somebody changes just
// now is passed over.
func (s *Store) Forget(ctx context.Context, lane outbox.Lane, before time.Time, most int) (gone int, err error) {
	err = s.change(ctx, func(ctx context.Context, q querier) error {
		const forgetting = `
			WITH gone AS (
				DELETE FROM outbox.entries WHERE id IN (
					SELECT id FROM outbox.entries WHERE state IN ('accepted', 'failed', 'discarded') AND lane = $1
						AND changed < $2::timestamptz - greatest($5::timestamptz - clock_timestamp(), interval '0')
					ORDER BY changed, id LIMIT $3 FOR UPDATE SKIP LOCKED
				) RETURNING id, lane, state, told, ` + size + ` AS freed
			), lines AS (
				DELETE FROM outbox.history WHERE entry IN (SELECT id FROM gone WHERE told)
			), counted AS (
				INSERT INTO outbox.totals AS t SELECT lane, 'discarded', $4::text, count(*) FROM gone WHERE state = 'failed' GROUP BY lane
				ON CONFLICT (lane, state, cause) DO UPDATE SET n = t.n + excluded.n
			)
			SELECT count(*), coalesce(sum(freed), 0)::bigint FROM gone`
		var freed int64
		if err := s.one(ctx, q, forgetting, []any{string(lane), before, most, string(outbox.CauseForgotten), s.clock()}, &gone, &freed); err != nil {
			return err
		}
		return s.take(ctx, q, -freed)
	})
	return gone, err
}
