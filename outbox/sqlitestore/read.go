package sqlitestore

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"math"
	"strings"

	"example.com/bento-go/outbox"
)

var errEnough = errors.New("enough")

// entries reads entries as the table has them: what is being sent is queued there; and no more than the
// first whose records come to a number of bytes. damaged are the IDs of those whose records are not what
// was put.
func entries(ctx context.Context, from querier, bytes int, where string, args ...any) (all []outbox.Entry, damaged []int64, err error) {
	const query = "SELECT id, lane, key, flags, enqueued, sum, state, attempts, reason, not_before, changed, record FROM entries WHERE "
	err = each(ctx, from, query+where, func(scan func(...any) error) (err error) {
		var e outbox.Entry
		var lane, flags int
		var enqueued, notBefore, changed, sum int64
		if err := scan(&e.ID, &lane, &e.Key, &flags, &enqueued, &sum, &e.State, &e.Attempts, &e.Reason, &notBefore, &changed, &e.Record); err != nil {
			return err
		}
		e.Policy, e.Harmless = outbox.AtLeastOnce, flags&flagHarmless != 0
		if flags&flagAtMostOnce != 0 {
			e.Policy = outbox.AtMostOnce
		}
		e.Lane, err = laneOf(lane)
		e.Enqueued, e.NotBefore, e.Changed = moment(enqueued), moment(notBefore), moment(cmp.Or(changed, enqueued))
		if err == nil && bytes <= 0 {
			return errEnough
		}
		if !e.State.Done() && sumOf(e.ID, &e) != sum {
			damaged = append(damaged, e.ID)
		}
		bytes -= len(e.Record)
		all = append(all, e)
		return err
	}, args...)
	if errors.Is(err, errEnough) {
		err = nil
	}
	return all, damaged, err
}

// Query is as [outbox.Store] has it.
func (s *Store) Query(ctx context.Context, f outbox.Filter, most int) (found []outbox.Entry, err error) {
	err = s.look(ctx, func(tx *sql.Tx) error {
		found, err = find(ctx, tx, f, most)
		return err
	})
	return found, err
}

func find(ctx context.Context, tx *sql.Tx, f outbox.Filter, most int) ([]outbox.Entry, error) {
	where, args := conditions(f)
	found, _, err := entries(ctx, tx, math.MaxInt, where+" ORDER BY id LIMIT ?", append(args, most)...)
	if err != nil {
		return nil, err
	}
	begun := map[int64]int64{} // when, by ID
	for _, lane := range outbox.Lanes {
		under, err := flights(ctx, tx, lane)
		if err != nil {
			return nil, err
		}
		for _, f := range under {
			for _, id := range f.ids {
				begun[id] = f.begun
			}
		}
	}
	for i, e := range found {
		if at, flies := begun[e.ID]; flies {
			found[i].State, found[i].Changed = outbox.Sending, moment(at)
			found[i].Attempts++
		}
	}
	return found, nil
}

// conditions are those of a filter.
func conditions(f outbox.Filter) (string, []any) {
	const inFlight = "(SELECT value FROM sending, json_each(ids))"
	where, args := []string{"id > ?"}, []any{f.After}
	if f.Lane != "" {
		where, args = append(where, "lane = ?"), append(args, numberOf(f.Lane))
	}
	switch f.State {
	case "":
	case outbox.Sending:
		where = append(where, "id IN "+inFlight)
	case outbox.Queued:
		where = append(where, "state = 'queued' AND id NOT IN "+inFlight)
	default:
		where, args = append(where, "state <> 'queued' AND state = ?"), append(args, f.State)
	}
	if f.IDs != nil {
		where, args = append(where, listed), append(args, listOf(f.IDs))
	}
	return strings.Join(where, " AND "), args
}

// History is as [outbox.Store] has it.
func (s *Store) History(ctx context.Context, id int64) (all []outbox.Change, err error) {
	err = each(ctx, s.reader, "SELECT at, by, state, reason FROM history WHERE entry = ? ORDER BY n", func(scan func(...any) error) error {
		var c outbox.Change
		var at int64
		err := scan(&at, &c.By, &c.State, &c.Reason)
		c.At = moment(at)
		all = append(all, c)
		return err
	}, id)
	return all, known(err)
}

// Idle is as [outbox.Store] has it.
func (s *Store) Idle(ctx context.Context) (idle bool, err error) {
	const waits = "EXISTS (SELECT 1 FROM entries WHERE "
	err = s.reader.QueryRowContext(ctx, "SELECT NOT ("+waits+isFresh+") OR "+waits+isWaiting+"))").Scan(&idle)
	return idle, known(err)
}
