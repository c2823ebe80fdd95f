package bento

import (
	"sync"
	"time"
)

// WithTurnsTaken says when other clients that share the limit have sent lately, in any order, and that none
// of them sends any more: their turns count as if they had been this client's own. A client that takes over
// from one that was killed makes up so for the turns that were missed in between, and the two together ask
// no more than the limit in any window. A time to come is now. The first call of the client says it, and no
// other.
func WithTurnsTaken(at ...time.Time) CallOption {
	return callOption(func(s *callSettings) error {
		now := time.Now()
		s.taken = &turns{}
		for _, t := range at {
			if t.After(now) {
				t = now
			}
			s.taken.at = append(s.taken.at, t)
		}
		return nil
	})
}

// turns are those that other clients took, until they are counted.
type turns struct {
	mu sync.Mutex
	at []time.Time
}

// take hands them over, once: to the first attempt of a call.
func (t *turns) take() (at []time.Time) {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	at, t.at = t.at, nil
	return at
}
