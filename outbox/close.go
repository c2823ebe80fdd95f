package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A RemainingError says what Flush and Close leave: it is in the store, and will be sent by the next
// sender.
type RemainingError struct {
	Waiting int // queued, or being sent
	Parked  int // for a person to decide
	cause   error
}

func (e *RemainingError) Error() string {
	waiting := fmt.Sprintf("%d entries wait", e.Waiting)
	if e.Waiting == 1 {
		waiting = "1 entry waits"
	}
	return fmt.Sprintf("outbox: %s in the store, and %d parked", waiting, e.Parked)
}

func (e *RemainingError) Unwrap() error { return e.cause }

const (
	// maxBlind is how long Flush looks in vain whether anything waits.
	maxBlind = 30 * time.Second
	// lookFor bounds one look, also after ctx has ended: a store may hang.
	lookFor = 5 * time.Second
)

// Flush returns when no entry of the store is queued or being sent, whoever sends it; or when ctx ends: the
// error is then a [*RemainingError]. What is parked does not count: it is for a person. It gives up, with the
// store's error, when that could not be asked for half a minute. While a lane is paused, or nobody sends, only
// ctx ends it.
func (s *Sender) Flush(ctx context.Context) error {
	timer := time.NewTicker(s.poll)
	defer timer.Stop()
	for seen := time.Now(); ; {
		idle, err := s.idle(ctx)
		var settled <-chan struct{}
		switch {
		case err == nil && idle:
			return nil
		case err == nil:
			seen, settled = time.Now(), s.settled
		case errors.Is(err, ErrClosed), errors.Is(err, ErrDamaged), time.Since(seen) > maxBlind:
			return err
		}
		select {
		case <-settled:
		case <-timer.C:
		case <-ctx.Done():
		}
		if ctx.Err() != nil { // also where a look took so long that the ticker was ready, too
			return s.remaining(ctx, ctx.Err())
		}
	}
}

func (s *Sender) idle(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookFor)
	defer cancel()
	return s.store.Idle(ctx)
}

func (s *Sender) remaining(ctx context.Context, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookFor)
	defer cancel()
	stats, err := s.store.Stats(ctx)
	if err != nil {
		return errors.Join(cause, err)
	}
	return &RemainingError{Waiting: stats.Waiting(), Parked: stats.Parked(), cause: cause}
}

// finishFor is how long Close waits for what is in flight, when its context is over.
const finishFor = 5 * time.Second

// Close takes no more, goes on sending until [Sender.Flush] returns, then ends Run as [Sender.Stop] does,
// with five seconds more for what is in flight. Give it a ctx with a deadline: while a lane is paused, or Run
// does not run, nothing else ends the wait. A store that hangs keeps it up to a minute longer. What is left
// stays in the store, and the [*RemainingError] says how much. The store is the caller's to close.
func (s *Sender) Close(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	err := s.Flush(ctx)
	finish, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishFor)
	defer cancel()
	s.Stop(finish)
	if left := (*RemainingError)(nil); errors.As(err, &left) { // perhaps it is less now
		if err = s.remaining(ctx, ctx.Err()); errors.As(err, &left) && left.Waiting == 0 {
			return nil
		}
	}
	return err
}

// Stop begins nothing new, lets what is in flight finish, and ends Run. When ctx ends before, what is in
// flight is broken off: events arrive again, emails are parked. What waits stays in the store.
func (s *Sender) Stop(ctx context.Context) {
	s.mu.Lock()
	if !s.stopped {
		s.stopped = true
		close(s.stop)
	}
	cuts := s.cuts
	s.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		s.running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return
	case <-ctx.Done():
	}
	for _, cut := range cuts {
		cut()
	}
	<-ended
}
