package bento

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"
	"time"

	"example.com/bento-go/gen"
)

const maxRequestID = 100 // bytes; real ones are a UUID or less

// A failure collects what is known of a failed call and makes its *Error.
type failure struct {
	c         *Client
	operation string
	state     *callState
	resp      *http.Response
}

func (f failure) error(kinds ...error) *Error {
	e := &Error{Operation: f.operation, Attempts: f.state.attempts, kinds: kinds}
	e.Method, e.Path = pathOf(f.operation)
	if f.resp != nil {
		e.StatusCode = f.resp.StatusCode
		e.Header = f.c.scrub.header(f.resp.Header)
		e.RequestID = f.c.scrub.text(requestID(e.Header))
	}
	return e
}

// requestID finds the identifier that an answer carries: Rails' own, or Cloudflare's.
func requestID(h http.Header) string {
	for _, name := range [...]string{"X-Request-Id", "Cf-Ray"} {
		if id := oneLine(h.Get(name)); id != "" {
			return id[:min(len(id), maxRequestID)]
		}
	}
	return ""
}

// unanswered is the error of a call that ended without an answer.
func (f failure) unanswered(err error) *Error {
	if kept := (*withheldError)(nil); errors.As(err, &kept) {
		return f.keptBack(kept)
	}
	err = withoutURL(err)
	if held := (*paceError)(nil); errors.As(err, &held) {
		return f.heldBack(held)
	}
	if isFinal(err) && (wasUnsent(err) || errors.Is(err, ErrInvalid)) { // as a transport below says
		e := invalid(f.operation, f.c.scrub.error(err))
		e.stopped = blamesBody(err)
		return e
	}
	if f.state.attempts == 0 && !isFinal(err) { // the request could not even be built
		return invalid(f.operation, f.c.scrub.error(err))
	}
	e := f.error(ErrNetwork)
	e.Hint = "Check the address, the network and any proxy; then retry later with backoff."
	switch {
	case errors.Is(err, context.Canceled):
		e.kinds, e.Hint = []error{ErrCanceled}, ""
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		e.kinds = []error{ErrTimeout}
		e.Hint = "Allow more time, by the context or WithTimeout, or send smaller batches."
	}
	if f.state.doubtful && changes(f.operation) {
		e.kinds = append(e.kinds, ErrOutcomeUnknown)
		e.Hint = f.adviceOnRepeat()
	}
	e.neverLeft = !f.state.doubtful && !f.state.answered
	e.cause = f.c.scrub.error(err)
	return e
}

// keptBack is the error of a call that the caller kept back, whatever the reason.
func (f failure) keptBack(kept *withheldError) *Error {
	e := f.error(ErrCanceled)
	e.cause, e.neverLeft = f.c.scrub.error(kept), true
	return e
}

// heldBack is the error of a call whose turn would have come too late.
func (f failure) heldBack(held *paceError) *Error {
	e := f.error(ErrPaced)
	e.cause, e.RetryAfter, e.neverLeft = held, held.wait, true
	e.Hint = "Nothing was sent. Allow more time by the context, ask less often, or change the pace (WithPace)."
	return e
}

// refused is the error of an answer with a status other than 200, 201 and 202.
func (f failure) refused() *Error {
	status := f.resp.StatusCode
	body, _ := io.ReadAll(io.LimitReader(f.resp.Body, maxErrorBody))
	f.state.keep(f.resp, body)
	e := f.error(statusKinds(status)...)
	e.Body = f.c.scrub.bytes(body)
	e.RetryAfter = retryAfter(f.resp.Header, time.Now())
	e.Hint = gen.StatusMeaning(status)
	media, _, _ := mime.ParseMediaType(f.resp.Header.Get("Content-Type"))
	switch {
	case media == "text/html" && status == http.StatusForbidden:
		e.kinds = append(e.kinds, ErrBlocked)
		e.Hint = "An HTML page instead of JSON: the request was blocked before it reached the API. Check the User-Agent first."
	case media == "text/html":
		e.Message = "an HTML page"
	case status/100 == 3:
		e.Hint = "Redirects are not followed, since they would carry the request elsewhere. Check BaseURL."
	default:
		e.Message, e.Fields = readErrorBody(e.Body)
		e.Message = f.c.scrub.text(e.Message)
		for i := range e.Fields {
			e.Fields[i] = FieldError{f.c.scrub.text(e.Fields[i].Field), f.c.scrub.text(e.Fields[i].Message)}
		}
	}
	switch {
	case permanent(f.resp):
		e.kinds = append(e.kinds, ErrForbidden)
		e.Hint = "The account refuses this for good: authorize what the message names in Bento. A retry will not help."
	case changes(f.operation) && (f.state.doubtful || status < 300):
		e.kinds = append(e.kinds, ErrOutcomeUnknown)
	}
	if status < 300 {
		e.Hint = "Bento answers with 200, 201 or 202 and a body. Check BaseURL and any proxy; its status says that the request was accepted."
	}
	if status == http.StatusNotFound && !strings.Contains(f.resp.Request.URL.Path, gen.BasePath+"/") {
		e.Hint += " Bento's own address ends with " + gen.BasePath + ", and this one does not: check BaseURL (" + EnvBaseURL + ")."
	}
	if plan := f.state.operation.Plan; plan != "" && status == http.StatusForbidden {
		e.Hint += " It needs the " + plan + " plan."
	}
	return e
}

// adviceOnRepeat says what to do about a request whose answer was lost.
func (f failure) adviceOnRepeat() string {
	if f.state.harmless() {
		return "Send it again: a repeat changes nothing."
	}
	return "Look in Bento whether it arrived before you repeat it."
}

// truncated is the error of an answer whose body broke off: accepted, by its status.
func (f failure) truncated(err error) *Error {
	e := f.error(ErrUnexpectedAnswer)
	switch {
	case errors.Is(err, context.Canceled):
		e.kinds = append(e.kinds, ErrCanceled)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		e.kinds = append(e.kinds, ErrTimeout)
	}
	return f.afterSuccess(e, err, "The answer broke off. Its status says that Bento accepted the request.")
}

// unreadable is the error of a success whose body is not what the contract describes.
func (f failure) unreadable(body []byte, reason error) *Error {
	e := f.error(ErrUnexpectedAnswer)
	e.Body = f.c.scrub.bytes(body[:min(len(body), maxErrorBody)])
	return f.afterSuccess(e, reason, "Check BaseURL and any proxy; its status says that the request was accepted.")
}

func (f failure) afterSuccess(e *Error, cause error, hint string) *Error {
	if changes(f.operation) {
		e.kinds = append(e.kinds, ErrOutcomeUnknown)
	}
	e.cause, e.Hint = f.c.scrub.error(cause), hint
	return e
}
