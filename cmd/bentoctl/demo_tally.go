package main

import (
	"net/http"
	"strconv"
	"strings"
	"sync"

	"example.com/bento-go/gen"
)

// A tally counts the requests of each operation and what they met on the way.
type tally struct {
	next http.RoundTripper
	mu   sync.Mutex
	met  map[string]met
}

// met is what the requests of an operation met.
type met struct {
	Requests int      `json:"requests"`
	Failures []string `json:"failures,omitempty"` // in order: "429", "503", "broken connection"
}

func (t *tally) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	op, _ := gen.MatchOperation(req.Method, req.URL.Path)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.met == nil {
		t.met = map[string]met{}
	}
	m := t.met[op.ID]
	m.Requests++
	switch {
	case err != nil:
		m.Failures = append(m.Failures, "broken connection")
	case resp.StatusCode >= 300:
		m.Failures = append(m.Failures, strconv.Itoa(resp.StatusCode))
	}
	t.met[op.ID] = m
	return resp, err
}

func (t *tally) of(operation string) met {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.met[operation]
}

// String tells what was met, for a table.
func (m met) String() string {
	if len(m.Failures) == 0 {
		return ""
	}
	return strings.Join(m.Failures, ", ")
}
