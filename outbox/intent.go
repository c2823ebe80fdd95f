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

// note notes the intent, the first time, and says whether a request of the batch may go out now: not if
// the lane is another's, or may be by the time that the store has answered.
func (i *intent) note(ctx context.Context) error {
	if !i.noted {
		if i.err = i.begin(ctx); i.err != nil {
			return i.err
		}
		i.noted = true
	}
	if !i.has(i.lease.Lane, i.leaseFor/10) {
		return ErrLost
	}
	return nil
}

func (i *intent) begin(ctx context.Context) error {
	now := time.Now()
	i.used.note(i.lease.Lane, now)
	return i.store.Begin(ctx, i.lease, i.ids, now)
}
