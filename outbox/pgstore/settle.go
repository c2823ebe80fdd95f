package pgstore

import (
	"context"
	"time"

	"example.com/bento-go/outbox"
)

// Begin is as [outbox.Store] has it.
func (s *Store) Begin(ctx context.Context, lease outbox.Lease, ids []int64, now time.Time) error {
	return s.change(ctx, func(ctx context.Context, q querier) error {
		if err := s.hold(ctx, q, lease, now); err != nil || len(ids) == 0 {
			return err
		}
		const begin = `
			WITH begun AS (
				UPDATE outbox.entries SET state = 'sending', attempts = attempts + 1, changed = $3
				WHERE id = ANY($2::bigint[]) AND lane = $1 AND state = 'queued' RETURNING 1
			) SELECT count(*) FROM begun`
		var n int
		if err := s.one(ctx, q, begin, []any{string(lease.Lane), ids, now}, &n); err != nil {
			return err
		}
		return all(n, len(ids))
	})
}

// all is ErrLost unless all were changed that should have been.
func all(changed, should int) error {
	if changed != should {
		return outbox.ErrLost
	}
	return nil
}

// settling notes verdicts. What is accepted goes at once, if nothing is to be remembered of it.
const settling = `
	WITH verdict AS (
		SELECT * FROM unnest($2::bigint[], $3::text[], $4::timestamptz[], $5::text[], $6::text[]) AS v(id, state, not_before, cause, reason)
	), gone AS (
		DELETE FROM outbox.entries e USING verdict v
		WHERE e.id = v.id AND e.lane = $1 AND e.state = 'sending' AND v.state = 'accepted' AND key = '' AND NOT told
		RETURNING ` + size + ` AS freed
	), changed AS (
		UPDATE outbox.entries e SET state = v.state, reason = v.reason, not_before = v.not_before, changed = $7,
			told = told OR v.state IN ('parked', 'failed'), record = CASE WHEN v.state = 'accepted' THEN '' ELSE record END
		FROM (SELECT v.*, octet_length(e.record) AS bytes FROM verdict v JOIN outbox.entries e USING (id)) AS v
		WHERE e.id = v.id AND e.lane = $1 AND e.state = 'sending' AND NOT (v.state = 'accepted' AND key = '' AND NOT told)
		RETURNING e.id, e.state, e.reason, CASE WHEN v.state = 'accepted' THEN v.bytes ELSE 0 END AS freed
	), line AS (
		INSERT INTO outbox.history (entry, at, by, state, reason)
		SELECT id, $7, $8, state, reason FROM changed WHERE state IN ('parked', 'failed') ORDER BY id
	), counted AS (
		INSERT INTO outbox.totals AS t SELECT $1, state, cause, count(*) FROM verdict GROUP BY state, cause ORDER BY state, cause
		ON CONFLICT (lane, state, cause) DO UPDATE SET n = t.n + excluded.n
	)
	SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM changed),
		((SELECT coalesce(sum(freed), 0) FROM gone) + (SELECT coalesce(sum(freed), 0) FROM changed))::bigint`

// Settle is as [outbox.Store] has it.
func (s *Store) Settle(ctx context.Context, lease outbox.Lease, verdicts []outbox.Verdict, now time.Time) error {
	ids, states, causes, reasons := make([]int64, len(verdicts)), make([]string, len(verdicts)), make([]string, len(verdicts)), make([]string, len(verdicts))
	notBefore := make([]time.Time, len(verdicts))
	for i, v := range verdicts {
		ids[i], states[i], notBefore[i], causes[i], reasons[i] = v.ID, string(v.State), v.NotBefore, string(v.Cause), clean(v.Reason)
	}
	return s.change(ctx, func(ctx context.Context, q querier) error {
		if err := s.hold(ctx, q, lease, time.Time{}); err != nil || len(verdicts) == 0 {
			return err
		}
		var n int
		var freed int64
		if err := s.one(ctx, q, settling, []any{string(lease.Lane), ids, states, notBefore, causes, reasons, now, clean(lease.Owner)}, &n, &freed); err != nil {
			return err
		}
		if err := all(n, len(ids)); err != nil {
			return err
		}
		return s.take(ctx, q, -freed)
	})
}

// deciding notes a decision, as settling does verdicts; and tells senders of what is to be sent again.
const deciding = `
	WITH old AS MATERIALIZED (
		SELECT id, lane, octet_length(record) AS bytes FROM outbox.entries
		WHERE id = ANY($1::bigint[]) AND state IN ('parked', 'failed') ORDER BY id FOR UPDATE
	), changed AS (
		UPDATE outbox.entries e SET state = $2, reason = $3, not_before = ` + never + `, changed = $4, told = true,
			record = CASE WHEN $2 = 'queued' THEN record ELSE '' END
		FROM old WHERE e.id = old.id
		RETURNING e.id, e.lane, CASE WHEN $2 = 'queued' THEN 0 ELSE old.bytes END AS freed
	), line AS (
		INSERT INTO outbox.history (entry, at, by, state, reason) SELECT id, $4, $5, $2, $3 FROM changed ORDER BY id
	), counted AS (
		INSERT INTO outbox.totals AS t SELECT lane, $2, $6, count(*) FROM changed GROUP BY lane ORDER BY lane
		ON CONFLICT (lane, state, cause) DO UPDATE SET n = t.n + excluded.n
	), told AS MATERIALIZED (
		SELECT pg_notify($7, lane) FROM (SELECT DISTINCT lane FROM changed) AS c WHERE $2 = 'queued'
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

// maxForgotten is how many entries go in one transaction.
const maxForgotten = 5000

// Forget is as [outbox.Store] has it. An entry that somebody changes just now is passed over.
func (s *Store) Forget(ctx context.Context, before time.Time) (gone int, err error) {
	for {
		n := 0
		err := s.change(ctx, func(ctx context.Context, q querier) (err error) {
			n, err = s.forget(ctx, q, before)
			return err
		})
		if gone += n; err != nil || n < maxForgotten {
			return gone, err
		}
	}
}

func (s *Store) forget(ctx context.Context, q querier, before time.Time) (n int, err error) {
	const forgetting = `
		WITH gone AS (
			DELETE FROM outbox.entries WHERE id IN (
				SELECT id FROM outbox.entries WHERE state IN ('accepted', 'failed', 'discarded') AND changed < $1
				ORDER BY changed LIMIT $2 FOR UPDATE SKIP LOCKED
			) RETURNING id, told, ` + size + ` AS freed
		), lines AS (
			DELETE FROM outbox.history WHERE entry IN (SELECT id FROM gone WHERE told)
		)
		SELECT count(*), coalesce(sum(freed), 0)::bigint FROM gone`
	var freed int64
	if err := s.one(ctx, q, forgetting, []any{before, maxForgotten}, &n, &freed); err != nil {
		return 0, err
	}
	return n, s.take(ctx, q, -freed)
}
