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

	"example.com/bento-go/gen"
	bento "example.com/bento-go/wrapper"
)

// attempts is a transport that watches what a client sends. Between attempts the client waits, for minutes
// in all, and whoever looks on is told why from the first that fails.
type attempts struct {
	next http.RoundTripper
	most int // of a call
	// tell is told of an attempt that failed and is followed by another; first says that the one before
	// it did not fail.
	tell func(trouble string, first bool)

	mu      sync.Mutex
	retried int
	untold  string // what failed, and may not be tried again
	failing bool   // and it was told
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
	n := bento.Attempt(req.Context())
	if n > 1 {
		a.again()
	}
	resp, err := a.next.RoundTrip(req)
	a.note(req, n, resp, err)
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

// again tells of what failed though only now is known that the client tries it again.
func (a *attempts) again() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.retried++
	if a.untold != "" {
		a.say(a.untold)
	}
}

// note tells of an attempt that failed and surely is followed by another, and keeps in mind one that may be.
func (a *attempts) note(req *http.Request, n int, resp *http.Response, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	trouble := troubleOfAttempt(resp, err)
	a.failing = a.failing && trouble != ""
	if a.untold = ""; trouble == "" || n >= a.most {
		return
	}
	trouble += fmt.Sprintf("; trying again, at most %s", times(a.most-n))
	if op, _ := gen.MatchOperation(req.Method, req.URL.Path); n > 1 || isRepeated(op.Retry, resp, err) {
		a.say(trouble)
		return
	}
	a.untold = trouble
}

func (a *attempts) say(trouble string) {
	a.tell(trouble, !a.failing)
	a.untold, a.failing = "", true
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// isRepeated reports whether the contract lets an operation be tried again, whatever its records are.
func isRepeated(class gen.RetryClass, resp *http.Response, err error) bool {
	var op *net.OpError
	unsent := errors.As(err, &op) && op.Op == "dial"
	switch class {
	case gen.RetrySafe:
		return true
	case gen.RetryAnswered:
		return unsent || resp != nil
	case gen.RetryRejected:
		return unsent || resp != nil && resp.StatusCode == http.StatusTooManyRequests
	default:
		return false
	}
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
