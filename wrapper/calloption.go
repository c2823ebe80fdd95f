package bento

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/textproto"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A CallOption adjusts one call. Every method of a [Client] that makes one takes them last.
type CallOption interface {
	BatchOption
	applyCall(s *callSettings) error
}

// A SharedOption adjusts a client at [New], or one call.
type SharedOption interface {
	Option
	CallOption
}

// callSettings are what the options of one call say.
type callSettings struct {
	timeout    time.Duration // of an attempt; 0: the client's
	retry      *RetryPolicy  // nil: the client's
	header     http.Header
	repeatable bool
	before     func(context.Context) error
	response   *Response
}

func settingsOf(operation string, opts []CallOption) (callSettings, error) {
	var s callSettings
	for _, opt := range opts {
		if opt == nil {
			return s, invalid(operation, errNilOption)
		}
		if err := opt.applyCall(&s); err != nil {
			return s, invalid(operation, err)
		}
	}
	return s, nil
}

var errNilOption = errors.New("an option is nil: leave it out instead")

type callOption func(*callSettings) error

func (f callOption) applyCall(s *callSettings) error   { return f(s) }
func (f callOption) applyBatch(s *batchSettings) error { return f(&s.callSettings) }

type sharedOption struct {
	optionFunc
	callOption
}

// WithTimeout bounds each attempt, from dialling to the last byte of the answer; the default is
// 30 seconds. The whole call, with its retries and waits, is bounded by the context.
func WithTimeout(d time.Duration) SharedOption {
	check := func() error {
		if d <= 0 {
			return fmt.Errorf("WithTimeout: %v is not positive: every attempt needs an end", d)
		}
		return nil
	}
	return sharedOption{
		func(s *settings) error { s.timeout = d; return check() },
		func(s *callSettings) error { s.timeout = d; return check() },
	}
}

// WithRetry replaces the [RetryPolicy]. RetryPolicy{MaxAttempts: 1} never retries.
func WithRetry(p RetryPolicy) SharedOption {
	return sharedOption{
		func(s *settings) error { s.retry = p; return p.validate() },
		func(s *callSettings) error {
			whole := p.withDefaults()
			s.retry = &whole
			return p.validate()
		},
	}
}

// reserved are the headers that the client answers for itself. Idempotency-Key is one of them:
// Bento knows none, but net/http sends a POST that carries it twice.
var reserved = []string{
	"Accept", "Accept-Encoding", "Authorization", "Connection", "Content-Length", "Content-Type", "Cookie", "Host", "Idempotency-Key", "Transfer-Encoding",
	"User-Agent", "X-Idempotency-Key",
}

var headerName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// WithHeader adds a header to the requests of a call, such as a trace's. Those that the client
// answers for itself, credentials above all, are refused.
func WithHeader(name, value string) CallOption {
	return callOption(func(s *callSettings) error {
		name := textproto.CanonicalMIMEHeaderKey(name)
		switch {
		case !headerName.MatchString(name):
			return fmt.Errorf("WithHeader: %q is no name of a header: want letters, digits and dashes", name)
		case slices.Contains(reserved, name):
			return fmt.Errorf("WithHeader: %q is not for a call to set: the client answers for it", name)
		case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
			return fmt.Errorf("WithHeader: the value of %q holds a control character: leave it out", name)
		}
		if s.header == nil {
			s.header = http.Header{}
		}
		s.header.Add(name, value)
		return nil
	})
}

// WithHarmlessRepeat says that sending this call's requests twice does no harm, whatever the
// contract says of the operation, so that they are sent again also when no answer came. Who
// says it of an email answers for two of them.
func WithHarmlessRepeat() CallOption {
	return callOption(func(s *callSettings) error { s.repeatable = true; return nil })
}

// A Response is an answer as it came, for what the contract does not know of yet.
type Response struct {
	StatusCode int
	Header     http.Header
	// Body is as long as [WithMaxAnswer] allows, and a byte; of an error 64 KiB.
	Body []byte
}

// String says how it ended, and no more: header and body may name the site, and people.
func (r Response) String() string {
	return fmt.Sprintf("bento.Response(%d, %d bytes)", r.StatusCode, len(r.Body))
}

// Format is [Response.String] for every verb.
func (r Response) Format(s fmt.State, _ rune) { _, _ = s.Write([]byte(r.String())) }

// LogValue is what slog shows of a Response.
func (r Response) LogValue() slog.Value { return slog.StringValue(r.String()) }

// WithResponse keeps the last answer of a call in into, also that of an error. It stays as it
// was if none came.
func WithResponse(into *Response) CallOption {
	return callOption(func(s *callSettings) error {
		if into == nil {
			return errors.New("WithResponse: into is nil: give it somewhere to keep the answer")
		}
		s.response = into
		return nil
	})
}

// callHeaders is the editor that adds the headers of [WithHeader].
func callHeaders(ctx context.Context, req *http.Request) error {
	maps.Copy(req.Header, callStateOf(ctx).header)
	return nil
}
