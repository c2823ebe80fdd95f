package sqlitestore

import (
	"context"
	"database/sql"
	"errors"

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

func sizeOf(e *outbox.Entry) int64 { return int64(len(e.Record)+2*len(e.Key)) + overhead }

// sizeOfNew is that of the entries whose keys are not known.
func (in *inserter) sizeOfNew(entries []outbox.Entry) (size int64, err error) {
	here := map[laneKey]bool{}
	for i := range entries {
		e := &entries[i]
		k, known := laneKey{e.Lane, e.Key}, false
		if e.Key != "" && !here[k] {
			if _, known, err = in.find(e); err != nil {
				return 0, err
			}
		}
		if known = known || here[k]; !known {
			size += sizeOf(e)
		}
		here[k] = e.Key != ""
	}
	return size, nil
}

// put puts the entries of a call, or, if there is no room for them, none.
func (in *inserter) put(entries []outbox.Entry) ([]outbox.PutResult, error) {
	var size int64
	for i := range entries {
		size += sizeOf(&entries[i])
	}
	if size > in.room {
		var err error
		if size, err = in.sizeOfNew(entries); err != nil {
			return nil, err
		}
	}
	if size > max(in.room, 0) { // which is less than nothing where the disk has less than is to be left
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
