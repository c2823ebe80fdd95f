package sqlitestore

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"slices"
	"strings"

	"example.com/bento-go/outbox"
)

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
	switch err = in.tx.StmtContext(in.ctx, in.key).QueryRowContext(in.ctx, numberOf(e.Lane), e.Key).Scan(&first); {
	case err == nil:
		return first, true, nil
	case errors.Is(err, sql.ErrNoRows):
		return 0, false, nil
	}
	return 0, false, err
}

func (in *inserter) add(e *outbox.Entry) error {
	in.last++
	if e.Key != "" {
		if in.keys == nil {
			in.keys = map[laneKey]int64{}
		}
		in.keys[laneKey{e.Lane, e.Key}] = in.last
	}
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
