package outbox

import (
	"slices"
	"sync"
	"time"
)

// A usage is what a sender knows of how much of a limit is used, by the lane that leads those who share it.
type usage struct {
	mu     sync.Mutex
	own    map[Lane]time.Time   // when it began entries last
	others map[Lane][]time.Time // when others did since, until its client counts them
}

func newUsage() usage { return usage{own: map[Lane]time.Time{}, others: map[Lane][]time.Time{}} }

// note says that this sender begins entries of a lane, which its client counts by itself.
func (u *usage) note(lane Lane, now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.own[leaderOf(lane)] = now
}

// learn takes in when entries of the lanes were begun that a lane leads, by whomever: those that are later
// than this sender's own, by more than what stores round.
func (u *usage) learn(leader Lane, begun []time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	own := u.own[leader].Add(time.Millisecond)
	u.others[leader] = slices.DeleteFunc(begun, func(at time.Time) bool { return !at.After(own) })
}

// uncounted hands over when others began entries whose limit a lane has, once.
func (u *usage) uncounted(lane Lane) []time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	defer delete(u.others, leaderOf(lane))
	return u.others[leaderOf(lane)]
}
