// Package arrivals counts what reaches a fake Bento, for tests that send more than a fake remembers.
package arrivals

import (
	"bytes"
	"io"
	"net/http"
	"regexp"
	"sync"
	"time"
)

// A Counter stands in front of a fake. It lets each request wait, so that one is in flight most of the
// time, and counts the names in those that were accepted.
type Counter struct {
	next http.Handler
	wait time.Duration
	name *regexp.Regexp

	mu      sync.Mutex
	arrived map[string]int
}

// New returns a counter of what the first group of name matches in the bodies of requests.
func New(next http.Handler, wait time.Duration, name string) *Counter {
	return &Counter{next: next, wait: wait, name: regexp.MustCompile(name), arrived: map[string]int{}}
}

// ServeHTTP implements http.Handler.
func (c *Counter) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	time.Sleep(c.wait)
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, 64<<20))
	if err != nil {
		return // whoever wrote it was killed
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	said := &status{ResponseWriter: w, code: http.StatusOK}
	c.next.ServeHTTP(said, req)
	if said.code != http.StatusOK {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, match := range c.name.FindAllSubmatch(body, -1) {
		c.arrived[string(match[1])]++
	}
}

// Of returns how often a name arrived.
func (c *Counter) Of(name string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.arrived[name]
}

// Tally returns how many of the names did not arrive, and how often others than the first of a name did.
func (c *Counter) Tally(names func(yield func(string) bool)) (lost, again int) {
	for name := range names {
		if n := c.Of(name); n == 0 {
			lost++
		} else {
			again += n - 1
		}
	}
	return lost, again
}

type status struct {
	http.ResponseWriter
	code int
}

func (s *status) WriteHeader(code int) {
	s.code = code
	s.ResponseWriter.WriteHeader(code)
}

// Unwrap lets http.ResponseController see what is wrapped.
func (s *status) Unwrap() http.ResponseWriter { return s.ResponseWriter }
