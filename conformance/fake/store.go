package fake

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"example.com/bento-go/gen"
)

// A Store keeps what a [Server] has been sent across restarts. Package statefile has one. The
// server calls one method at a time.
type Store interface {
	// Load calls restore with what Save was last given, if anything, and then redo with each entry
	// that was appended since, in order.
	Load(restore, redo func([]byte) error) error
	// Append keeps an entry, before what it stands for takes effect.
	Append(entry []byte) error
	// Save keeps a snapshot, in place of all that was kept before.
	Save(snapshot []byte) error
}

// maxAppended is how many bytes of entries are kept before a snapshot takes their place.
const maxAppended = 64 << 20

// WithStore makes the server begin with what the store has kept, and keep there what changes it:
// people, tags, events, emails and the rest, and the counts of them. Faults and limits are not
// part of it. Call [Server.Close] when done.
func WithStore(store Store) Option {
	return func(s *Server) { s.store, s.mayAppend = store, maxAppended }
}

// Close saves what the server knows, if it has a store. Without it nothing that was accepted is
// lost either, but the next start takes longer, and requests that changed nothing are not counted.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.store == nil {
		return nil
	}
	return s.save()
}

func (s *Server) save() error {
	snapshot, err := s.state.snapshot()
	if err != nil {
		return err
	}
	s.appended = 0
	return s.store.Save(snapshot)
}

// An entry is a request that may change something.
type entry struct {
	At        time.Time `json:"at"`
	Operation string    `json:"operation"`
	Method    string    `json:"method"`
	URL       string    `json:"url"`
	Body      []byte    `json:"body"`
}

// append keeps a call that may change something.
func (s *Server) append(c *call, now time.Time) error {
	if s.store == nil || c.Method == http.MethodGet {
		return nil
	}
	encoded, err := json.Marshal(entry{now, c.op.ID, c.Method, c.URL.RequestURI(), c.body})
	if err != nil {
		return err
	}
	if s.appended += len(encoded); s.appended > s.mayAppend {
		if err := s.save(); err != nil {
			return err
		}
	}
	return s.store.Append(encoded)
}

func (s *Server) load() error {
	err := s.store.Load(s.state.restore, s.redo)
	if err != nil {
		return fmt.Errorf("fake: what was kept cannot be read again: %w", err)
	}
	s.state.catchUp(time.Now())
	return nil
}

// redo performs a call once more, at its time.
func (s *Server) redo(encoded []byte) error {
	var e entry
	if err := json.Unmarshal(encoded, &e); err != nil {
		return err
	}
	op, known := gen.OperationByID(e.Operation)
	if !known {
		return fmt.Errorf("it names %q, which is no operation of this contract", e.Operation)
	}
	req, err := http.NewRequest(e.Method, e.URL, nil) //nolint:noctx // it is sent nowhere
	if err != nil {
		return err
	}
	c := &call{Request: req, op: op, body: e.Body}
	c.changes = changesOf(c)
	s.state.counts.Requests++
	s.appended += len(encoded)
	s.state.answer(c, e.At)
	return nil
}
