package fake

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"example.com/bento-go/gen"
)

// A Fault makes the server break for one request, or for every request, of an operation. The
// request has passed every check by then. One that replaces the answer leaves no trace but in
// [Counts]; one that only delays it or cuts it off has happened all the same.
//
// Of the faults that a request meets, the first that delays the answer takes effect, the first that
// slows it, and the first that replaces it or cuts it off: what is more special goes before what is
// less.
type Fault struct {
	// Operation is an operationId, or "*" for any.
	Operation string
	// Nth is the request of that operation, from 1, that meets the fault; Every meets it each time
	// so many have passed; Percent meets it by chance, the same with the same seed. With none of
	// them each request does.
	Nth, Every, Percent int

	// Status is what to answer, 400 to 599; 0 with the others.
	Status int
	// RetryAfter accompanies a 429, in whole seconds; 0 says so too ("Retry-After: 0").
	RetryAfter time.Duration
	// HTML answers Status with a page instead of JSON.
	HTML bool
	// Reset breaks the connection without an answer.
	Reset bool
	// Truncate breaks it in the middle of the answer.
	Truncate bool
	// Delay holds the answer back; Slow sends it bit by bit, over so long. At most 5 minutes.
	Delay, Slow time.Duration
}

const maxDelay = 5 * time.Minute

// FaultSyntax explains what [ParseFaults] reads.
const FaultSyntax = "OPERATION[#N|/N|~P]=ACTION, joined by commas; OPERATION is an operationId or *, " +
	"#N meets its N-th request, /N every N-th, ~P P percent of them, " +
	"ACTION is a status such as 503, 429:SECONDS, html:STATUS, reset, truncate, delay:DURATION or slow:DURATION"

// ParseFaults reads faults such as "trackEvents#2=429:5,listTags/10=html:502,*~5=delay:200ms".
func ParseFaults(spec string) ([]Fault, error) {
	var all []Fault
	for part := range strings.SplitSeq(spec, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		f, err := parseFault(part)
		if err != nil {
			return nil, fmt.Errorf("fault %q: %w: want %s", part, err, FaultSyntax)
		}
		all = append(all, f)
	}
	return all, nil
}

func parseFault(text string) (f Fault, err error) {
	target, action, ok := strings.Cut(text, "=")
	if !ok {
		return f, errors.New("no action")
	}
	f.Operation = target
	if i := strings.IndexAny(target, "#/~"); i >= 0 {
		f.Operation = target[:i]
		field, high := map[byte]*int{'#': &f.Nth, '/': &f.Every, '~': &f.Percent}[target[i]], 1<<30
		if target[i] == '~' {
			high = 100
		}
		if *field, err = number(target[i+1:], 1, high); err != nil {
			return f, err
		}
	}
	if _, known := gen.OperationByID(f.Operation); !known && f.Operation != "*" {
		return f, fmt.Errorf("no operation %q in the contract", f.Operation)
	}
	return f, f.parseAction(action)
}

func (f *Fault) parseAction(action string) (err error) {
	verb, value, hasValue := strings.Cut(action, ":")
	switch {
	case verb == "reset" && !hasValue:
		f.Reset = true
	case verb == "truncate" && !hasValue:
		f.Truncate = true
	case verb == "delay" && hasValue:
		f.Delay, err = span(value)
	case verb == "slow" && hasValue:
		f.Slow, err = span(value)
	case verb == "html" && hasValue:
		f.HTML = true
		f.Status, err = number(value, 400, 599)
	case verb == "429" && hasValue:
		var seconds int
		seconds, err = number(value, 0, 86400)
		f.Status, f.RetryAfter = http.StatusTooManyRequests, time.Duration(seconds)*time.Second
	default:
		f.Status, err = number(action, 400, 599)
	}
	return err
}

func span(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 || d > maxDelay {
		return 0, fmt.Errorf("%q is not a duration such as 200ms, at most %v", text, maxDelay)
	}
	return d, nil
}

func number(text string, low, high int) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < low || n > high {
		return 0, fmt.Errorf("%q is not a number from %d to %d", text, low, high)
	}
	return n, nil
}

// faults is what is armed, and how many requests each operation has seen.
type faults struct {
	armed []Fault
	seen  map[string]int
	seed  uint64
	rng   *rand.Rand
}

func (f *faults) arm(armed []Fault) { f.armed = append(f.armed, armed...) }

// chance reports whether a fault of so many percent is met.
func (f *faults) chance(percent int) bool {
	if f.rng == nil {
		f.rng = rand.New(rand.NewPCG(f.seed, 0)) //nolint:gosec // the same every time is the point
	}
	return f.rng.IntN(100) < percent
}

// next counts a request of the operation and returns the faults that it meets, as one, and whether
// there are any.
func (f *faults) next(operation string) (met Fault, isAny bool) {
	if f.seen == nil {
		f.seen = map[string]int{}
	}
	f.seen[operation]++
	f.seen["*"]++
	for _, fault := range f.armed {
		if fault.Operation != operation && fault.Operation != "*" {
			continue
		}
		n := f.seen[fault.Operation]
		switch {
		case fault.Nth > 0 && fault.Nth != n:
		case fault.Every > 0 && n%fault.Every != 0:
		case fault.Percent > 0 && !f.chance(fault.Percent):
		default:
			met.join(fault)
			isAny = true
		}
	}
	return met, isAny
}

// join adds to a fault what another does and it does not do yet.
func (f *Fault) join(other Fault) {
	f.Delay, f.Slow = cmp.Or(f.Delay, other.Delay), cmp.Or(f.Slow, other.Slow)
	if !f.replaces() && !f.Truncate {
		f.Status, f.RetryAfter, f.HTML = other.Status, other.RetryAfter, other.HTML
		f.Reset, f.Truncate = other.Reset, other.Truncate
	}
}

// replaces reports whether the fault stands in for the answer.
func (f *Fault) replaces() bool { return f.Reset || f.Status != 0 }

// spoil makes of an answer what the fault does to it.
func (f *Fault) spoil(r reply) reply {
	r.delay, r.slow, r.truncate = f.Delay, f.Slow, f.Truncate
	return r
}

func (f *Fault) reply() reply {
	switch {
	case f.Reset:
		return reply{reset: true}
	case f.HTML:
		return page(f.Status)
	case f.Status == http.StatusTooManyRequests:
		return rateLimited(f.RetryAfter)
	default:
		return fail(f.Status, http.StatusText(f.Status))
	}
}
