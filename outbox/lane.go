package outbox

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"example.com/bento-go/gen"
)

// A laneSender sends one lane.
type laneSender struct {
	*Sender
	lane       Lane
	op         gen.Operation
	lease      Lease
	lanesEnded map[Lane]chan struct{} // each is closed when its lane has ended
	hold
	portion
	portions               int    // entries that are recovered at a time; 0 is maxRecovered
	unsent                 intent // that the store has noted, perhaps, and of which nothing was sent
	forgetAt               time.Time
	aboutStore, aboutBento nag
}

// run sends the lane whenever it is this sender's, until ctx ends or the sender stops.
func (l *laneSender) run(ctx context.Context) {
	for {
		err := l.turn(ctx)
		l.tell(ctx, err)
		if err == nil || !l.wait(ctx, min(time.Second, l.leaseFor/4)) {
			return
		}
	}
}

// turn takes the lane, if it may, sends it as long as it may, and gives it up, so that another sender
// need not wait for the lease to end.
func (l *laneSender) turn(ctx context.Context) error {
	if !l.leads(l.lane) {
		return ErrLeased
	}
	lease, err := l.store.Acquire(ctx, l.lane, l.owner, time.Now(), l.leaseFor)
	if err != nil {
		return err
	}
	if err := l.follow(ctx, lease); err != nil {
		l.release(ctx, lease)
		return err
	}
	l.took(lease)
	if err = l.serve(ctx); err == nil {
		l.seeOff(ctx)
	}
	l.drop(l.lane)
	l.release(ctx, l.lease)
	return err
}

// release gives the lane up, if the store can be asked; else it runs out.
func (l *laneSender) release(ctx context.Context, lease Lease) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookFor)
	defer cancel()
	_ = l.store.Release(ctx, lease)
}

// follow tells the client what senders before this one used of the limit. Where the store does not know,
// the one before sent just now, perhaps.
func (l *laneSender) follow(ctx context.Context, lease Lease) error {
	if lease.Token == l.lease.Token || leaderOf(l.lane) != l.lane { // it was this one; or its leader does it
		return nil
	}
	begun, err := l.store.Begun(ctx, led(l.lane)...)
	switch {
	case errors.Is(err, ErrDamaged): // which is no reason to send nothing
		l.log(ctx, slog.LevelWarn, "outbox does not know when its lanes were sent last, and keeps the interval", slog.String("error", err.Error()))
	case err != nil:
		return err
	}
	if len(begun) == 0 && lease.Token > 1 {
		begun = []time.Time{time.Now()}
	}
	return l.client.CountTurns(l.op.ID, begun...)
}

// seeOff keeps the lane, when this sender ends, until those that it leads have ended, too: what they finish
// counts into its limit, and another would not know of it.
func (l *laneSender) seeOff(ctx context.Context) {
	beat := time.NewTicker(l.leaseFor / 4)
	defer beat.Stop()
	for _, lane := range led(l.lane) {
		for waiting := lane != l.lane; waiting; {
			select {
			case <-l.lanesEnded[lane]:
				waiting = false
			case <-ctx.Done():
				return
			case <-beat.C:
				if errors.Is(l.renew(ctx, time.Now()), ErrLost) {
					return
				}
			}
		}
	}
}

// took notes that the lane is this sender's, and so may those be that it leads.
func (l *laneSender) took(lease Lease) {
	l.lease = lease
	if l.take(l.lane, lease.Expires) {
		for _, lane := range led(l.lane) {
			if lane != l.lane {
				nudge(l.wake[lane])
			}
		}
	}
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

// ended reports whether the sender is to end.
func (l *laneSender) ended(ctx context.Context) bool {
	select {
	case <-l.stop:
		return true
	case <-ctx.Done():
		return true
	default:
		return false
	}
}
