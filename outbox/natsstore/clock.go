package natsstore

import (
	"context"
	"sync/atomic"
	"time"
)

// tellClockAgain is after how long it is said again that the clocks differ.
const tellClockAgain = 10 * time.Minute

// A clock is this machine's. It is compared with the server's, whose answers tell theirs.
type clock struct {
	behind atomic.Int64 // nanoseconds that a test sets it back by
	told   atomic.Int64 // when it was said last that it is wrong, in nanoseconds
}

func (c *clock) now() time.Time { return time.Now().Add(-time.Duration(c.behind.Load())) }

// ahead is by how much a server's time is later than any at which it may have been told; below zero if it is
// earlier.
func ahead(told, asked, heard time.Time) time.Duration {
	switch {
	case told.IsZero(): // an answer without it
		return 0
	case told.Before(asked):
		return told.Sub(asked.Round(0))
	default:
		return max(0, told.Sub(heard.Round(0)))
	}
}

// agrees reports whether this machine's clock and the server's differ by less than a third of a lease, and
// warns if not.
func (s *Store) agrees(ctx context.Context, ahead time.Duration, ttl int64) bool {
	if ttl == 0 || ahead.Abs() <= time.Duration(ttl/3) {
		return true
	}
	last, now := s.clock.told.Load(), time.Now().UnixNano()
	if now-last > int64(tellClockAgain) && s.clock.told.CompareAndSwap(last, now) {
		s.logger.WarnContext(ctx, "natsstore: the clocks of this machine and of the server differ by more than a third of a lease: set them right, or senders take lanes from one another", "server ahead by", ahead.Round(time.Second).String())
	}
	return false
}
