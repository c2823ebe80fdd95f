package outbox

import (
	"context"
	"errors"
	"time"
)

// Resend queues parked or failed entries anew: a person has decided that a second delivery does no
// harm. Who decided (a name or an address, say) and why is kept in the history of each: neither may be
// empty, and of each the first 500 bytes are kept. It is all of the entries or none: the error is
// [ErrLost] if one of them is neither parked nor failed, or not there.
func (s *Sender) Resend(ctx context.Context, by, reason string, ids ...int64) error {
	return s.decide(ctx, Decision{Queued, by, reason}, ids)
}

// Confirm says that parked or failed entries did arrive; the rest is as [Sender.Resend] has it.
func (s *Sender) Confirm(ctx context.Context, by, reason string, ids ...int64) error {
	return s.decide(ctx, Decision{Accepted, by, reason}, ids)
}

// Discard gives parked or failed entries up, and removes their records at once; the rest is as
// [Sender.Resend] has it.
func (s *Sender) Discard(ctx context.Context, by, reason string, ids ...int64) error {
	return s.decide(ctx, Decision{Discarded, by, reason}, ids)
}

var errNoReason = errors.New("outbox: it needs a name and a reason, which are kept")

func (s *Sender) decide(ctx context.Context, d Decision, ids []int64) error {
	if d.By == "" || d.Reason == "" {
		return errNoReason
	}
	d.By, d.Reason = brief(d.By), brief(d.Reason)
	if err := s.store.Decide(ctx, ids, d, time.Now()); err != nil {
		return err
	}
	for _, lane := range Lanes {
		nudge(s.wake[lane])
	}
	return nil
}

// Entries returns at most max entries that match, by ID; the next are those with a larger one. Those
// that were accepted are not kept, unless they have a key or a history.
func (s *Sender) Entries(ctx context.Context, f Filter, max int) ([]Entry, error) {
	return s.store.Query(ctx, f, max)
}

// History is what an entry went through beside being sent: that it was parked or failed, and what was
// decided; oldest first. It is empty if there is nothing to tell, or no such entry.
func (s *Sender) History(ctx context.Context, id int64) ([]Change, error) {
	return s.store.History(ctx, id)
}

// Pause holds a lane back, for all senders that share the store: what is in flight is finished. It needs a
// reason, of which the first 500 bytes are kept.
func (s *Sender) Pause(ctx context.Context, lane Lane, reason string) error {
	if reason == "" {
		return errNoReason
	}
	return s.store.Pause(ctx, lane, brief(reason))
}

// Resume lets a lane go on that was paused, by a person or because Bento refused the account.
func (s *Sender) Resume(ctx context.Context, lane Lane) error {
	defer nudge(s.wake[lane])
	return s.store.Pause(ctx, lane, "")
}
