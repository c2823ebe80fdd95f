package bento

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// backoff returns the wait before the attempt after the n-th: anywhere between nothing and
// min·2^(n-1), at most max. Full jitter spreads clients that failed together.
func (p RetryPolicy) backoff(n int) time.Duration {
	ceiling := p.MinBackoff
	for ; n > 1 && ceiling < p.MaxBackoff; n-- {
		ceiling *= 2
	}
	return rand.N(min(ceiling, p.MaxBackoff) + 1) //nolint:gosec // jitter is no secret
}

// retryAfter reads the Retry-After of an answer, which comes in seconds or as an HTTP date
// (RFC 9110, section 10.2.3). What cannot be read, or lies in the past, is 0.
func retryAfter(h http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if value == "" {
		return 0
	}
	seconds, err := strconv.ParseUint(value, 10, 31)
	if err == nil || errors.Is(err, strconv.ErrRange) { // out of range is for ever, not never
		return time.Duration(seconds) * time.Second
	}
	date, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	if theirs, err := http.ParseTime(h.Get("Date")); err == nil { // by the clock that wrote it
		now = theirs
	}
	return max(0, date.Sub(now))
}
