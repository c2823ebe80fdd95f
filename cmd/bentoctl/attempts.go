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
	tell func(trouble string, first bool) // of an attempt that failed; first after one that did not

	mu      sync.Mutex
	retried int
	failing bool
}

func (a *attempts) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(req)
	a.note(bento.Attempt(req.Context()), troubleOfAttempt(resp, err))
	return resp, err
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
	if trouble != "" {
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
