package main

import (
	"math"
)

// An arrival is records that came together.
type arrival struct {
	at float64
	n  int
}

// first is how many records go into the next request.
func (m *model) first(l *lane) int {
	n := 0
	for _, a := range l.waiting {
		n += a.n
	}
	return min(n, l.most)
}

// arrive draws what came since the lane was looked at.
func (m *model) arrive(l *lane) {
	for mean := (m.now - l.seen) * l.rate; mean > 0; {
		part := min(mean, 500)
		mean -= part
		if n := m.poisson(part); n > 0 {
			at := l.seen + (m.now-l.seen)*m.rng.Float64()
			l.waiting = append(l.waiting, arrival{at, n})
			l.arrived += n
			m.operations["put"] += n // each by itself, as applications do
		}
	}
	l.seen = m.now
}

func (m *model) poisson(mean float64) int {
	if mean > 30 {
		return max(0, int(math.Round(mean+math.Sqrt(mean)*m.rng.NormFloat64())))
	}
	n, p := 0, m.rng.Float64()
	for limit := math.Exp(-mean); p > limit; n++ {
		p *= m.rng.Float64()
	}
	return n
}

// deliver takes out what a request held.
func (m *model) deliver(l *lane) {
	m.latencies = append(m.latencies, m.now-l.waiting[0].at)
	for room := l.most; room > 0 && len(l.waiting) > 0; {
		n := min(room, l.waiting[0].n)
		room -= n
		l.delivered += n
		l.latency += float64(n) * (m.now - l.waiting[0].at)
		if l.waiting[0].n -= n; l.waiting[0].n == 0 {
			l.waiting = l.waiting[1:]
		}
	}
}
