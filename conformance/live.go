package conformance

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Live says what a transport of [NewTransport] does with its verdicts.
type Live struct {
	// Report is called with the verdict on each exchange, when its answer has been read; from the
	// goroutine that read it, so that it has to be safe for concurrent use. Nil tells nobody.
	Report func(Verdict)
	// Enforce keeps a request that breaks the contract from being sent, and an answer that does
	// from being handed out: both become a [*ViolationError]. Answers are then read whole, up to
	// 10 MiB, before they are handed out; larger ones pass unjudged.
	Enforce bool
}

// A ViolationError says that an exchange was stopped because it breaks the contract. Its text
// holds no value of it.
type ViolationError struct {
	Verdict Verdict
	unsent  bool
}

func (e *ViolationError) Error() string {
	var texts []string
	for _, f := range e.Verdict.Findings {
		if f.Severity == SeverityError {
			texts = append(texts, strings.TrimSpace(fmt.Sprintf("%s: %s %s", f.Rule, f.Pointer, f.Message)))
		}
	}
	return fmt.Sprintf("conformance: %s breaks the contract: %s", classOf(e.Verdict.Operation), strings.Join(texts, "; "))
}

// Unsent reports whether the request was stopped before it left, so that nothing is in doubt.
func (e *ViolationError) Unsent() bool { return e.unsent }

// BlamesBody reports whether the request is at fault by its body alone: a batch without the record that is wrong
// would pass.
func (e *ViolationError) BlamesBody() bool {
	for _, f := range e.Verdict.Findings {
		if f.Severity == SeverityError && !strings.HasPrefix(f.Rule, "request.body.") {
			return false
		}
	}
	return true
}

func (e *ViolationError) broken() bool {
	for _, f := range e.Verdict.Findings {
		if f.Severity == SeverityError {
			return true
		}
	}
	return false
}

// NewTransport returns a transport that sends through next (nil means http.DefaultTransport) and
// judges what passes, for tests and staging. Unless it enforces, it alters and delays nothing:
// bodies stream through, and are judged once they have been read, if they are no larger than 10
// MiB. Traffic with other hosts passes unseen. It is safe for concurrent use.
func NewTransport(next http.RoundTripper, c *Checker, live Live) http.RoundTripper {
	if next == nil {
		next = http.DefaultTransport
	}
	return &liveTransport{next, c, live}
}

type liveTransport struct {
	next    http.RoundTripper
	checker *Checker
	live    Live
}

func (t *liveTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if _, ours := t.checker.locate(req.URL.String()); !ours {
		return t.next.RoundTrip(req)
	}
	out, sent := captured(req)
	if t.live.Enforce {
		enforced, err := t.enforceRequest(out, sent)
		if err != nil {
			return nil, err
		}
		out = enforced
	}
	started := time.Now()
	resp, err := t.next.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	answer := newCapture(resp.Body, resp.ContentLength)
	judge := func() Verdict { return t.checker.Check(exchangeOf(req, sent, resp, answer, started)) }
	if t.live.Enforce {
		return t.enforceAnswer(resp, answer, judge)
	}
	if resp.Body == nil {
		t.report(judge())
		return resp, nil
	}
	resp.Body = &tee{ReadCloser: resp.Body, into: answer, ended: sync.OnceFunc(func() { t.report(judge()) })}
	return resp, nil
}

func (t *liveTransport) report(v Verdict) {
	if t.live.Report != nil {
		t.live.Report(v)
	}
}

// A tooLargeError says that a request was not sent, since its body could not be judged.
type tooLargeError struct{}

func (tooLargeError) Error() string {
	return "conformance: the body of a request is larger than 10 MiB, too large to be judged before it is sent"
}

func (tooLargeError) Unsent() bool     { return true }
func (tooLargeError) BlamesBody() bool { return true }

// enforceRequest judges a request, whose body it reads whole, and returns one with the same body.
func (t *liveTransport) enforceRequest(out *http.Request, sent *capture) (*http.Request, error) {
	var body []byte
	if out.Body != nil && out.Body != http.NoBody {
		read, err := io.ReadAll(io.LimitReader(out.Body, maxRecorded+1))
		_ = out.Body.Close()
		if err != nil {
			return nil, err
		}
		if len(read) > maxRecorded {
			return nil, tooLargeError{}
		}
		body = read
		again := out.Clone(out.Context())
		again.Body, again.GetBody = io.NopCloser(bytes.NewReader(body)), func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		sent.reset()
		sent.add(body, io.EOF)
		out = again
	}
	operation, findings := t.checker.CheckRequest(&Request{Method: out.Method, URL: out.URL.String(), Header: out.Header, Body: body})
	if e := (&ViolationError{Verdict{Operation: operation, Findings: findings}, true}); e.broken() {
		t.report(e.Verdict)
		return nil, e
	}
	return out, nil
}

func (t *liveTransport) enforceAnswer(resp *http.Response, answer *capture, judge func() Verdict) (*http.Response, error) {
	if resp.Body == nil {
		resp.Body = http.NoBody
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxRecorded+1))
	if len(body) > maxRecorded { // it passes, unjudged
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(body), resp.Body), resp.Body}
		return resp, nil
	}
	_ = resp.Body.Close()
	if err != nil {
		return nil, err
	}
	answer.add(body, io.EOF)
	resp.Body = io.NopCloser(bytes.NewReader(body))
	verdict := judge()
	t.report(verdict)
	if e := (&ViolationError{Verdict: verdict}); e.broken() {
		return nil, e
	}
	return resp, nil
}

// exchangeOf makes an exchange of what passed.
func exchangeOf(req *http.Request, sent *capture, resp *http.Response, answer *capture, started time.Time) *Exchange {
	x := &Exchange{Started: started, Duration: time.Since(started)}
	x.Request = Request{Method: req.Method, URL: req.URL.String(), Header: req.Header}
	x.Request.Body, x.Request.BodyState = bodyOf(sent)
	x.Response = &Response{Status: resp.StatusCode, Header: resp.Header}
	x.Response.Body, x.Response.BodyState = bodyOf(answer)
	if compressed(resp.Header) {
		x.Response.Body, x.Response.BodyState = nil, BodyMissing
	}
	return x
}

func bodyOf(c *capture) ([]byte, BodyState) {
	body, _, _ := c.take()
	if body == nil {
		return nil, BodyMissing
	}
	return body, BodyKnown
}
