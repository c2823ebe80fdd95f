package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	bento "example.com/bento-go/wrapper"
)

// attempts is a transport that watches what a client sends. Between attempts the client waits, for minutes
// in all, and whoever looks on is told why from the first that fails.
type attempts struct {
	next http.RoundTripper
	most int // of a call
	// tell is told of an attempt that failed and was not the last; first says that the one before it did
	// not fail.
	tell func(trouble string, first bool)

	mu      sync.Mutex
	retried int
	failing bool
}

// usualAttempts are those of a client that is not told otherwise.
const usualAttempts = 4

// maxHeader bounds the header of an answer, as the client does where the transport is its own.
const maxHeader = 256 << 10

func newAttempts(most int, tell func(trouble string, first bool)) *attempts {
	a := &attempts{next: http.DefaultTransport, most: most, tell: tell}
	if t, ok := http.DefaultTransport.(*http.Transport); ok {
		t = t.Clone()
		t.MaxResponseHeaderBytes = maxHeader
		a.next = t
	}
	return a
}

func (a *attempts) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := a.next.RoundTrip(req)
	a.note(bento.Attempt(req.Context()), troubleOfAttempt(resp, err))
	return resp, err
}

// CloseIdleConnections is what the client looks for.
func (a *attempts) CloseIdleConnections() {
	if t, ok := a.next.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

func (a *attempts) retries() int {
	if a == nil { // nothing is sent
		return 0
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.retried
}

// note takes down how the nth attempt of a call ended.
func (a *attempts) note(n int, trouble string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if n > 1 {
		a.retried++
	}
	if trouble != "" && n < a.most {
		a.tell(fmt.Sprintf("%s (attempt %d)", trouble, n), !a.failing)
	}
	a.failing = trouble != ""
}

// troubleOfAttempt says in a few words why an attempt failed; "" if it did not, or the user ended it.
func troubleOfAttempt(resp *http.Response, err error) string {
	var timeout interface{ Timeout() bool }
	var name *net.DNSError
	var number syscall.Errno
	switch {
	case err == nil && (resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= http.StatusInternalServerError):
		return fmt.Sprintf("Bento answers %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	case err == nil, errors.Is(err, context.Canceled):
		return ""
	case errors.As(err, &name):
		return "no answer yet: " + name.Err + ": " + name.Name
	case errors.As(err, &timeout) && timeout.Timeout():
		return "no answer yet: it takes too long"
	case errors.As(err, &number):
		return "no answer yet: " + number.Error()
	}
	return "no answer yet: " + plainly(err)
}

// newTrouble tells of trouble in a line of its own: when it begins, and no oftener than an import tells how
// far it is, since a Bento that fails now and then would fill the screen.
func (g *globals) newTrouble() func(trouble string, first bool) {
	var last time.Time
	return func(trouble string, first bool) {
		if first && !g.quiet && (last.IsZero() || time.Since(last) >= eachLine) {
			last = time.Now()
			fmt.Fprintln(g.err, trouble)
		}
	}
}
