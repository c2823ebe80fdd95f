package fake

import (
	"net/http"
	"slices"
	"time"
)

// An Exchange is a request that the server has seen, and how it answered.
type Exchange struct {
	At           time.Time
	Method, Path string
	// Operation is the operationId; empty if the request was refused.
	Operation string
	Status    int // 0 if the connection was broken
	Body      []byte
}

const (
	// maxExchanges bounds what is remembered, and maxRemembered the bodies of it.
	maxExchanges  = 1000
	maxRemembered = 64 << 10
)

func (s *Server) keepExchange(x Exchange) {
	if len(x.Body) > maxRemembered {
		x.Body = slices.Clone(x.Body[:maxRemembered])
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.passed) == maxExchanges {
		s.passed = s.passed[1:]
	}
	s.passed = append(s.passed, x)
}

// Exchanges returns what the server has seen, in order; at most the last 1,000, and of a body the
// first 64 KiB.
func (s *Server) Exchanges() []Exchange {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.passed)
}

// Control is a handler to steer the server by while it runs, for programs in other languages:
//
//	GET  faults   the faults that are armed, as text
//	PUT  faults   arms those of the body instead, as ParseFaults reads them
//	GET  counts   Counts as JSON
//	GET  events   how many events of each type, as JSON
//	GET  emails   the emails that were accepted, as JSON
//
// It is for the machine it runs on: a request with an Origin, as browsers send for pages of
// others, is refused.
func (s *Server) Control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /faults", s.getFaults)
	mux.HandleFunc("PUT /faults", s.putFaults)
	mux.HandleFunc("GET /counts", func(w http.ResponseWriter, req *http.Request) { answer(http.StatusOK, s.Counts()).write(w, req) })
	mux.HandleFunc("GET /events", func(w http.ResponseWriter, req *http.Request) { answer(http.StatusOK, s.EventTypes()).write(w, req) })
	mux.HandleFunc("GET /emails", func(w http.ResponseWriter, req *http.Request) { answer(http.StatusOK, s.Emails()).write(w, req) })
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get("Origin") != "" {
			fail(http.StatusForbidden, "not for pages of others").write(w, req)
			return
		}
		mux.ServeHTTP(w, req)
	})
}
