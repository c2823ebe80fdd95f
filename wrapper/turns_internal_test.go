package bento

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"example.com/bento-go/gen"
)

// Whoever sets the clock afterwards sets no gate: what others told is kept by the clock that nobody sets.
// Simulated time has no other, so the readings themselves are looked at.
func TestWhatOthersTellIsKeptByTheClockThatNobodySets(t *testing.T) {
	t.Parallel()
	g, now := newGate("fetch", gen.Rate{Requests: 60, Per: time.Minute}), time.Now()
	g.count(now, []time.Time{now.Add(-time.Second).Round(0), now.Add(-3 * time.Second).Round(0)})
	for _, at := range append(g.passed, g.open) {
		assert.NotEqual(t, at.Round(0), at, "it has a reading of the monotonic clock")
	}
}

// A minute's gate for sixty requests, and a time at which it has let one through.
func usedGate() (g *gate, at time.Time) {
	g, at = newGate("fetch", gen.Rate{Requests: 60, Per: time.Minute}), time.Now()
	g.next(at)
	return g, at
}

// Who sent a request notes it a little later. What is told of a time beside an own turn is that turn.
func TestAnOwnTurnIsKnownByItsTime(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	for _, tc := range []struct {
		own, told []time.Duration
		others    int
	}{
		{[]time.Duration{0}, []time.Duration{0}, 0},
		{[]time.Duration{0}, []time.Duration{250 * ms}, 0},
		{[]time.Duration{0}, []time.Duration{251 * ms}, 1},
		{[]time.Duration{0}, []time.Duration{-ms + 1}, 0},
		{[]time.Duration{0}, []time.Duration{-ms}, 1},
		{[]time.Duration{0}, []time.Duration{-time.Second}, 1},
		{[]time.Duration{0}, []time.Duration{0, 100 * ms}, 1},
		{[]time.Duration{0, 200 * ms}, []time.Duration{200 * ms, 0}, 0},
		{[]time.Duration{0, time.Second}, []time.Duration{time.Second}, 0},
		{[]time.Duration{0, time.Second}, []time.Duration{500 * ms, 1100 * ms}, 1},
	} {
		g, now := newGate("fetch", gen.Rate{Requests: 60, Per: time.Minute}), time.Now()
		var told []time.Time
		for _, at := range tc.own {
			g.passed = append(g.passed, now.Add(at-2*time.Second))
		}
		for _, at := range tc.told {
			told = append(told, now.Add(at-2*time.Second))
		}
		g.count(now, told)
		assert.Len(t, g.passed, len(tc.own)+tc.others, "%v, told of %v", tc.own, tc.told)
		assert.True(t, slices.IsSortedFunc(g.passed, time.Time.Compare))
	}
}

// What others did a window ago opens nothing earlier, and nothing that they did opens what a refusal shut.
func TestAGateOpensAfterTheLastTurnOfAll(t *testing.T) {
	t.Parallel()
	g, now := usedGate()
	assert.Equal(t, now.Add(g.interval()), g.after([]time.Time{now.Add(-2 * time.Minute), now}, now))
	g.refused(time.Minute)
	shut := g.open
	g.count(now, []time.Time{now.Add(-time.Second)})
	assert.Equal(t, shut, g.open)
	g.giveBack(now)
	assert.Equal(t, shut, g.open, "a turn that was not used shortens no pause")
}

// What others did puts off what a slow gate had open.
func TestTheTurnsOfOthersPutOffASlowGate(t *testing.T) {
	t.Parallel()
	g, now := usedGate()
	g.speed, g.open = 0.5, now
	g.count(now, []time.Time{now.Add(-time.Second)})
	assert.Equal(t, now.Add(g.interval()), g.open)
}

// Who was slowed down makes up for nothing.
func TestASlowGateKeepsItsInterval(t *testing.T) {
	t.Parallel()
	g, now := usedGate()
	g.speed, g.stepped = 0.5, now
	later := now.Add(30 * time.Second)
	assert.Zero(t, g.next(later))
	assert.Equal(t, later.Add(g.interval()), g.open)
}

// A turn that an hour's gate gave back is there again, beyond its first quarter, too.
func TestAnHoursTurnIsGivenBack(t *testing.T) {
	t.Parallel()
	g, now := newGate("stats", gen.Rate{Requests: 8, Per: time.Hour}), time.Now()
	for range 2 {
		assert.Zero(t, g.next(now))
	}
	at := now.Add(g.interval())
	assert.Zero(t, g.next(at))
	g.giveBack(at)
	assert.Zero(t, g.next(at))
}
