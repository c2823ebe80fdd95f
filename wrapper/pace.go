package bento

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"example.com/bento-go/gen"
)

// A Pace says how fast a client asks, per limit family of the contract (x-bento-limits). All
// goroutines of a client share it; other clients do not, and Bento's guardrails count by IP
// address: where several clients share one, let each have its part ([Pace.With]). The zero Pace
// is [PaceGuarded].
type Pace struct {
	figure figure
	own    map[string]gen.Rate // by family; never changed once it is here
}

type figure int

const (
	guarded figure = iota
	documented
	none
)

var (
	// PaceGuarded keeps below the lower of the contract's two figures, which is most often that of
	// Bento's newer guardrails. It is the default.
	PaceGuarded = Pace{figure: guarded}
	// PaceDocumented keeps below the figure of Bento's access page.
	PaceDocumented = Pace{figure: documented}
	// PaceOff asks as fast as the program does, and leaves it to Bento to refuse.
	PaceOff = Pace{figure: none}
)

// With returns a Pace that keeps below n requests, 1 or more, in a span of time, at most 31 days, for
// one family of the contract's, such as batch, and is p for all others: for an account whose limits
// differ. What is out of range is refused by [New] and [NewPaceTransport].
func (p Pace) With(family string, n int, per time.Duration) Pace {
	own := maps.Clone(p.own)
	if own == nil {
		own = map[string]gen.Rate{}
	}
	own[family] = gen.Rate{Requests: n, Per: per}
	return Pace{p.figure, own}
}

// limit is the rate of a family; zero asks for none.
func (p Pace) limit(family gen.LimitFamily) gen.Rate {
	if own, ok := p.own[family.Name]; ok {
		return own
	}
	rate := family.Documented
	if p.figure == guarded && family.Guarded.Requests > 0 && perSecond(family.Guarded) < perSecond(rate) {
		rate = family.Guarded
	}
	if p.figure == none {
		return gen.Rate{}
	}
	return rate
}

func perSecond(r gen.Rate) float64 { return float64(r.Requests) / r.Per.Seconds() }

func (p Pace) validate() error {
	known := map[string]bool{}
	for _, op := range gen.Operations() {
		known[op.Limit.Name] = true
	}
	for family, rate := range p.own {
		if !known[family] {
			return fmt.Errorf("Pace: there is no limit family %q: want one of %s", family, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		}
		if rate.Requests < 1 || rate.Per <= 0 || rate.Per > maxPer {
			return fmt.Errorf("Pace: %d requests to %s in %v: want at least 1, in at most %v", rate.Requests, family, rate.Per, maxPer)
		}
	}
	return nil
}

const maxPer = 31 * 24 * time.Hour

// NewPaceTransport returns a transport that sends through next at the pace, for use below a bare
// generated client and below [NewRetryTransport]. A nil next is http.DefaultTransport. Requests
// wait their turn in the order in which they came; one whose turn comes after its deadline fails
// at once, unsent.
//
// Turns that were not used are made up for, those of a quarter of the window at most, and never more than
// the limit asked in any window: a client that was held up does not fall behind. A new client has none, but
// see [Client.CountTurns].
//
// A 429 shuts the whole family for as long as its Retry-After says, two minutes at most, and
// slows it down; without further ones it recovers step by step. Of a family that is limited by
// the hour or the day, the first requests, a quarter of the limit, need not wait.
//
// If the pace is out of its range, every request fails, unsent, with [ErrInvalid].
func NewPaceTransport(next http.RoundTripper, p Pace) http.RoundTripper {
	if err := p.validate(); err != nil {
		return misused{err}
	}
	return newPaceTransport(next, p)
}

func newPaceTransport(next http.RoundTripper, p Pace) *paceTransport {
	if next == nil {
		next = http.DefaultTransport
	}
	return &paceTransport{next: next, pace: p, gates: map[string]*gate{}}
}

type paceTransport struct {
	next  http.RoundTripper
	pace  Pace
	mu    sync.Mutex
	gates map[string]*gate
}

func (t *paceTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	op, _ := operationOf(req) // one that the contract does not know has no limit
	limit := t.pace.limit(op.Limit)
	if limit.Requests == 0 {
		return t.next.RoundTrip(req)
	}
	g := t.gate(op.Limit.Name, limit)
	at, err := g.pass(req.Context())
	if err != nil {
		return unsent(req, err)
	}
	resp, err := t.next.RoundTrip(req)
	switch {
	case isFinal(err):
		g.giveBack(at)
	case err == nil && resp.StatusCode == http.StatusTooManyRequests:
		g.refused(retryAfter(resp.Header, time.Now()))
	case err == nil:
		g.accepted()
	}
	return resp, err
}

func (t *paceTransport) gate(family string, limit gen.Rate) *gate {
	t.mu.Lock()
	defer t.mu.Unlock()
	g := t.gates[family]
	if g == nil {
		g = newGate(family, limit)
		t.gates[family] = g
	}
	return g
}
