package outbox

import (
	"context"
	"errors"
	"time"

	bento "example.com/bento-go/wrapper"
)

// A Receipt is what Enqueue gives for an item.
type Receipt struct {
	ID        int64
	Duplicate bool // its key was known: ID is that of the first
}

// Enqueue keeps the items, all or none, and returns when they are as safe as the store makes them.
// The error is [bento.ErrInvalid] if one of them is not what the contract describes, [ErrFull], or
// [ErrClosed].
func (s *Sender) Enqueue(ctx context.Context, items ...Item) ([]Receipt, error) {
	receipts, err := s.enqueue(ctx, items)
	if err != nil {
		s.refuse(err, len(items))
	}
	return receipts, err
}

func (s *Sender) enqueue(ctx context.Context, items []Item) ([]Receipt, error) {
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return nil, ErrClosed
	}
	entries, err := Entries(time.Now(), items...)
	if err != nil {
		return nil, err
	}
	results, err := s.store.Put(ctx, entries)
	if err != nil {
		return nil, err
	}
	receipts := make([]Receipt, len(results))
	for i, r := range results {
		receipts[i] = Receipt(r)
		nudge(s.wake[entries[i].Lane])
	}
	return receipts, nil
}

// refuse counts what was not taken.
func (s *Sender) refuse(err error, n int) {
	cause := causeOther
	switch {
	case errors.Is(err, ErrFull):
		cause = causeFull
	case errors.Is(err, bento.ErrInvalid):
		cause = causeInvalid
	case errors.Is(err, ErrClosed):
		cause = causeClosed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused[cause] += int64(n)
}
