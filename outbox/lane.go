package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"example.com/bento-go/gen"
	bento "example.com/bento-go/wrapper"
)

const (
	// requestFor bounds a request, its turn in the pace's line included.
	requestFor = 2 * time.Minute
	// settleFor bounds the note of what became of a batch, which no end of the sender may prevent.
	settleFor = 30 * time.Second
)

// A laneSender sends one lane.
type laneSender struct {
	*Sender
	lane  Lane
	op    gen.Operation
	lease Lease
	held  time.Time // nothing is sent before: what was sent last did not arrive
}

// run sends the lane whenever it is this sender's, until ctx ends or the sender stops.
func (l *laneSender) run(ctx context.Context) {
	for {
		lease, err := l.store.Acquire(ctx, l.lane, l.owner, time.Now(), l.leaseFor)
		if err == nil {
			l.lease = lease
			err = l.serve(ctx)
		}
		if err != nil && !errors.Is(err, ErrLeased) && !errors.Is(err, ErrLost) && ctx.Err() == nil {
			l.logger.LogAttrs(ctx, slog.LevelError, "outbox store", slog.String("lane", string(l.lane)), slog.String("error", err.Error()))
		}
		if err == nil || !l.wait(ctx, time.Second) {
			break
		}
	}
	// So that another sender need not wait for the lease to end.
	_ = l.store.Release(context.WithoutCancel(ctx), l.lease)
}

// wait waits for something to do, at most d. It reports whether there is anything left to wait for.
func (l *laneSender) wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(max(d, 0))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-l.wake[l.lane]:
	case <-l.stop:
		return false
	case <-ctx.Done():
		return false
	}
	return true
}

// serve sends until there is a reason to stop, which is nil if the sender ends.
func (l *laneSender) serve(ctx context.Context) error {
	if err := l.recover(ctx); err != nil {
		return err
	}
	forgotten := time.Now()
	for {
		select {
		case <-l.stop:
			return nil
		case <-ctx.Done():
			return nil
		default:
		}
		now := time.Now()
		if now.Before(l.held) {
			if !l.wait(ctx, min(l.held.Sub(now), l.leaseFor/4)) {
				return nil
			}
			if err := l.renew(ctx, time.Now()); err != nil {
				return err
			}
			continue
		}
		if err := l.renew(ctx, now); err != nil {
			return err
		}
		if now.Sub(forgotten) > time.Hour {
			forgotten = now
			if _, err := l.store.Forget(ctx, now.Add(-l.retention)); err != nil {
				return err
			}
		}
		batch, later, err := l.store.Next(ctx, l.lease, l.most(), now)
		if err != nil {
			return err
		}
		if ripe := l.ripe(batch, now); len(batch) == 0 || ripe > 0 {
			if !l.wait(ctx, l.until(len(batch) > 0, ripe, later, now)) {
				return nil
			}
			continue
		}
		if err := l.deliver(ctx, batch); err != nil {
			return err
		}
	}
}

// most is how many records go into a request: an email goes by itself, so that each has a verdict of
// its own.
func (l *laneSender) most() int {
	if l.lane == Emails {
		return 1
	}
	return l.op.BatchMax
}

// ripe is how long a batch that is not full waits for more.
func (l *laneSender) ripe(batch []Entry, now time.Time) time.Duration {
	if len(batch) == 0 || len(batch) == l.most() || batch[0].Attempts > 0 {
		return 0
	}
	return max(0, batch[0].Enqueued.Add(l.linger).Sub(now))
}

func (l *laneSender) until(lingers bool, ripe time.Duration, later, now time.Time) time.Duration {
	d := l.poll
	if lingers {
		d = min(d, ripe)
	}
	if !later.IsZero() {
		d = min(d, later.Sub(now))
	}
	return max(d, time.Millisecond)
}

