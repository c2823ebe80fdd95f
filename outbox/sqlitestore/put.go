package sqlitestore

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"os"
	"slices"
	"strings"

	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/internal/together"
)

// atATime bounds what goes into one transaction; a call of more has one of its own.
var atATime = together.Limit{Turns: 1, Entries: 4096, Bytes: 16 << 20}

// Put is as [outbox.Store] has it. Calls that come while another waits for the disk go together, in
// one transaction: what they cost is most of all that wait.
func (s *Store) Put(ctx context.Context, entries []outbox.Entry) ([]outbox.PutResult, error) {
	return s.group.Put(ctx, entries, len(entries))
}

// putAll puts the calls in one transaction. Where a full disk is in the way, the log is brought home.
func (s *Store) putAll(calls []*together.Call) {
	s.commit(calls)
	for _, c := range calls {
		if errors.Is(c.Err, outbox.ErrFull) && s.compact() {
			s.commit([]*together.Call{c})
		}
	}
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

// commit puts all of the calls in one transaction; each of them all or none.
func (s *Store) commit(calls []*together.Call) {
	ctx := context.Background() // a call that ends must not end those of others
	err := s.change(ctx, func(tx *sql.Tx) error {
		in := inserter{ctx: ctx, tx: tx, statements: s.statements}
		if err := s.begin(&in); err != nil {
			return err
		}
		for _, c := range calls {
			if c.Results, c.Err = in.put(c.Entries); c.Err != nil && !errors.Is(c.Err, outbox.ErrFull) {
				return c.Err
			}
		}
		return in.end()
	})
	for _, c := range calls {
		if err != nil && !errors.Is(c.Err, outbox.ErrFull) {
			c.Err = err
		}
		if c.Err != nil {
			c.Results = nil
		}
	}
}

// overhead is about what an entry takes in the file beside its record.
const overhead = 128

// begin finds the last ID, and how many bytes of records may still be put: as the file's bound has it,
// and the disk.
func (s *Store) begin(in *inserter) error {
	var pages, unused int64
	if err := in.tx.StmtContext(in.ctx, in.head).QueryRowContext(in.ctx).Scan(&in.last, &pages, &unused); err != nil {
		return err
	}
	in.room = (s.pages - s.pages/16 - (pages - unused)) * s.pageSize
	if free, known := s.free(); known {
		in.room = min(in.room, unused*s.pageSize+free-s.reserve)
	}
	return nil
}

// put puts the entries of a call, or, if there is no room for them, none.
func (in *inserter) put(entries []outbox.Entry) ([]outbox.PutResult, error) {
	var size int64
	for i := range entries {
		size += int64(len(entries[i].Record)+2*len(entries[i].Key)) + overhead
	}
	if size > in.room {
		return nil, outbox.ErrFull
	}
	in.room -= size
	results := make([]outbox.PutResult, len(entries))
	for i := range entries {
		e := &entries[i]
		if e.Key != "" {
			first, known, err := in.find(e)
			if err != nil {
				return nil, err
			}
			if known {
				results[i] = outbox.PutResult{ID: first, Duplicate: true}
				continue
			}
		}
		if err := in.add(e); err != nil {
			return nil, err
		}
		results[i].ID = in.last
	}
	return results, nil
}

// statements are those of Put, prepared once.
type statements struct {
	head *sql.Stmt // the last ID, and the pages of the file
	last *sql.Stmt // notes the last ID
	key  *sql.Stmt // finds a key
	one  *sql.Stmt // inserts a row
	many *sql.Stmt // inserts rowsAtOnce
}

func prepare(ctx context.Context, db *sql.DB) (all statements, err error) {
	for _, s := range []struct {
		into **sql.Stmt
		text string
	}{
		{&all.head, "SELECT id, page_count, freelist_count FROM last, pragma_page_count(), pragma_freelist_count()"},
		{&all.last, "UPDATE last SET id = ?"},
		{&all.key, "SELECT id FROM entries WHERE lane = ? AND key = ? AND key <> ''"},
		{&all.one, insertion(1)},
		{&all.many, insertion(rowsAtOnce)},
	} {
		if *s.into, err = db.PrepareContext(ctx, s.text); err != nil {
			return all, err
		}
	}
	return all, nil
}

// An inserter inserts rows, many by one statement: what a statement costs is most of all itself.
type inserter struct {
	ctx context.Context //nolint:containedctx // it lives as long as the transaction
	tx  *sql.Tx
	statements
	last int64 // ID
	room int64
	keys map[laneKey]int64
	args []any
}

type laneKey struct {
	lane outbox.Lane
	key  string
}

const (
	rowsAtOnce = 64
	perRow     = 8
)

// insertion inserts n rows.
func insertion(n int) string {
	return "INSERT INTO entries (id, lane, key, flags, enqueued, sum, not_before, record, state, attempts, reason, changed, told) VALUES " +
		strings.TrimSuffix(strings.Repeat("(?, ?, ?, ?, ?, ?, ?, ?, 'queued', 0, '', 0, 0), ", n), ", ")
}

// find looks for an entry with the same key, in the file and in this transaction.
func (in *inserter) find(e *outbox.Entry) (first int64, known bool, err error) {
	k := laneKey{e.Lane, e.Key}
	if first, known = in.keys[k]; known {
		return first, true, nil
	}
	if in.keys == nil {
		in.keys = map[laneKey]int64{}
	}
	switch err = in.tx.StmtContext(in.ctx, in.key).QueryRowContext(in.ctx, numberOf(e.Lane), e.Key).Scan(&first); {
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
	_, err := in.tx.StmtContext(in.ctx, in.many).ExecContext(in.ctx, in.args...)
	in.args = in.args[:0]
	return err
}

// end inserts the rows that wait, and notes the last ID.
func (in *inserter) end() error {
	one := in.tx.StmtContext(in.ctx, in.one)
	for row := range slices.Chunk(in.args, perRow) {
		if _, err := one.ExecContext(in.ctx, row...); err != nil {
			return err
		}
	}
	_, err := in.tx.StmtContext(in.ctx, in.statements.last).ExecContext(in.ctx, in.last)
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
	text = binary.AppendVarint(text, int64(flagsOf(e)))
	return int64(crc32.Update(crc32.Checksum(text, castagnoli), castagnoli, e.Record))
}
