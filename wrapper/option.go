package bento

import (
	"errors"
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
}

type optionFunc func(*settings) error

func (f optionFunc) apply(s *settings) error { return f(s) }

// WithHTTPClient sends through a copy of hc: its Transport (nil means one of the client's own),
// its Jar, and its Timeout, which then bounds a call with all its attempts. Its CheckRedirect is
// not used; no redirect is followed.
func WithHTTPClient(hc *http.Client) Option {
	return optionFunc(func(s *settings) error {
		if hc == nil {
			return errors.New("WithHTTPClient: the client is nil: leave the option out instead")
		}
		s.http = *hc
		return nil
	})
}

// WithPace changes how fast the client asks; the default is [PaceGuarded].
func WithPace(p Pace) Option {
	return optionFunc(func(s *settings) error {
		s.pace = p
		return p.validate()
	})
}

// WithLogger logs one line per call at Info and one per attempt at Debug: operation, status,
// attempts, duration, sizes. Never a header, a query, a body or an address.
func WithLogger(l *slog.Logger) Option {
	return optionFunc(func(s *settings) error {
		if l == nil {
			return errors.New("WithLogger: the logger is nil: leave the option out instead")
		}
		s.logger = l
		return nil
	})
}
