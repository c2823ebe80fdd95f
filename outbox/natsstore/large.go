package natsstore

import (
	"context"
	"fmt"

	"example.com/bento-go/outbox"
)

// putInTurn puts entries that are too many for one transaction. Whether there is room for all it looks
// before.
func (s *Store) putInTurn(ctx context.Context, entries []outbox.Entry) ([]outbox.PutResult, error) {
	if err := s.roomFor(ctx, entries); err != nil {
		return nil, err
	}
	var results []outbox.PutResult
	for left := entries; len(left) > 0; {
		n := s.together(left)
		some, err := s.putNow(ctx, left[:n])
		if err != nil && len(results) > 0 {
			return nil, fmt.Errorf("natsstore: only the first %d of %d entries are kept: %v", len(results), len(entries), err) //nolint:errorlint // ErrFull says that nothing is
		}
		if err != nil {
			return nil, err
		}
		results, left = append(results, some...), left[n:]
	}
	return results, nil
}

// together is how many of the entries fit into a transaction, at least one.
func (s *Store) together(entries []outbox.Entry) int {
	messages := 0
	for i := range entries {
		if messages += s.messagesOf(&entries[i]); messages > MaxPut && i > 0 {
			return i
		}
	}
	return len(entries)
}

// overhead is about what an entry takes beside its record, its key included, in bytes.
const overhead = 512

// roomFor is ErrFull if the entries' stream has too little room, as it is now.
func (s *Store) roomFor(ctx context.Context, entries []outbox.Entry) error {
	c, err := s.inspect(ctx, "")
	if err != nil {
		return err
	}
	need := c.bytes
	for i := range entries {
		need += int64(len(entries[i].Record)) + overhead
	}
	if c.most > 0 && need > c.most {
		return outbox.ErrFull
	}
	return nil
}
