package bento

import (
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
