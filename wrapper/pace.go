package bento

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"example.com/bento-go/gen"
)

// A Pace says how fast a client asks, per limit family of the contract (x-bento-limits). All
// goroutines of a client share it.
type Pace int

const (
	// PaceGuarded keeps below the lower of the contract's two figures, which is most often that of
	// Bento's newer guardrails. It is the default.
	PaceGuarded Pace = iota
	// PaceDocumented keeps below the figure of Bento's access page.
	PaceDocumented
	// PaceOff asks as fast as the program does, and leaves it to Bento to refuse.
	PaceOff
)

// maxPause bounds how long one 429 shuts a family, whatever its Retry-After says: a program
// without a deadline would hang for as long.
const maxPause = 2 * time.Minute

// headroom is the part of a limit that is used: clocks and networks differ a little.
const headroom = 0.97

// interval is the time between two requests of a family.
func (p Pace) interval(family gen.LimitFamily) time.Duration {
	rate := family.Documented
	if p == PaceGuarded && perSecond(family.Guarded) < perSecond(rate) {
		rate = family.Guarded
	}
	if p == PaceOff || rate.Requests == 0 {
		return 0
	}
	return time.Duration(1 / (headroom * perSecond(rate)) * float64(time.Second))
}

func perSecond(r gen.Rate) float64 { return float64(r.Requests) / r.Per.Seconds() }

func (p Pace) validate() error {
	if p < PaceGuarded || p > PaceOff {
		return fmt.Errorf("WithPace: there is no pace %d: want PaceGuarded, PaceDocumented or PaceOff", p)
	}
	return nil
}

// NewPaceTransport returns a transport that sends through next at the pace, for use below a bare
// generated client and below [NewRetryTransport]. A nil next is http.DefaultTransport. Requests
// wait their turn in the order in which they came; one that would wait past its deadline fails
// at once, unsent. After a 429 the whole family waits as long as Retry-After says, two
// minutes at most.
func NewPaceTransport(next http.RoundTripper, p Pace) http.RoundTripper {
	if next == nil {
		next = http.DefaultTransport
	}
	return &paceTransport{next: next, pace: p, families: map[string]*turnstile{}}
}

type paceTransport struct {
	next     http.RoundTripper
	pace     Pace
	mu       sync.Mutex
	families map[string]*turnstile
}

func (t *paceTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	op, known := gen.MatchOperation(req.Method, req.URL.Path)
	interval := t.pace.interval(op.Limit)
	if !known || interval == 0 {
		return t.next.RoundTrip(req)
	}
	family := t.family(op.Limit.Name)
	if err := family.pass(req.Context(), interval); err != nil {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, &attemptError{cause: err, final: true}
	}
	resp, err := t.next.RoundTrip(req)
	if err == nil && resp.StatusCode == http.StatusTooManyRequests {
		family.pause(min(retryAfter(resp.Header, time.Now()), maxPause))
	}
	return resp, err
}

func (t *paceTransport) family(name string) *turnstile {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.families[name]
	if f == nil {
		f = &turnstile{gate: make(chan struct{}, 1)}
		t.families[name] = f
	}
	return f
}

// A turnstile lets one request through at a time, an interval apart. Whoever stands in the gate
// waits for the next opening; the others queue behind in the order in which they came.
type turnstile struct {
	gate chan struct{}
	mu   sync.Mutex
	open time.Time // when it opens next
}

func (f *turnstile) pass(ctx context.Context, interval time.Duration) error {
	select {
	case f.gate <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-f.gate }()
	for { // a 429 may put the opening off while somebody waits for it
		wait := f.wait()
		if wait <= 0 {
			break
		}
		if deadline, bounded := ctx.Deadline(); bounded && time.Until(deadline) < wait {
			return context.DeadlineExceeded
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
	f.pause(interval)
	return nil
}

func (f *turnstile) wait() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return time.Until(f.open)
}

// pause keeps the turnstile shut for d at least.
func (f *turnstile) pause(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if open := time.Now().Add(d); open.After(f.open) {
		f.open = open
	}
}
