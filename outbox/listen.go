package outbox

import (
	"context"
	"log/slog"
	"time"
)

// maxDeaf bounds the wait before the store is asked to hear again.
const maxDeaf = time.Minute

// listen wakes lanes when the store hears that something was put in them, until the sender ends. What
// it misses, the lanes find when they ask.
func (s *Sender) listen(ctx context.Context, waker Waker) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.running.Go(func() {
		select {
		case <-s.stop:
			cancel()
		case <-ctx.Done():
		}
	})
	failures := 0 // one after the other
	for {
		err := waker.Wake(ctx, func(lane Lane) {
			failures = 0
			nudge(s.wake[lane])
		})
		if ctx.Err() != nil {
			return
		}
		if failures++; failures == 1 && err != nil {
			s.logger.LogAttrs(ctx, slog.LevelWarn, "outbox hears of nothing new, and asks", slog.String("error", err.Error()))
		}
		select {
		case <-time.After(min(backoff(failures), maxDeaf)):
		case <-ctx.Done():
			return
		}
	}
}
