package pgstore

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"example.com/bento-go/outbox"
)

// What is read of an entry.
const (
	columns = heads + ", record"
	heads   = "id, lane, state, key, at_most_once, harmless, attempts, reason, enqueued, not_before, changed"
)

// entries reads entries.
func (s *Store) entries(ctx context.Context, q querier, query string, args ...any) (found []outbox.Entry, err error) {
	err = s.each(ctx, q, func(scan func(...any) error) error {
		var e outbox.Entry
		var key []byte
		var atMostOnce bool
		if err := scan(&e.ID, &e.Lane, &e.State, &key, &atMostOnce, &e.Harmless, &e.Attempts, &e.Reason, &e.Enqueued, &e.NotBefore, &e.Changed, &e.Record); err != nil {
			return err
		}
		e.Key, e.Policy = string(key), outbox.AtLeastOnce
		if atMostOnce {
			e.Policy = outbox.AtMostOnce
		}
		e.Enqueued, e.NotBefore, e.Changed = e.Enqueued.UTC(), e.NotBefore.UTC(), e.Changed.UTC()
		found = append(found, e)
		return nil
	}, query, args...)
	return found, err
}

// Query is as [outbox.Store] has it.
func (s *Store) Query(ctx context.Context, f outbox.Filter, most int) (found []outbox.Entry, err error) {
	err = s.read(ctx, func(ctx context.Context, q querier) error {
		found, err = s.find(ctx, q, f, most)
		return err
	})
	return found, err
}

func (s *Store) find(ctx context.Context, q querier, f outbox.Filter, most int) ([]outbox.Entry, error) {
	where, args := []string{"id > $1"}, []any{f.After, most}
	if f.Lane != "" {
		args = append(args, string(f.Lane))
		where = append(where, fmt.Sprintf("lane = $%d", len(args)))
	}
	if f.State != "" {
		if !slices.Contains(outbox.States, f.State) {
			return nil, nil
		}
		where = append(where, "state = '"+string(f.State)+"'") // as the indexes have it
		if !f.State.Waits() {
			where = append(where, isSettled)
		}
	}
	if f.IDs != nil {
		args = append(args, f.IDs)
		where = append(where, fmt.Sprintf("id = ANY($%d::bigint[])", len(args)))
	}
	return s.entries(ctx, q, "SELECT "+columns+" FROM outbox.entries WHERE "+strings.Join(where, " AND ")+" ORDER BY id LIMIT $2", args...)
}

// History is as [outbox.Store] has it.
func (s *Store) History(ctx context.Context, id int64) (lines []outbox.Change, err error) {
	err = s.read(ctx, func(ctx context.Context, q querier) error {
		lines = nil // it may be read again
		return s.each(ctx, q, func(scan func(...any) error) error {
			var c outbox.Change
			err := scan(&c.At, &c.By, &c.State, &c.Reason)
			c.At = c.At.UTC()
			lines = append(lines, c)
			return err
		}, "SELECT at, by, state, reason FROM outbox.history WHERE entry = $1 ORDER BY n", id)
	})
	return lines, err
}

// Idle is as [outbox.Store] has it.
func (s *Store) Idle(ctx context.Context) (idle bool, err error) {
	const waits = "EXISTS (SELECT FROM outbox.entries WHERE "
	err = s.read(ctx, func(ctx context.Context, q querier) error {
		return s.one(ctx, q, "SELECT NOT ("+waits+isFresh+") OR "+waits+isWaiting+") OR "+waits+isSending+"))", nil, &idle)
	})
	return idle, err
}
