package outbox

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"
)

// serve sends until there is a reason to stop, which is nil if the sender ends.
func (l *laneSender) serve(ctx context.Context) error {
	if err := l.recover(ctx); err != nil {
		return err
	}
	for !l.ended(ctx) {
		now := time.Now()
		if err := l.renew(ctx, now); err != nil {
			return err
		}
		if !l.leads(l.lane) {
			return ErrLeased
		}
		if err := l.forget(ctx, now); err != nil {
			return err
		}
		pause, err := l.step(ctx, now)
		if err != nil {
			return err
		}
		if pause > 0 && !l.wait(ctx, pause) {
			return nil
		}
	}
	return nil
}

const (
	forgetEvery = time.Hour
	forgetMost  = 1000 // entries at a time, so that nobody waits long
)

// forget removes what is older than the retention: at first, and then every hour.
func (l *laneSender) forget(ctx context.Context, now time.Time) error {
	if now.Before(l.forgetAt) {
		return nil
	}
	gone, err := l.store.Forget(ctx, l.lane, now.Add(-l.retention), forgetMost)
	if err != nil {
		return err
	}
	if gone > 0 {
		l.log(ctx, slog.LevelInfo, "outbox forgot what is old", slog.Int("entries", gone))
	}
	if gone < forgetMost {
		l.forgetAt = now.Add(forgetEvery)
	}
	return nil
}

// step sends a batch, if there is one to send, or says how long to wait for one.
func (l *laneSender) step(ctx context.Context, now time.Time) (pause time.Duration, err error) {
	if held := l.until.Sub(now); held > 0 {
		return min(held, l.leaseFor/4), nil
	}
	batch, later, err := l.store.Next(ctx, l.lease, l.most(), now)
	if err != nil {
		return 0, err
	}
	pause = min(l.poll, l.leaseFor/4) // so that an idle lane is kept, too
	if !later.IsZero() {
		pause = min(pause, later.Sub(now))
	}
	if len(batch) > 0 {
		ripe := l.ripe(batch, later, now)
		if ripe == 0 {
			if err := l.deliver(ctx, l.portionOf(batch)); !errors.Is(err, ErrPaused) {
				return 0, err
			}
			return 0, l.recover(ctx) // the lane is paused: if Begin took effect all the same, those were not sent
		}
		pause = min(pause, ripe)
	}
	return max(pause, time.Millisecond), nil
}

// most is how many records go into a request: an email goes by itself, so that each has a verdict of
// its own.
func (l *laneSender) most() int {
	if l.lane == Emails {
		return 1
	}
	return l.op.BatchMax
}

// ripe is how long a batch that is not full waits for more: not at all if more is due already, or if it
// is of a clock that was ahead.
func (l *laneSender) ripe(batch []Entry, later, now time.Time) time.Duration {
	more := !later.IsZero() && !later.After(now)
	wait := batch[0].Enqueued.Add(l.linger).Sub(now)
	if more || len(batch) == l.most() || batch[0].Attempts > 0 || wait > l.linger {
		return 0
	}
	return max(0, wait)
}

// renew extends the lease when a third of it is over, or the clock was set back.
func (l *laneSender) renew(ctx context.Context, now time.Time) error {
	if left := l.lease.Expires.Round(0).Sub(now.Round(0)); left > l.leaseFor*2/3 && left <= l.leaseFor {
		return nil
	}
	lease, err := l.store.Acquire(ctx, l.lane, l.owner, now, l.leaseFor)
	switch {
	case errors.Is(err, ErrLeased):
		return ErrLost
	case err != nil:
		return err
	case lease.Token != l.lease.Token:
		return ErrLost // it had run out in between: what was in flight is to be recovered, in a turn of its own
	}
	l.took(lease)
	return nil
}

// maxRecovered bounds how many entries are recovered at a time.
const maxRecovered = 1000

// recover decides about what a sender before this one left in flight: nobody knows whether it
// arrived. Where the store is so slow that the lane is lost meanwhile, less is decided at a time: else
// senders would take the lane from one another for ever.
func (l *laneSender) recover(ctx context.Context) error {
	for {
		most := cmp.Or(l.portions, maxRecovered)
		left, err := l.store.Recover(ctx, l.lease, most)
		if err != nil {
			return err
		}
		if len(left) == 0 {
			l.portions, l.unsent = 0, intent{}
			return nil
		}
		now := time.Now()
		all := make([]Verdict, len(left))
		for i, e := range left {
			if l.unsent.lease.Token == l.lease.Token && slices.Contains(l.unsent.ids, e.ID) {
				all[i] = unsent.verdict(e, causeOther, "the store did not say that it had noted the intent", now)
				continue
			}
			all[i] = unknown.verdict(e, causeEnded, "its sender ended while it was in flight", now)
		}
		if err := l.settle(ctx, all); err != nil {
			l.portions = max(1, most/4)
			return err
		}
		if err := l.renew(ctx, time.Now()); err != nil {
			return err
		}
	}
}

// A hold keeps a lane from asking when what was sent last did not arrive, the longer the more often.
type hold struct {
	failures int // one after the other
	until    time.Time
}

// note takes in what became of a batch. It reports whether nothing of it got through.
func (h *hold) note(all []Verdict, now time.Time) (failed bool) {
	for _, v := range all {
		if v.State == Accepted || v.State == Failed {
			*h = hold{}
			return false
		}
	}
	h.failures++
	h.until = now.Add(backoff(h.failures))
	return true
}
