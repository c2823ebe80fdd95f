package bento

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// attemptTransport sends one attempt: it bounds its time and, should it fail, knows whether it
// had left.
type attemptTransport struct {
	next    http.RoundTripper
	timeout time.Duration // 0: the context alone bounds it
}

func (t *attemptTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := mayLeave(req.Context()); err != nil {
		return unsent(req, err)
	}
	ctx, cancel := req.Context(), context.CancelFunc(func() {})
	if timeout := cmp.Or(callStateOf(ctx).timeout, t.timeout); timeout > 0 {
		ctx, cancel = context.WithTimeout(ctx, timeout)
	}
	var seen departure
	resp, err := t.next.RoundTrip(req.WithContext(seen.watch(ctx)))
	if err != nil {
		cancel()
		if known := (*attemptError)(nil); errors.As(err, &known) { // of a pace below
			return nil, err
		}
		if wasUnsent(err) {
			return nil, &attemptError{cause: err, final: true}
		}
		return nil, &attemptError{cause: err, sent: seen.sent(err)}
	}
	switch {
	case resp == nil:
		cancel()
		return nil, &attemptError{cause: errNoAnswer, sent: true}
	case resp.Body == nil:
		resp.Body = http.NoBody
	case resp.StatusCode == http.StatusSwitchingProtocols: // a connection, which has no end
		_ = resp.Body.Close()
		resp.Body = http.NoBody
	}
	if resp.Request == nil {
		resp.Request = req
	}
	resp.Body = &cancelingBody{resp.Body, cancel}
	return resp, nil
}

var errNoAnswer = errors.New("the transport gave neither an answer nor an error")

// A departure observes whether any of a request reached the wire.
type departure struct{ dialled, wrote atomic.Bool }

func (d *departure) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn:          func(string) { d.dialled.Store(true) },
		WroteHeaderField: func(string, []string) { d.wrote.Store(true) },
		WroteHeaders:     func() { d.wrote.Store(true) },
	})
}

// sent reports whether a request that failed with err may have arrived. A transport that
// reports nothing is believed to have sent, unless its error says that it never connected.
func (d *departure) sent(err error) bool {
	if d.dialled.Load() {
		return d.wrote.Load()
	}
	var op *net.OpError
	return !errors.As(err, &op) || op.Op != "dial"
}

// An attemptError is the failure of an attempt that brought no answer.
type attemptError struct {
	cause error
	sent  bool // it may have arrived
	final bool // nothing was sent, and another attempt would come to the same
}

func (e *attemptError) Error() string { return e.cause.Error() }
func (e *attemptError) Unwrap() error { return e.cause }

// sentUnanswered reports whether err leaves open what became of the request.
func sentUnanswered(err error) bool {
	var e *attemptError
	return !errors.As(err, &e) || e.sent
}

// unsent refuses a request: no attempt was made of it, and none makes sense.
func unsent(req *http.Request, cause error) (*http.Response, error) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
	return nil, &attemptError{cause: cause, final: true}
}

// blamesBody reports whether a transport that stopped a request did so for what is in its body, of which
// another may be free, and not for its address, say.
func blamesBody(err error) bool {
	var stopped interface{ BlamesBody() bool }
	return errors.As(err, &stopped) && stopped.BlamesBody()
}

// wasUnsent reports whether a transport of the user's says that it stopped the request.
func wasUnsent(err error) bool {
	var stopped interface{ Unsent() bool }
	return errors.As(err, &stopped) && stopped.Unsent()
}

// isFinal reports whether another attempt makes no sense.
func isFinal(err error) bool {
	var e *attemptError
	return errors.As(err, &e) && e.final
}

// cancelingBody ends the attempt's context when the answer has been read.
type cancelingBody struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (b *cancelingBody) Close() error {
	defer b.cancel()
	return b.ReadCloser.Close()
}

// Attempt returns which attempt of its call a request is, from 1, by the context that a transport
// or a trace sees; 0 for a request of no call.
func Attempt(ctx context.Context) int { return callStateOf(ctx).attempts }
