package fake

import (
	"slices"
	"strings"
	"time"
)

// An Exchange is a request that the server has seen, and how it answered.
type Exchange struct {
	At     time.Time `json:"at"`
	Method string    `json:"method"`
	Path   string    `json:"path"`
	// Operation is the operationId; empty if the request was refused as against the contract.
	Operation string `json:"operation"`
	Status    int    `json:"status"` // 0 if the connection was broken
	// Verdict is what the contract says of the request, a line for each finding; nil if it is clean.
	Verdict []string `json:"verdict"`
	Body    []byte   `json:"-"`
}

const (
	// maxExchanges bounds what is remembered, and maxRemembered the bodies of it.
	maxExchanges  = 1000
	maxRemembered = 64 << 10
	// maxPath and maxVerdict bound the rest of it: bytes, and findings.
	maxPath, maxVerdict = 1 << 10, 20
)

func (s *Server) keepExchange(x Exchange) {
	if len(x.Body) > maxRemembered {
		x.Body = slices.Clone(x.Body[:maxRemembered])
	}
	x.Path = strings.Clone(x.Path[:min(len(x.Path), maxPath)])
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
