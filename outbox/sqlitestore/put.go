package sqlitestore

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"os"
	"strings"

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
	for !mine.done { // by who held it before
		s.commit(s.together())
	}
	if errors.Is(mine.err, outbox.ErrFull) && s.compact() {
		s.commit([]*putting{mine})
	}
	return mine.results, mine.err
}

// compact brings what was written home into the file, so that the log beside it takes no room of the
// disk. It reports whether it did.
func (s *Store) compact() bool {
	info, err := os.Stat(s.path + "-wal")
	if err != nil || info.Size() == 0 {
		return false
	}
	var busy, pages, moved int
	err = s.db.QueryRow("PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &moved) //nolint:noctx // as commit
	return err == nil && busy == 0
}

// maxTogether bounds, in entries, what goes together; a call of more goes by itself.
const maxTogether = 4096

// together takes the calls that go together.
func (s *Store) together() []*putting {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, entries := 0, 0
	for n < len(s.pending) && (n == 0 || entries+len(s.pending[n].entries) <= maxTogether) {
		entries += len(s.pending[n].entries)
		n++
	}
	all := s.pending[:n:n]
	if s.pending = s.pending[n:]; len(s.pending) == 0 {
		s.pending = nil
	}
	return all
}

// commit puts all of the calls in one transaction; each of them all or none.
func (s *Store) commit(all []*putting) {
	ctx := context.Background() // a call that ends must not end those of others
	err := s.change(ctx, func(tx *sql.Tx) error {
		room, err := s.room(ctx, tx)
		if err != nil {
			return err
		}
		in := inserter{ctx: ctx, tx: tx}
		if err := tx.QueryRowContext(ctx, "SELECT id FROM last").Scan(&in.last); err != nil {
			return err
		}
		for _, p := range all {
			if p.err = p.put(&in, &room); p.err != nil && !errors.Is(p.err, outbox.ErrFull) && p.ctx.Err() == nil {
				return p.err
			}
		}
		if err := in.flush(); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "UPDATE last SET id = ?", in.last)
		return errors.Join(err, in.close())
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
const overhead = 128

// room is how many bytes of records may still be put: as the file's bound has it, and the disk.
func (s *Store) room(ctx context.Context, tx *sql.Tx) (int64, error) {
	var pages, unused, size int64
	for pragma, into := range map[string]*int64{"page_count": &pages, "freelist_count": &unused, "page_size": &size} {
		if err := tx.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(into); err != nil {
			return 0, err
		}
	}
	room := (s.pages - s.pages/16 - (pages - unused)) * size
	if free, known := s.free(); known {
		room = min(room, unused*size+free-s.reserve)
	}
	return room, nil
}

func (p *putting) put(in *inserter, room *int64) error {
	if err := p.ctx.Err(); err != nil {
		return err
	}
	var size int64
	for _, e := range p.entries {
		size += int64(len(e.Record)+2*len(e.Key)) + overhead
	}
	if size > *room {
		return outbox.ErrFull
	}
	*room -= size
	p.results = make([]outbox.PutResult, len(p.entries))
	for i := range p.entries {
		e := &p.entries[i]
		if e.Key != "" {
			first, known, err := in.find(e)
			if err != nil {
				return err
			}
			if known {
				p.results[i] = outbox.PutResult{ID: first, Duplicate: true}
				continue
			}
		}
		if err := in.add(e); err != nil {
			return err
		}
		p.results[i].ID = in.last
	}
	return nil
}

// An inserter inserts rows, many by one statement: what a statement costs is most of all itself.
type inserter struct {
	ctx   context.Context //nolint:containedctx // it lives as long as the transaction
	tx    *sql.Tx
	last  int64 // ID
	keys  map[laneKey]int64
	args  []any
	full  *sql.Stmt // of rowsAtOnce
	known *sql.Stmt
}

type laneKey struct {
	lane outbox.Lane
	key  string
}

const (
	rowsAtOnce = 64
	perRow     = 8
)

// statement inserts n rows.
func statement(n int) string {
	return "INSERT INTO entries (id, lane, key, flags, enqueued, sum, not_before, record, state, attempts, reason, changed, told) VALUES " +
		strings.TrimSuffix(strings.Repeat("(?, ?, ?, ?, ?, ?, ?, ?, 'queued', 0, '', 0, 0), ", n), ", ")
}

// find looks for an entry with the same key, in the file and in this transaction.
func (in *inserter) find(e *outbox.Entry) (first int64, known bool, err error) {
	k := laneKey{e.Lane, e.Key}
	if first, known = in.keys[k]; known {
		return first, true, nil
	}
	if in.known == nil {
		in.keys = map[laneKey]int64{}
		if in.known, err = in.tx.PrepareContext(in.ctx, "SELECT id FROM entries WHERE lane = ? AND key = ? AND key <> ''"); err != nil {
			return 0, false, err
		}
	}
	switch err = in.known.QueryRowContext(in.ctx, numberOf(e.Lane), e.Key).Scan(&first); {
	case err == nil:
		return first, true, nil
	case errors.Is(err, sql.ErrNoRows):
		in.keys[k] = in.last + 1
		return 0, false, nil
	}
	return 0, false, err
}

func (in *inserter) add(e *outbox.Entry) error {
	in.last++
	in.args = append(in.args, in.last, numberOf(e.Lane), e.Key, flagsOf(e), nanos(e.Enqueued), sumOf(in.last, e), nanos(e.NotBefore), e.Record)
	if len(in.args) < rowsAtOnce*perRow {
		return nil
	}
	return in.flush()
}

// flush inserts the rows that wait.
func (in *inserter) flush() (err error) {
	n := len(in.args) / perRow
	defer func() { in.args = in.args[:0] }()
	switch {
	case n == 0:
		return nil
	case n < rowsAtOnce:
		_, err = in.tx.ExecContext(in.ctx, statement(n), in.args...)
		return err
	case in.full == nil:
		if in.full, err = in.tx.PrepareContext(in.ctx, statement(n)); err != nil {
			return err
		}
	}
	_, err = in.full.ExecContext(in.ctx, in.args...)
	return err
}

func (in *inserter) close() (err error) {
	for _, stmt := range []*sql.Stmt{in.full, in.known} {
		if stmt != nil {
			err = errors.Join(err, stmt.Close())
		}
	}
	return err
}

const (
	flagAtMostOnce = 1 << iota
	flagHarmless
)

func flagsOf(e *outbox.Entry) (flags int) {
	if e.Policy == outbox.AtMostOnce {
		flags |= flagAtMostOnce
	}
	if e.Harmless {
		flags |= flagHarmless
	}
	return flags
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sumOf is the checksum of what never changes of an entry while it has its record.
func sumOf(id int64, e *outbox.Entry) int64 {
	var room [512]byte
	text := append(room[:0], e.Lane...)
	text = append(append(append(text, 0), e.Key...), 0)
	text = binary.AppendVarint(text, id)
	text = binary.AppendVarint(text, nanos(e.Enqueued))
	text = append(text, byte(flagsOf(e)))
	return int64(crc32.Update(crc32.Checksum(text, castagnoli), castagnoli, e.Record))
}
