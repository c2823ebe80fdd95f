package outbox

import (
	"log/slog"
	"sync"
	"time"
)

// Stats are counts at a moment. As JSON they are what `bentoctl outbox status --json` prints, and fit
// for expvar.Func.
type Stats struct {
	Lanes map[Lane]LaneStats `json:"lanes"`
	// Refused counts what Enqueue did not take, since this sender began: its caller was told.
	Refused map[Cause]int64 `json:"refused,omitempty"`
}

// LaneStats are those of a lane.
type LaneStats struct {
	// States counts the entries that are kept. Accepted ones without a key are not.
	States map[State]int `json:"states"`
	// Oldest is when the first entry that waits, by ID, was enqueued; zero if none does.
	Oldest time.Time `json:"oldest,omitzero"`
	Paused string    `json:"paused,omitempty"` // why
	// Sender holds the lane until Lease ends; empty if nobody does, or it was given up.
	Sender string    `json:"sender,omitempty"`
	Lease  time.Time `json:"lease,omitzero"`
	// Totals counts verdicts and decisions ever: by the state that entries came to, and by the cause.
	// Those that came to be queued are attempts that did not succeed.
	Totals map[State]map[Cause]int64 `json:"totals,omitempty"`
	// Rate is how many records a second Bento accepted in the last minute, of this sender.
	Rate float64 `json:"rate"`
}

// Depth is how many entries of the lane are still to be delivered.
func (s LaneStats) Depth() int { return s.States[Queued] + s.States[Sending] }

// LogValue implements slog.LogValuer: what an operator wants to see grow, or not.
func (s LaneStats) LogValue() slog.Value {
	attrs := []slog.Attr{slog.Int("depth", s.Depth()), slog.Int("parked", s.States[Parked]), slog.Int("failed", s.States[Failed]), slog.Float64("rate", s.Rate)}
	if !s.Oldest.IsZero() {
		attrs = append(attrs, slog.Time("oldest", s.Oldest))
	}
	if s.Paused != "" {
		attrs = append(attrs, slog.String("paused", s.Paused))
	}
	return slog.GroupValue(attrs...)
}

// Total is how many verdicts and decisions ever came to a state, whatever the cause.
func (s LaneStats) Total(state State) (n int64) {
	for _, of := range s.Totals[state] {
		n += of
	}
	return n
}

// Count adds to Totals; for stores.
func (s *LaneStats) Count(state State, cause Cause, n int64) {
	if s.Totals == nil {
		s.Totals = map[State]map[Cause]int64{}
	}
	if s.Totals[state] == nil {
		s.Totals[state] = map[Cause]int64{}
	}
	s.Totals[state][cause] += n
}

// Waiting is how many entries are still to be delivered.
func (s Stats) Waiting() (n int) {
	for _, lane := range s.Lanes {
		n += lane.Depth()
	}
	return n
}

// Parked is how many entries wait for a person.
func (s Stats) Parked() (n int) {
	for _, lane := range s.Lanes {
		n += lane.States[Parked]
	}
	return n
}

// A meter tells how much came in the last minute.
type meter struct {
	mu      sync.Mutex
	seconds [60]int
	last    int64 // second since 1970 that seconds goes up to
}

func (m *meter) add(n int, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.move(now)
	m.seconds[m.last%60] += n
}

func (m *meter) rate(now time.Time) float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.move(now)
	sum := 0
	for _, n := range m.seconds {
		sum += n
	}
	return float64(sum) / 60
}

// move empties the seconds that nothing was counted in.
func (m *meter) move(now time.Time) {
	to := now.Unix()
	if to-m.last >= 60 || to < m.last { // long ago, or the clock was set back
		m.seconds = [60]int{}
		m.last = to
	}
	for ; m.last < to; m.last++ {
		m.seconds[(m.last+1)%60] = 0
	}
}
