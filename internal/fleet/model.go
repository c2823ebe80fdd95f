package main

import (
	"container/heap"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// A plan is a fleet, and what befalls it. Times are in seconds.
type plan struct {
	Sites, Relays int
	PerSite       int     // relays that serve a site, chosen by chance; each lane is one's at a time
	Events        float64 // a second, of all sites; a few sites have most of them
	Emails        float64 // a second, of all sites
	Lease, Poll   float64 // how long a lane stays a dead relay's; how often a relay asks for lanes it has not
	Idle          float64 // how often the sender of a lane that is empty asks for more
	Lifetime      float64 // of a relay, on average
	Restart       float64 // until it is there again
	Killed        float64 // share of the ends that are no orderly ones
	Limit         float64 // requests a minute, of a site's events; an email is one of 60
	Answer        float64 // how long Bento takes, on average
	Parallel      int     // requests a relay makes at a time
	Duration      float64
	Seed          uint64
}

const batchMax = 1000

// A lane is a site's events or emails.
type lane struct {
	site    int
	rate    float64 // arrivals a second
	most    int     // records in a request
	every   float64 // seconds between requests, by the pace
	relays  []int   // that serve it
	holder  int     // -1: nobody
	token   int     // grows with each holder: what was planned for another is void
	lost    float64 // when its holder was killed; 0 if it was not
	seen    float64 // up to when arrivals are drawn
	waiting []arrival
	next    float64 // when the pace lets a request go

	arrived, delivered, resent int
	latency                    float64 // sum over delivered
}

// A relay is a process.
type relay struct {
	alive  bool
	flying int
	lanes  int
}

// A model runs a plan.
type model struct {
	plan
	rng    *rand.Rand
	now    float64
	agenda agenda
	lanes  []*lane
	relays []*relay

	operations map[string]int
	takeovers  []float64
	latencies  []float64 // of batches, by their oldest record
	busiest    int       // lanes of one relay
	requests   int
}

func run(p plan) *model {
	m := &model{plan: p, rng: rand.New(rand.NewPCG(p.Seed, 0)), operations: map[string]int{}} //nolint:gosec // a simulation
	for range p.Relays {
		m.relays = append(m.relays, &relay{alive: true})
	}
	weights := 0.0
	for site := range p.Sites {
		weights += 1 / float64(site+1)
	}
	for site := range p.Sites {
		share := 1 / float64(site+1) / weights // Zipf
		serving := m.rng.Perm(p.Relays)[:p.PerSite]
		m.lanes = append(m.lanes,
			&lane{site: site, rate: p.Events * share, most: batchMax, every: 60 / p.Limit, relays: serving, holder: -1},
			&lane{site: site, rate: p.Emails * share, most: 1, every: 1, relays: serving, holder: -1})
	}
	for _, l := range m.lanes {
		m.claim(l, 0)
	}
	for r := range m.relays {
		m.after(m.rng.ExpFloat64()*p.Lifetime, func() { m.end(r) })
	}
	for m.agenda.Len() > 0 {
		next := heap.Pop(&m.agenda).(happening)
		if next.at > p.Duration {
			break
		}
		m.now = next.at
		next.do()
	}
	m.now = p.Duration
	m.polls()
	return m
}

// claim gives a lane to the first of its relays that asks for it, from a moment on.
func (m *model) claim(l *lane, from float64) {
	first, at := -1, math.Inf(1)
	for _, r := range l.relays {
		if asks := m.rng.Float64() * m.Poll; m.relays[r].alive && asks < at {
			first, at = r, asks
		}
	}
	l.token++
	token := l.token
	if first < 0 { // none is alive: one that starts will ask
		m.after(max(from-m.now, 0)+m.Poll, func() {
			if l.token == token {
				m.claim(l, m.now)
			}
		})
		return
	}
	m.after(max(from-m.now, 0)+at, func() {
		if l.token != token {
			return
		}
		if !m.relays[first].alive {
			m.claim(l, m.now)
			return
		}
		l.holder = first
		m.operations["acquire"]++
		m.relays[first].lanes++
		m.busiest = max(m.busiest, m.relays[first].lanes)
		if l.lost > 0 {
			m.takeovers = append(m.takeovers, m.now-l.lost)
			l.lost = 0
		}
		m.renew(l, token)
		m.step(l, token)
	})
}

// renew extends the lease of whoever holds the lane, as long as it does.
func (m *model) renew(l *lane, token int) {
	m.after(m.Lease/3, func() {
		if l.token == token {
			m.operations["renew"]++
			m.renew(l, token)
		}
	})
}

// step is what the sender of a lane does next.
func (m *model) step(l *lane, token int) {
	if l.token != token {
		return
	}
	again := func(in float64) { m.after(in, func() { m.step(l, token) }) }
	r := m.relays[l.holder]
	if r.flying >= m.Parallel {
		again(0.05)
		return
	}
	if wait := l.next - m.now; wait > 0 {
		again(wait)
		return
	}
	m.operations["next"]++
	m.arrive(l)
	if len(l.waiting) == 0 {
		again(m.Idle)
		return
	}
	r.flying++
	m.requests++
	m.operations["begin"]++
	l.next = m.now + l.every
	m.after(m.rng.ExpFloat64()*m.Answer, func() {
		r.flying--
		if l.token != token { // its relay died: another sends it again, or parks it
			l.resent += m.first(l)
			return
		}
		m.operations["settle"]++
		m.deliver(l)
		m.step(l, token)
	})
}

// end ends a relay, and starts it again.
func (m *model) end(r int) {
	m.relays[r].alive, m.relays[r].lanes = false, 0
	killed := m.rng.Float64() < m.Killed
	for _, l := range m.lanes {
		if l.holder != r {
			continue
		}
		l.holder, l.lost = -1, 0
		free := m.now
		if killed { // the lease has to run out: it was renewed at some time within its last third
			free += m.Lease * (2 + m.rng.Float64()) / 3
			l.lost = m.now
		}
		m.claim(l, free)
	}
	m.after(m.Restart, func() {
		m.relays[r].alive = true
		m.after(m.rng.ExpFloat64()*m.Lifetime, func() { m.end(r) })
	})
}

// polls counts what the relays ask for that hold a lane not: all the time, and in vain.
func (m *model) polls() {
	m.operations["poll"] = int(float64(len(m.lanes)) * float64(m.PerSite-1) * m.Duration / m.Poll)
}

// quantile of a sample, which it sorts.
func quantile(sample []float64, q float64) time.Duration {
	if len(sample) == 0 {
		return 0
	}
	slices.Sort(sample)
	at := min(int(q*float64(len(sample))), len(sample)-1)
	return time.Duration(sample[at] * float64(time.Second)).Round(10 * time.Millisecond)
}