// renew extends the lease when a third of it is over.
func (l *laneSender) renew(ctx context.Context, now time.Time) error {
	if l.lease.Expires.Sub(now) > l.leaseFor*2/3 {
		return nil
	}
	lease, err := l.store.Acquire(ctx, l.lane, l.owner, now, l.leaseFor)
	switch {
	case errors.Is(err, ErrLeased):
		return ErrLost
	case err != nil:
		return err
	case lease.Token != l.lease.Token:
		l.lease = lease
		return ErrLost // it had run out in between: what was in flight is to be recovered
	}
	l.lease = lease
	return nil
}

// maxRecovered bounds how many entries are recovered at a time.
const maxRecovered = 1000

// recover decides about what a sender before this one left in flight: nobody knows whether it
// arrived.
func (l *laneSender) recover(ctx context.Context) error {
	for {
		left, err := l.store.Recover(ctx, l.lease, maxRecovered)
		if err != nil || len(left) == 0 {
			return err
		}
		now := time.Now()
		all := make([]Verdict, len(left))
		for i, e := range left {
			all[i] = unknown.verdict(e, "its sender ended while it was in flight", now)
		}
		if err := l.settle(ctx, all, now); err != nil {
			return err
		}
	}
}

// deliver sends a batch: it notes the intent, sends, and notes what became of it.
func (l *laneSender) deliver(ctx context.Context, batch []Entry) error {
	ids, records, harmless := make([]int64, len(batch)), make([]json.RawMessage, len(batch)), true
	for i := range batch {
		ids[i], records[i] = batch[i].ID, batch[i].Record
		harmless = harmless && batch[i].Harmless
		batch[i].Attempts++
	}
	if err := l.store.Begin(ctx, l.lease, ids, time.Now()); err != nil {
		return err
	}
	opts := []bento.BatchOption{bento.WithRetry(bento.RetryPolicy{MaxAttempts: 1}), bento.WithBisection()}
	if harmless {
		opts = append(opts, bento.WithHarmlessRepeat())
	}
	request, cancel := context.WithTimeout(ctx, requestFor)
	defer cancel()
	kept := l.keep(request, cancel)
	result, sendErr := l.client.SendRaw(request, l.op.ID, records, opts...)
	cancel()
	<-kept
	now := time.Now()
	all, paused := verdicts(batch, result, sendErr, now)
	if err := l.settle(ctx, all, now); err != nil {
		return err
	}
	l.held = heldBy(all)
	if paused != "" {
		l.logger.LogAttrs(ctx, slog.LevelError, "outbox paused", slog.String("lane", string(l.lane)), slog.String("reason", paused))
		return l.store.Pause(context.WithoutCancel(ctx), l.lane, paused)
	}
	return nil
}

// keep renews the lease while a request is under way, and breaks the request off if the lane is lost.
// The channel it returns is closed when it has ended, which it does with the request.
func (l *laneSender) keep(request context.Context, lost context.CancelFunc) <-chan struct{} {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		beat := time.NewTicker(l.leaseFor / 3)
		defer beat.Stop()
		for {
			select {
			case <-request.Done():
				return
			case now := <-beat.C:
				if errors.Is(l.renew(request, now), ErrLost) {
					lost()
				}
			}
		}
	}()
	return ended
}

// heldBy is when a lane may be tried again of which nothing got through; zero if something did.
func heldBy(all []Verdict) time.Time {
	var until time.Time
	for _, v := range all {
		if v.State != Queued {
			return time.Time{}
		}
		until = v.NotBefore
	}
	return until
}

// settle notes verdicts, whatever ends meanwhile.
func (l *laneSender) settle(ctx context.Context, all []Verdict, now time.Time) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleFor)
	defer cancel()
	defer nudge(l.settled)
	if err := l.store.Settle(ctx, l.lease, all, now); err != nil {
		return err
	}
	for _, v := range all {
		if v.State == Parked || v.State == Failed {
			l.logger.LogAttrs(ctx, slog.LevelWarn, "outbox "+string(v.State), slog.String("lane", string(l.lane)), slog.Int64("id", v.ID), slog.String("reason", v.Reason))
		}
	}
	return nil
}
