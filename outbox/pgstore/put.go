package pgstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"example.com/bento-go/outbox"
)

// EnqueueTx keeps items in a transaction of the application's, on the database of the store: they exist
// if, and when, it commits. The receipts say what they will be.
//
// After [outbox.ErrFull], and an error of a record, the transaction is as it was before, and can go on.
// After any other error, roll it back. An item with a key waits for another transaction that has put the
// same key and has not ended; other items wait for nobody. The items are as safe as the transaction:
// leave synchronous_commit on. One that is serializable has to be ready to be tried again, as ever; the
// capacity is not looked at in it. One in 256 makes the store put the sum of the sizes together, by
// another connection of the pool when one is free; nobody waits for that.
func (s *Store) EnqueueTx(ctx context.Context, tx *sql.Tx, items ...outbox.Item) ([]outbox.Receipt, error) {
	return s.enqueue(ctx, on(tx), items)
}

// EnqueuePgxTx is [Store.EnqueueTx] for a transaction of pgx.
func (s *Store) EnqueuePgxTx(ctx context.Context, tx pgx.Tx, items ...outbox.Item) ([]outbox.Receipt, error) {
	return s.enqueue(ctx, native{tx}, items)
}

func (s *Store) enqueue(ctx context.Context, q querier, items []outbox.Item) ([]outbox.Receipt, error) {
	if s.closed.Load() {
		return nil, outbox.ErrClosed
	}
	entries, err := outbox.Entries(time.Now(), items...)
	if err != nil || len(entries) == 0 {
		return nil, err
	}
	results, err := s.put(ctx, q, entries)
	if codeOf(err) == codeDiskFull { // the transaction is at its end, which ErrFull would deny
		return nil, fmt.Errorf("pgstore: the server's disk is full: %w", flat(err))
	}
	if err != nil {
		return nil, s.known(err)
	}
	s.tidyBeside()
	receipts := make([]outbox.Receipt, len(results))
	for i, r := range results {
		receipts[i] = outbox.Receipt(r)
	}
	return receipts, nil
}

// put puts entries in a transaction, which is as it was before if there is no room for them.
func (s *Store) put(ctx context.Context, q querier, entries []outbox.Entry) ([]outbox.PutResult, error) {
	p := newPutting(entries)
	if err := p.insert(ctx, s, q); err != nil {
		return nil, err
	}
	if err := s.take(ctx, q, p.taken); err != nil {
		return nil, err
	}
	return p.results(), nil
}

// A putting is a call of Put. What it gives to the server is a column of each value, without the
// entries that repeat a key of the call.
type putting struct {
	firsts []int   // of each entry, the one that has its key first
	rows   []int   // which entries are given
	ids    []int64 // by entry, of those that are given
	known  []bool  // by entry: it was there before
	taken  int64   // bytes

	lanes                        []string
	keys, records                [][]byte
	atMostOnce, harmless         []bool
	enqueued, changed, notBefore []time.Time
}

type laneKey struct {
	lane outbox.Lane
	key  string
}

func newPutting(entries []outbox.Entry) *putting {
	n := len(entries)
	p := &putting{firsts: make([]int, n), ids: make([]int64, n), known: make([]bool, n)}
	first := map[laneKey]int{}
	for i, e := range entries {
		p.firsts[i] = i
		if e.Key != "" {
			if at, repeats := first[laneKey{e.Lane, e.Key}]; repeats {
				p.firsts[i] = at
				continue
			}
			first[laneKey{e.Lane, e.Key}] = i
		}
		if e.Changed.IsZero() {
			e.Changed = e.Enqueued
		}
		if e.Record == nil {
			e.Record = []byte{} // nil would be NULL
		}
		p.rows = append(p.rows, i)
		p.lanes, p.keys, p.records = append(p.lanes, string(e.Lane)), append(p.keys, []byte(e.Key)), append(p.records, e.Record)
		p.atMostOnce, p.harmless = append(p.atMostOnce, e.Policy == outbox.AtMostOnce), append(p.harmless, e.Harmless)
		p.enqueued, p.changed, p.notBefore = append(p.enqueued, e.Enqueued), append(p.changed, e.Changed), append(p.notBefore, e.NotBefore)
	}
	return p
}

