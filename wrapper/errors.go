package bento

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"example.com/bento-go/gen"
)

// The kinds of [Error], for errors.Is. Every row of the conventions' status table has one.
var (
	// ErrInvalid: refused here, before anything was sent.
	ErrInvalid = errors.New("invalid input")

	ErrBadRequest    = errors.New("bad request")      // 400
	ErrUnauthorized  = errors.New("unauthorized")     // 401: credentials or site_uuid
	ErrForbidden     = errors.New("forbidden")        // 403, ErrBlocked included; a 500 that says so
	ErrNotFound      = errors.New("not found")        // 404
	ErrConflict      = errors.New("conflict")         // 409: it is there already
	ErrUnprocessable = errors.New("unprocessable")    // 422
	ErrRateLimited   = errors.New("rate limited")     // 429
	ErrServer        = errors.New("server error")     // 5xx
	ErrRedirected    = errors.New("redirected")       // 3xx: never followed
	ErrBlocked       = errors.New("blocked upstream") // 403 with an HTML page: most often the User-Agent

	// ErrNetwork: no answer came, for a reason other than time.
	ErrNetwork = errors.New("network failure")
	// ErrCanceled: the context was canceled, and context.Canceled is wrapped beside it; or the caller
	// kept the request back ([WithBeforeSend]).
	ErrCanceled = errors.New("canceled")
	// ErrTimeout: no answer came in time. The context's own error is wrapped beside it.
	ErrTimeout = errors.New("timeout")
	// ErrPaced: not sent, since its turn (see [Pace]) would have come after the deadline.
	ErrPaced = errors.New("held back by the pace")
	// ErrUnexpectedAnswer: a success that the contract does not describe.
	ErrUnexpectedAnswer = errors.New("unexpected answer")
	// ErrOutcomeUnknown, beside another kind: the request may have taken effect. The Hint says
	// whether repeating it is harmless.
	ErrOutcomeUnknown = errors.New("outcome unknown")
)

// An Error is the failure of one call. Its text holds no key, no query, no address and no
// body.
type Error struct {
	// Operation is the contract's operationId; Method and Path are the contract's.
	Operation, Method, Path string
	// StatusCode is 0 when no answer came.
	StatusCode int
	// Attempts counts what was tried, the first included, also where no connection was made; 0 if
	// it was refused here.
	Attempts int
	// RetryAfter is how long Bento, or the client's own pace, asks to wait; 0 if neither does.
	RetryAfter time.Duration
	// Message is what Bento said, in one line, without addresses; it may be empty.
	Message string
	// Fields are Bento's objections by field.
	Fields []FieldError
	// Hint says what to do, in the words of the conventions.
	Hint string
	// RequestID is the answer's, from the API or the edge in front of it; support may ask for it.
	RequestID string
	// Header is the answer's without the client's keys and cookies, nil if none came.
	Header http.Header
	// Body is the beginning of the answer's body, at most 64 KiB, without the client's keys.
	// It may hold personal data; the text of the error never shows it.
	Body []byte

	kinds     []error
	cause     error
	neverLeft bool // no attempt reached the wire
	stopped   bool // for what is in it, by a transport of the user's
}

// A FieldError is one objection of Bento.
type FieldError struct {
	Field   string // may be empty
	Message string
}

func (f FieldError) String() string {
	if f.Field == "" {
		return f.Message
	}
	return f.Field + " " + f.Message
}

// Error says what failed, where, what Bento said and what to do, in one line.
func (e Error) Error() string {
	var b strings.Builder
	b.WriteString("bento: " + e.Operation + ": ")
	switch {
	case e.StatusCode != 0:
		fmt.Fprintf(&b, "%d %s", e.StatusCode, http.StatusText(e.StatusCode))
	case e.cause != nil:
		b.WriteString(e.cause.Error())
	}
	if e.StatusCode != 0 && e.cause != nil {
		b.WriteString(": " + e.cause.Error())
	}
	if e.Attempts > 1 {
		fmt.Fprintf(&b, " after %d attempts", e.Attempts)
	}
	if e.Message != "" {
		fmt.Fprintf(&b, ": %q", e.Message)
	}
	for _, field := range e.Fields {
		fmt.Fprintf(&b, "; %s", field)
	}
	if e.Is(ErrOutcomeUnknown) {
		b.WriteString("; it may have taken effect")
	}
	if e.RequestID != "" {
		b.WriteString("; request " + e.RequestID)
	}
	if e.RetryAfter > 0 {
		fmt.Fprintf(&b, "; retry after %s", e.RetryAfter.Round(time.Second))
	}
	if e.Hint != "" {
		b.WriteString(". " + e.Hint)
	}
	return b.String()
}

// Is reports whether target is one of the error's kinds.
func (e Error) Is(target error) bool {
	return slices.Contains(e.kinds, target)
}

// Unwrap returns the cause: a context's error, a network error, or nil.
func (e Error) Unwrap() error { return e.cause }

// GoString is [Error.Error], so that %#v shows no body.
func (e Error) GoString() string { return e.Error() }

// MarshalText is [Error.Error], so that JSON shows no body.
func (e Error) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }

// LogValue is what slog shows of an Error.
func (e Error) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("operation", e.Operation),
		slog.Int("status", e.StatusCode),
		slog.Int("attempts", e.Attempts),
		slog.String("request_id", e.RequestID),
		slog.String("message", e.Error()),
	)
}

// statusKinds maps an error status to its kinds; a kind may stand for a whole class.
func statusKinds(status int) []error {
	switch {
	case status == http.StatusBadRequest:
		return []error{ErrBadRequest}
	case status == http.StatusUnauthorized:
		return []error{ErrUnauthorized}
	case status == http.StatusForbidden:
		return []error{ErrForbidden}
	case status == http.StatusNotFound:
		return []error{ErrNotFound}
	case status == http.StatusConflict:
		return []error{ErrConflict}
	case status == http.StatusUnprocessableEntity:
		return []error{ErrUnprocessable}
	case status == http.StatusTooManyRequests:
		return []error{ErrRateLimited}
	case status >= 500:
		return []error{ErrServer}
	case status < 300: // no success that the contract knows
		return []error{ErrUnexpectedAnswer}
	case status < 400:
		return []error{ErrRedirected}
	}
	return nil
}

// invalid is the error of input that is refused before anything is sent.
func invalid(operation string, err error) *Error {
	method, path := pathOf(operation)
	return &Error{Operation: operation, Method: method, Path: path, kinds: []error{ErrInvalid}, cause: err}
}

// changes reports whether the operation changes anything, so that it matters whether it
// happened.
func changes(operation string) bool {
	op, _ := gen.OperationByID(operation)
	return op.Method != http.MethodGet
}
