package bento

import (
	"fmt"
	"log/slog"
	"net/http"
)

// maxHeaderBytes bounds the header of an answer; Bento's are a few hundred bytes.
const maxHeaderBytes = 256 << 10

// chain assembles what a request goes through, outermost first:
//
//	redirect     what net/http would stumble over
//	call log     one line for the whole call
//	retry        what may be sent again is, after a wait
//	pace         its turn, by the limit of its family
//	attempt log  one line per attempt
//	attempt      its timeout; whether it left this machine
//	base         the user's transport, or ours
//
// Credentials are no link of it: editors add them once, before the chain, so that no layer
// sends them anywhere the request was not built for.
func (s *settings) chain() (http.RoundTripper, *paceTransport) {
	base := s.http.Transport
	if base == nil {
		base = newBaseTransport()
	}
	var rt http.RoundTripper = &attemptTransport{next: base, timeout: s.timeout}
	if s.logger != nil {
		rt = &logTransport{next: rt, logger: s.logger, level: slog.LevelDebug, message: "bento attempt", shapes: true}
	}
	paced := newPaceTransport(rt, s.pace)
	rt = newRetryTransport(paced, s.retry)
	if s.logger != nil {
		rt = &logTransport{next: rt, logger: s.logger, level: slog.LevelInfo, message: "bento call"}
	}
	return redirectTransport{rt, base}, paced
}

// A redirectTransport drops a Location that cannot be read: net/http reads it before it asks
// whether to follow, and would make a network error of the answer.
type redirectTransport struct{ next, base http.RoundTripper }

func (t redirectTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	if err != nil || resp.Header.Get("Location") == "" {
		return resp, err
	}
	if _, unreadable := req.URL.Parse(resp.Header.Get("Location")); unreadable != nil {
		resp.Header.Del("Location")
	}
	return resp, nil
}

// CloseIdleConnections is what net/http looks for at the outermost link, and the base has.
func (t redirectTransport) CloseIdleConnections() {
	if base, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		base.CloseIdleConnections()
	}
}

// misused stands for a transport that could not be made as it was asked for.
type misused struct{ err error }

func (m misused) RoundTrip(req *http.Request) (*http.Response, error) {
	return unsent(req, fmt.Errorf("%w: %w", ErrInvalid, m.err))
}

// newBaseTransport is net/http's default with a bound on the header of an answer, and with
// connections of its own.
func newBaseTransport() http.RoundTripper {
	t, ok := http.DefaultTransport.(*http.Transport)
	if !ok { // the application replaced it, and means it
		return http.DefaultTransport
	}
	t = t.Clone()
	t.MaxResponseHeaderBytes = maxHeaderBytes
	t.MaxIdleConnsPerHost = maxConcurrency // net/http's 2 would dial anew for most concurrent batches
	return t
}