// insertion puts what is new, unless there is no room for all of it. Entries get their IDs in the order
// of the call; rows with keys are written in the order of keys, so that of two calls none waits for the
// other while that waits for it. Senders are told of lanes that had nothing fresh, and of no others: in
// PostgreSQL, transactions that notify commit one after the other.
const insertion = `
	WITH given AS MATERIALIZED (
		SELECT g.*, CASE WHEN known IS NULL THEN nextval($10::text::regclass) END AS id
		FROM (
			SELECT u.*, CASE WHEN u.key <> '' AND NOT ` + serializable + ` THEN (SELECT id FROM outbox.entries e WHERE e.lane = u.lane AND e.key = u.key AND e.key <> '') END AS known
			FROM unnest($1::text[], $2::bytea[], $3::boolean[], $4::boolean[], $5::timestamptz[], $6::timestamptz[], $7::timestamptz[], $8::bytea[])
				WITH ORDINALITY AS u(lane, key, at_most_once, harmless, enqueued, not_before, changed, record, n)
			ORDER BY n
		) AS g
	), fits AS MATERIALIZED (
		SELECT bytes, CASE WHEN bytes = 0 OR ` + serializable + ` THEN true ELSE bytes <= $9::bigint - (SELECT coalesce(sum(bytes), 0) FROM outbox.room) END AS ok
		FROM (SELECT coalesce(sum(` + size + `), 0)::bigint AS bytes FROM given WHERE known IS NULL) AS asked
	), put AS (
		INSERT INTO outbox.entries (id, lane, key, at_most_once, harmless, enqueued, not_before, changed, record)
		SELECT id, lane, key, at_most_once, harmless, enqueued, not_before, changed, record FROM given
		WHERE known IS NULL AND (SELECT ok FROM fits)
		ORDER BY key, lane, id
		ON CONFLICT (lane, key) WHERE key <> '' DO NOTHING
		RETURNING id, lane, ` + size + ` AS size
	), told AS MATERIALIZED (
		SELECT pg_notify($11, lane) FROM (SELECT DISTINCT lane FROM put) AS p
		WHERE CASE WHEN ` + serializable + ` THEN true ELSE NOT EXISTS (SELECT FROM outbox.entries e WHERE e.lane = p.lane AND ` + isFresh + `) END
	), sums AS MATERIALIZED (
		SELECT count(*) AS rows, coalesce(sum(size), 0)::bigint AS bytes, (SELECT count(*) FROM told) FROM put
	)
	SELECT given.n, given.known, given.id, fits.ok, sums.rows, sums.bytes FROM given, fits, sums`

// serializable is a transaction of an application's that must not read what others write: of two that did,
// PostgreSQL aborts one, though their own rows have nothing to do with one another. To look for a key that
// is not there is to read, too: the unique index says of it without, and meet asks after those it knows.
const serializable = "current_setting('transaction_isolation') = 'serializable'"

// size is what an entry takes.
const size = "(256 + octet_length(key) + octet_length(record))"

func (p *putting) insert(ctx context.Context, s *Store, q querier) error {
	full, fresh, kept := false, 0, 0
	err := s.each(ctx, q, func(scan func(...any) error) error {
		var n int64
		var known, id sql.NullInt64
		var fits bool
		if err := scan(&n, &known, &id, &fits, &kept, &p.taken); err != nil {
			return err
		}
		i := p.rows[n-1]
		p.ids[i], p.known[i] = known.Int64+id.Int64, known.Valid
		if id.Valid {
			fresh++
		}
		full = full || !fits
		return nil
	}, insertion, p.lanes, p.keys, p.atMostOnce, p.harmless, p.enqueued, p.notBefore, p.changed, p.records, s.capacity, s.schema+".ids", s.channel)
	switch {
	case err != nil:
		return err
	case full:
		return outbox.ErrFull
	case kept < fresh:
		return p.meet(ctx, s, q)
	}
	return nil
}

// errForgotten is for a transaction to be tried again.
var errForgotten = errors.New("a key was put, and forgotten, by others at the same time: put it again")

// meet finds what is there under the keys that were not new after all: another call has put them
// meanwhile, or nobody has looked.
func (p *putting) meet(ctx context.Context, s *Store, q querier) error {
	var asked []int // entries
	var lanes []string
	var keys [][]byte
	for at, i := range p.rows {
		if !p.known[i] && len(p.keys[at]) > 0 {
			asked, lanes, keys = append(asked, i), append(lanes, p.lanes[at]), append(keys, p.keys[at])
		}
	}
	const there = `
		SELECT n, (SELECT id FROM outbox.entries e WHERE e.lane = u.lane AND e.key = u.key AND e.key <> '')
		FROM unnest($1::text[], $2::bytea[]) WITH ORDINALITY AS u(lane, key, n)`
	return s.each(ctx, q, func(scan func(...any) error) error {
		var n int64
		var id sql.NullInt64
		if err := scan(&n, &id); err != nil {
			return err
		}
		if !id.Valid {
			return errForgotten
		}
		i := asked[n-1]
		p.ids[i], p.known[i] = id.Int64, id.Int64 != p.ids[i]
		return nil
	}, there, lanes, keys)
}

func (p *putting) results() []outbox.PutResult {
	results := make([]outbox.PutResult, len(p.firsts))
	for i, first := range p.firsts {
		results[i] = outbox.PutResult{ID: p.ids[first], Duplicate: p.known[first] || first != i}
	}
	return results
}
