package bento

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"
)

// An Option adjusts a client at [New].
type Option interface{ apply(*settings) error }

type settings struct {
	http    http.Client
	timeout time.Duration
	retry   RetryPolicy
	pace    Pace
	logger  *slog.Logger
	answer  int64 // bytes of an answer
}

type optionFunc func(*settings) error

func (f optionFunc) apply(s *settings) error { return f(s) }

// WithHTTPClient sends through a copy of hc: its Transport (nil means one of the client's own),
// its Jar, and its Timeout, which then bounds a call with all its attempts. Its CheckRedirect is
// not used; no redirect is followed.
//
// An error of the Transport whose Unsent method, func() bool, says true stopped the request before
// it left: the call is not repeated, and the error is an [ErrInvalid] that leaves nothing unknown. If
// its BlamesBody method says true, the records are to blame, and count as failed. Enforcing transports
// of package conformance do so.
func WithHTTPClient(hc *http.Client) Option {
	return optionFunc(func(s *settings) error {
		if hc == nil {
			return errors.New("WithHTTPClient: the client is nil: leave the option out instead")
		}
		s.http = *hc
		return nil
	})
}

// WithPace changes how fast the client asks; the default is [PaceGuarded]. PaceOff switches it off,
// [Pace.With] sets a figure of one's own.
func WithPace(p Pace) Option {
	return optionFunc(func(s *settings) error {
		s.pace = p
		return p.validate()
	})
}

// WithMaxAnswer bounds the body of an answer, as it is after decompression, to n bytes, 1 or more; the
// default is 10 MiB. A larger one is an [ErrUnexpectedAnswer].
func WithMaxAnswer(n int64) Option {
	return optionFunc(func(s *settings) error {
		if n < 1 {
			return fmt.Errorf("WithMaxAnswer: %d: want at least 1", n)
		}
		s.answer = n
		return nil
	})
}

// WithLogger logs one line per call at Info and one per attempt at Debug: operation, attempts,
// duration, status, sizes, records; at Debug also the shape of the body, such as
// events[1000]{email,type}. Never a header, a query, a value or an address.
func WithLogger(l *slog.Logger) Option {
	return optionFunc(func(s *settings) error {
		if l == nil {
			return errors.New("WithLogger: the logger is nil: leave the option out instead")
		}
		s.logger = l
		return nil
	})
}
