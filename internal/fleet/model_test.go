package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func small() plan {
	p := usual
	p.Sites, p.Relays, p.Events, p.Emails, p.Lifetime, p.Duration = 40, 8, 400, 5, 60, 120
	return p
}

// What came is delivered or waits; who died is followed within the lease.
func TestNothingIsLostInTheModel(t *testing.T) {
	t.Parallel()
	m := run(small())
	for _, l := range m.lanes {
		waiting := 0
		for _, a := range l.waiting {
			waiting += a.n
		}
		assert.Equal(t, l.arrived, l.delivered+waiting)
	}
	assert.NotEmpty(t, m.takeovers)
	for _, took := range m.takeovers {
		assert.LessOrEqual(t, took, m.Lease+3*m.Poll+m.Restart)
	}
	s := summarize(m)
	assert.Greater(t, s.delivered, 0.9)
	assert.Greater(t, s.fairness, 0.9)
}

func TestTheModelSaysTheSameTwice(t *testing.T) {
	t.Parallel()
	var first, second bytes.Buffer
	print(&first, small(), variants[:2])
	print(&second, small(), variants[:2])
	assert.Equal(t, first.String(), second.String())
	for line := range strings.SplitSeq(first.String(), "\n") {
		assert.LessOrEqual(t, len(line), 80, line)
	}
}

// The limits are kept: a site with more than they allow waits, and takes nothing from the others.
func TestASiteThatIsTooBusyHarmsNoOther(t *testing.T) {
	t.Parallel()
	p := small()
	p.Events = 40_000 // the first site alone has more than 58,000 a minute
	m := run(p)
	for _, l := range m.lanes {
		if l.most == batchMax {
			assert.LessOrEqual(t, l.delivered, int(m.Duration/l.every+1)*batchMax)
		}
	}
	busy, last := m.lanes[0], m.lanes[len(m.lanes)-2]
	assert.NotEmpty(t, busy.waiting)
	assert.Greater(t, float64(last.delivered)/float64(last.arrived), 0.95)
}
