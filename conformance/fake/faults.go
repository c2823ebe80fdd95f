package fake

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"example.com/bento-go/gen"
)

// A Fault makes the server break for one request, or for every request, of an operation. The
// request has passed every check by then, and leaves no trace but in [Counts].
type Fault struct {
	// Operation is an operationId, or "*" for any.
	Operation string
	// Nth is the request of that operation, from 1, that meets the fault; 0 means each.
	Nth int
	// Status is what to answer, 400 to 599; 0 with Reset.
	Status int
	// RetryAfter accompanies a 429, in whole seconds; 0 says so too ("Retry-After: 0").
	RetryAfter time.Duration
	// HTML answers Status with a page instead of JSON.
	HTML bool
	// Reset breaks the connection without an answer.
	Reset bool
}

// FaultSyntax explains what [ParseFaults] reads.
const FaultSyntax = "OPERATION[#N]=ACTION, joined by commas; OPERATION is an operationId or *, " +
	"N counts its requests from 1, ACTION is a status such as 503, 429:SECONDS, html:STATUS, or reset"

// ParseFaults reads faults such as "trackEvents#2=429:5,listTags=html:502,*#7=reset".
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
	name, nth, numbered := strings.Cut(target, "#")
	f.Operation = name
	if _, known := gen.OperationByID(name); !known && name != "*" {
		return f, fmt.Errorf("no operation %q in the contract", name)
	}
	if numbered {
		if f.Nth, err = number(nth, 1, 1<<30); err != nil {
			return f, err
		}
	}
	return f, f.parseAction(action)
}

func (f *Fault) parseAction(action string) (err error) {
	verb, value, hasValue := strings.Cut(action, ":")
	switch {
	case verb == "reset" && !hasValue:
		f.Reset = true
		return nil
	case verb == "html" && hasValue:
		f.HTML = true
		f.Status, err = number(value, 400, 599)
		return err
	case verb == "429" && hasValue:
		seconds, err := number(value, 0, 86400)
		f.Status, f.RetryAfter = http.StatusTooManyRequests, time.Duration(seconds)*time.Second
		return err
	default:
		f.Status, err = number(action, 400, 599)
		return err
	}
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
}

func (f *faults) arm(armed []Fault) { f.armed = append(f.armed, armed...) }

// next counts a request of the operation and returns the fault that it meets, or nil.
func (f *faults) next(operation string) *Fault {
	if f.seen == nil {
		f.seen = map[string]int{}
	}
	f.seen[operation]++
	f.seen["*"]++
	for i, fault := range f.armed {
		if fault.Operation != operation && fault.Operation != "*" {
			continue
		}
		if fault.Nth == 0 || fault.Nth == f.seen[fault.Operation] {
			return &f.armed[i]
		}
	}
	return nil
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
