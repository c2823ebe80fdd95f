package sqlitestore

import (
	"context"
	"database/sql"
	"errors"

	"example.com/bento-go/outbox"
)

// A putting is a call of Put that waits for the disk.
type putting struct {
	ctx     context.Context //nolint:containedctx // it lives as long as the call
	entries []outbox.Entry
	results []outbox.PutResult
	err     error
	done    bool
}

// Put is as [outbox.Store] has it. Calls that come while another waits for the disk go together, in
// one transaction: what they cost is most of all that wait.
func (s *Store) Put(ctx context.Context, entries []outbox.Entry) ([]outbox.PutResult, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	mine := &putting{ctx: ctx, entries: entries}
	s.mu.Lock()
	s.pending = append(s.pending, mine)
	s.mu.Unlock()
	s.writing.Lock()
	defer s.writing.Unlock()
	if mine.done { // by who held it before
		return mine.results, mine.err
	}
	s.mu.Lock()
	all := s.pending
	s.pending = nil
	s.mu.Unlock()
	s.commit(all)
	return mine.results, mine.err
}

// commit puts all of the calls in one transaction; each of them all or none.
func (s *Store) commit(all []*putting) {
	ctx := context.Background() // a call that ends must not end those of others
	err := s.change(ctx, func(tx *sql.Tx) error {
		room, err := s.room(ctx, tx)
		if err != nil {
			return err
		}
		insert, err := tx.PrepareContext(ctx, "INSERT INTO entries (lane, key, policy, harmless, state, attempts, reason, enqueued, not_before, changed) "+
			"VALUES (?, ?, ?, ?, 'queued', 0, '', ?, ?, ?)")
		if err != nil {
			return err
		}
		defer func() { _ = insert.Close() }()
		record, err := tx.PrepareContext(ctx, "INSERT INTO records VALUES (?, ?)")
		if err != nil {
			return err
		}
		defer func() { _ = record.Close() }()
		for _, p := range all {
			if p.err = p.put(ctx, tx, insert, record, &room); p.err != nil && !errors.Is(p.err, outbox.ErrFull) && p.ctx.Err() == nil {
				return p.err
			}
		}
		return nil
	})
	for _, p := range all {
		p.done = true
		if err != nil && p.err == nil {
			p.err = err
		}
		if p.err != nil {
			p.results = nil
		}
	}
}

// overhead is about what an entry takes in the file beside its record.
const overhead = 384

// room is how many bytes of records may still be put.
func (s *Store) room(ctx context.Context, tx *sql.Tx) (int64, error) {
	var pages, free, size int64
	for pragma, into := range map[string]*int64{"page_count": &pages, "freelist_count": &free, "page_size": &size} {
		if err := tx.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(into); err != nil {
			return 0, err
		}
	}
	return (s.pages - s.pages/16 - (pages - free)) * size, nil
}

func (p *putting) put(ctx context.Context, tx *sql.Tx, insert, record *sql.Stmt, room *int64) error {
	if err := p.ctx.Err(); err != nil {
		return err
	}
	var size int64
	for _, e := range p.entries {
		size += int64(len(e.Record)+len(e.Key)) + overhead
	}
	if size > *room {
		return outbox.ErrFull
	}
	*room -= size
	p.results = make([]outbox.PutResult, len(p.entries))
	for i, e := range p.entries {
		if e.Key != "" {
			err := tx.QueryRowContext(ctx, "SELECT id FROM entries WHERE lane = ? AND key = ?", e.Lane, e.Key).Scan(&p.results[i].ID)
			if p.results[i].Duplicate = err == nil; p.results[i].Duplicate {
				continue
			}
			if !errors.Is(err, sql.ErrNoRows) {
				return err
			}
		}
		result, err := insert.ExecContext(ctx, e.Lane, e.Key, e.Policy, e.Harmless, nanos(e.Enqueued), nanos(e.NotBefore), nanos(e.Changed))
		if err != nil {
			return err
		}
		if p.results[i].ID, err = result.LastInsertId(); err != nil {
			return err
		}
		if _, err := record.ExecContext(ctx, p.results[i].ID, e.Record); err != nil {
			return err
		}
	}
	return nil
}
