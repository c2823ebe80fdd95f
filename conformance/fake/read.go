package fake

import (
	"maps"
	"strings"
	"time"

	"example.com/bento-go/gen"
)

// lockCaughtUp locks the state when what is due has taken effect, so that whoever looks sees it.
func (s *Server) lockCaughtUp() {
	s.mu.Lock()
	s.state.catchUp(time.Now())
}

// Events returns the events that were kept, in order; at most the last 100,000, or 64 MiB.
func (s *Server) Events() []gen.Event {
	s.lockCaughtUp()
	defer s.mu.Unlock()
	return decoded[gen.Event](s.state.events, maxKept)
}

// EventTypes returns how many events of each type were accepted.
func (s *Server) EventTypes() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.state.types)
}

// Emails returns the emails that were accepted, in order; at most the last 100,000, or
// 64 MiB. Nothing is ever sent.
func (s *Server) Emails() []gen.Email {
	s.mu.Lock()
	defer s.mu.Unlock()
	return decoded[gen.Email](s.state.emails, maxKept)
}

// Subscriber returns a copy of what is known of the person with the address.
func (s *Server) Subscriber(email string) (gen.Subscriber, bool) {
	s.lockCaughtUp()
	defer s.mu.Unlock()
	p, ok := s.state.people[strings.ToLower(email)]
	if !ok {
		return gen.Subscriber{}, false
	}
	return p.copied(), true
}

// Disarm ends all faults.
func (s *Server) Disarm() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.armed, s.faults.seen, s.faults.rng = nil, nil, nil
}
