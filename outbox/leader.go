package outbox

import (
	"sync"
	"time"
)

// Lanes that share a limit of Bento's are sent by one sender, since only its client knows how much of
// the limit is used: whoever has the first of them may have the others. A lane of its own limit leads
// itself.

// leaderOf is the lane that leads another.
func leaderOf(lane Lane) Lane {
	for _, first := range Lanes {
		if first.operation().Limit.Name == lane.operation().Limit.Name {
			return first
		}
	}
	return lane
}

// led are the lanes that a lane leads, itself included.
func led(leader Lane) (all []Lane) {
	for _, lane := range Lanes {
		if leaderOf(lane) == leader {
			all = append(all, lane)
		}
	}
	return all
}

// leaders are the lanes that a sender has, and until when.
type leaders struct {
	mu   sync.Mutex
	held map[Lane]time.Time
}

// take notes until when a lane is the sender's. It reports whether it was not before.
func (l *leaders) take(lane Lane, until time.Time) (anew bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	anew = !time.Now().Before(l.held[lane])
	l.held[lane] = until
	return anew
}

func (l *leaders) drop(lane Lane) { l.take(lane, time.Time{}) }

// has reports whether a lane is the sender's for a while yet, by the wall clock: a machine may have slept.
func (l *leaders) has(lane Lane, while time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Now().Round(0).Add(while).Before(l.held[lane])
}

// leads reports whether the sender may have a lane.
func (l *leaders) leads(lane Lane) bool {
	leader := leaderOf(lane)
	l.mu.Lock()
	defer l.mu.Unlock()
	return lane == leader || time.Now().Before(l.held[leader])
}
