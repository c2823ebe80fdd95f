package natsstore

import (
	"maps"
	"slices"

	"example.com/bento-go/outbox"
)

// A sheet is the document of a lane. Every change of the lane writes it anew, on the condition that it
// is still the one that the change began from: this is what makes a change atomic, and what keeps
// out a sender that has lost the lane.
type sheet struct {
	Op      string  `json:"op"` // names the change that wrote it
	Owner   string  `json:"owner,omitempty"`
	Token   int64   `json:"token,omitempty"`
	Expires int64   `json:"expires,omitempty"`
	TTL     int64   `json:"ttl,omitempty"`
	Paused  string  `json:"paused,omitempty"`
	Begun   []int64 `json:"begun,omitempty"`  // when entries were, lately
	Stream  int64   `json:"stream,omitempty"` // when the entries' stream was made that it tells of; 0 of old: the one that is found
	// Cursor is the ID up to which fresh entries were begun: one of them that is not in flight, and has
	// no meta, is delivered.
	Cursor  int64    `json:"cursor,omitempty"`
	Flights []flight `json:"flights,omitempty"`
	// Doomed are messages to be removed: their removal follows the change that says so, and whoever
	// reads the lane makes up for it where it did not happen.
	Doomed doomed `json:"doomed,omitzero"`
	// Loose are metas that found no room in the transaction that changed them, null if they are
	// removed: the next change writes them into their drawers.
	Loose  map[int64]*meta                         `json:"loose,omitempty"`
	Totals map[outbox.State]map[outbox.Cause]int64 `json:"totals,omitempty"`
}

// A flight is what was begun together.
type flight struct {
	Begun int64   `json:"begun"`
	IDs   []int64 `json:"ids"`
}

// doomed are messages by their sequences: fresh ones, which a purge removes together, and others.
type doomed struct {
	Fresh  []int64 `json:"fresh,omitempty"`
	Others []int64 `json:"others,omitempty"`
}

func (d doomed) len() int { return len(d.Fresh) + len(d.Others) }

// clone is a sheet that may be changed.
func (s *sheet) clone() sheet {
	c := *s
	c.Flights, c.Begun = slices.Clone(s.Flights), slices.Clone(s.Begun)
	c.Doomed = doomed{slices.Clone(s.Doomed.Fresh), slices.Clone(s.Doomed.Others)}
	c.Totals = make(map[outbox.State]map[outbox.Cause]int64, len(s.Totals))
	for state, by := range s.Totals {
		c.Totals[state] = maps.Clone(by)
	}
	return c
}

func (s *sheet) count(state outbox.State, cause outbox.Cause, n int64) {
	if s.Totals[state] == nil {
		s.Totals[state] = map[outbox.Cause]int64{}
	}
	s.Totals[state][cause] += n
}
