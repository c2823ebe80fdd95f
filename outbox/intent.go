package outbox

import (
	"context"
	"time"
)

// An intent is that of sending a batch.
type intent struct {
	*Sender
	lease Lease
	ids   []int64
	noted bool
	err   error // of the store, and nothing was sent
}

// note notes the intent, the first time, or one more request of the batch, and says whether it may go out
// now: not if the lane is another's, or the one whose limit it has, or may be by the time that the store has
// answered.
func (i *intent) note(ctx context.Context) error {
	switch {
	case !i.holds() && !i.noted:
		i.err = ErrLost
		return i.err
	case !i.noted:
		if i.err = i.store.Begin(ctx, i.lease, i.ids, time.Now()); i.err != nil {
			return i.err
		}
		i.noted = true
	default:
		if err := i.store.Begin(ctx, i.lease, nil, time.Now()); err != nil {
			return err
		}
	}
	if !i.holds() {
		return ErrLost
	}
	return nil
}

// holds reports whether this sender has the lane, and the one whose limit it has, for a while yet.
func (i *intent) holds() bool {
	lane, while := i.lease.Lane, i.leaseFor/10
	return i.has(lane, while) && i.has(leaderOf(lane), while)
}
