package memstore

import (
	"context"
	"slices"

	"example.com/bento-go/outbox"
)

// Put is as [outbox.Store] has it.
func (s *Store) Put(ctx context.Context, entries []outbox.Entry) ([]outbox.PutResult, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	results := make([]outbox.PutResult, len(entries))
	fresh, size := map[key]int{}, 0
	for i, e := range entries {
		k := key{e.Lane, e.Key}
		if first, known := s.keys[k]; known && e.Key != "" {
			results[i] = outbox.PutResult{ID: first, Duplicate: true}
			continue
		}
		if _, known := fresh[k]; known && e.Key != "" {
			results[i].Duplicate = true // of one that comes before it in this call
			continue
		}
		fresh[k] = i
		size += len(e.Record) + overhead
	}
	if size > s.room {
		return nil, outbox.ErrFull
	}
	s.room -= size
	for i, e := range entries {
		k := key{e.Lane, e.Key}
		switch {
		case results[i].Duplicate && results[i].ID == 0:
			results[i].ID = s.keys[k]
		case !results[i].Duplicate:
			results[i].ID = s.add(e, k)
		}
	}
	return results, nil
}

func (s *Store) add(given outbox.Entry, k key) int64 {
	s.lastID++
	e := &entry{Entry: given}
	e.ID, e.State, e.Record = s.lastID, outbox.Queued, slices.Clone(e.Record)
	s.entries = append(s.entries, e)
	s.byID[e.ID] = e
	if e.Key != "" {
		s.keys[k] = e.ID
	}
	return e.ID
}
