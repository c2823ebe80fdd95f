package gen

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// What operations.gen.go is made of. The tables there come from the contract's x-bento-*
// extensions; the types and the look-ups here are written by hand.

// A RetryClass says what a client may send again without asking anybody (x-bento-retry).
type RetryClass string

const (
	// RetrySafe says that a repeat changes nothing: after 429, 5xx, and when no answer came.
	RetrySafe RetryClass = "safe"
	// RetryAnswered allows it after 429 and 5xx; when no answer came, only if every record is
	// repeatable, since it may have happened.
	RetryAnswered RetryClass = "answered"
	// RetryRejected allows only what surely did not happen: 429, or a connection never made;
	// the rest only if every record is repeatable.
	RetryRejected RetryClass = "rejected"
	// RetryNever allows nothing; a person decides.
	RetryNever RetryClass = "never"
)

// A Rate is a number of requests, or records, in a span of time.
type Rate struct {
	Requests int
	Per      time.Duration
}

// A LimitFamily is a group of operations that share one limit (x-bento-limits).
type LimitFamily struct {
	Name string
	// Documented is the figure of Bento's access page.
	Documented Rate
	// Guarded is the lower figure of Bento's newer guardrails, by IP address; zero where they name none.
	Guarded Rate
}

// An Operation is what the contract says of an operation beyond its types.
type Operation struct {
	ID     string // operationId
	Method string
	Path   string // relative to BasePath, with {parameters}
	Retry  RetryClass
	Limit  LimitFamily
	// BatchKey is the member of the body that holds the records, BatchMax how many it may
	// hold; empty and 0 for an operation that takes no batch.
	BatchKey string
	BatchMax int
	// Paged: page starts at 1, an empty page is the end.
	Paged bool
	// PageSize is how many items a page holds, 0 where nobody says so.
	PageSize int
	// Pace is how many records, not requests, Bento works through; zero if nothing is said.
	Pace Rate
	// Queued: what was accepted is worked through later.
	Queued bool
	// Async is how long it takes, at most, until what was accepted can be read back; 0 where
	// nobody says so.
	Async time.Duration
	// Automations: it may set off the automations of the site.
	Automations bool
	// Plan is the plan that the site needs, empty for any.
	Plan string
	// Uncertain: its sources disagree, or only one speaks (x-confidence: low).
	Uncertain bool
}

// Operations returns every operation of the contract, sorted by operationId.
func Operations() []Operation { return slices.Clone(operations[:]) }

// OperationByID returns the operation with the operationId.
func OperationByID(id string) (Operation, bool) {
	for _, op := range operations {
		if op.ID == id {
			return op, true
		}
	}
	return Operation{}, false
}

// MatchOperation returns the operation that a request with this method and path is for. The
// path may stand under any prefix, as it does behind a proxy; the longest match wins.
func MatchOperation(method, path string) (Operation, bool) {
	best := -1
	for i, op := range operations {
		if op.Method == method && matchPath(op.Path, path) && (best < 0 || len(op.Path) > len(operations[best].Path)) {
			best = i
		}
	}
	if best < 0 {
		return Operation{}, false
	}
	return operations[best], true
}

// matchPath reports whether the last segments of path are those of pattern.
func matchPath(pattern, path string) bool {
	for pattern != "" {
		p, s := strings.LastIndexByte(pattern, '/'), strings.LastIndexByte(path, '/')
		if p < 0 || s < 0 {
			return false
		}
		want, got := pattern[p+1:], path[s+1:]
		if got != want && (!strings.HasPrefix(want, "{") || got == "") {
			return false
		}
		pattern, path = pattern[:p], path[:s]
	}
	return true
}

// GenericAgent reports whether a User-Agent names no application: it is empty, or what a library
// sends when nobody set it (x-bento-generic-agents).
func GenericAgent(agent string) bool {
	product, _, _ := strings.Cut(strings.TrimSpace(agent), "/")
	product, _, _ = strings.Cut(product, " ")
	return product == "" || slices.Contains(genericAgents[:], strings.ToLower(product))
}

// PermanentFailure reports whether the body of an error says that no retry will help, whatever
// its status (x-bento-permanent).
func PermanentFailure(body string) bool {
	return slices.ContainsFunc(permanent[:], func(sentence string) bool { return strings.Contains(body, sentence) })
}

// holds reports whether a non-empty string, or a number, stands at the path.
func holds(object map[string]any, path ...string) bool {
	var value any = object
	for _, name := range path {
		members, _ := value.(map[string]any)
		value = members[name]
	}
	switch value := value.(type) {
	case string:
		return value != ""
	case int, int64, float64, json.Number:
		return true
	}
	return false
}
