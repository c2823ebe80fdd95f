package natsstore

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"example.com/bento-go/outbox"
)

// A meta is an entry without its record. It stands at the head of the entry's message, and in the state
// stream once something happened to it.
type meta struct {
	ID        int64           `json:"id,omitempty"` // the sequence of its message, which does not hold it
	Key       string          `json:"key,omitempty"`
	Policy    outbox.Policy   `json:"policy,omitempty"`
	Harmless  bool            `json:"harmless,omitempty"`
	Enqueued  int64           `json:"enqueued,omitempty"` // times are in nanoseconds since 1970; 0 is none
	Changed   int64           `json:"changed,omitempty"`
	NotBefore int64           `json:"not_before,omitempty"`
	State     outbox.State    `json:"state,omitempty"`
	Attempts  int             `json:"attempts,omitempty"`
	Reason    string          `json:"reason,omitempty"`
	History   []outbox.Change `json:"history,omitempty"`
	Held      bool            `json:"held,omitempty"`  // it was put with a NotBefore: its message is on another subject
	Lost      bool            `json:"lost,omitempty"`  // its message is gone, though it is not done
	Parts     int             `json:"parts,omitempty"` // messages before it that hold the beginning of its record
}

// gone is the state of an entry of which only its number is kept, so that nobody takes its message for
// a fresh one that is still to be read from a server that lags behind.
const gone outbox.State = "gone"

// looseReason bounds the reasons of what is kept in a sheet, so that it fits into a message, in bytes.
const looseReason = 64

// brief is m with short reasons, without its older history.
func (m *meta) brief() *meta {
	if m == nil || len(m.Reason) <= looseReason && len(m.History) < 2 {
		return m
	}
	b := *m
	b.Reason = cut(b.Reason)
	if n := len(b.History); n > 0 {
		latest := b.History[n-1]
		latest.Reason = cut(latest.Reason)
		b.History = []outbox.Change{latest}
	}
	return &b
}

func cut(text string) string {
	if len(text) <= looseReason {
		return text
	}
	return strings.ToValidUTF8(text[:looseReason-len("…")], "") + "…"
}

// done reports whether it needs its record no more.
func (m *meta) done() bool { return m.State.Done() || m.State == gone }

// entry is what the engine sees of it.
func (m *meta) entry(lane outbox.Lane) outbox.Entry {
	return outbox.Entry{
		ID: m.ID, Lane: lane, Key: m.Key, Policy: m.Policy, Harmless: m.Harmless, State: m.State, Attempts: m.Attempts, Reason: m.Reason,
		Enqueued: moment(m.Enqueued), NotBefore: moment(m.NotBefore), Changed: moment(m.Changed),
	}
}

// claim is the sequence of the message that keeps its key; 0 if it has none.
func (m *meta) claim() int64 {
	if m.Key == "" {
		return 0
	}
	return m.ID - 1
}

// parts are the sequences of the messages with the beginning of its record.
func (m *meta) parts() (all []int64) {
	first := m.ID - int64(m.Parts)
	if m.Key != "" {
		first--
	}
	for i := range int64(m.Parts) {
		all = append(all, first+i)
	}
	return all
}

// A message is an entry as it was put.
type message struct {
	meta
	lane   outbox.Lane
	record []byte // without what its parts hold
}

// compose makes the messages of an entry: the parts of its record but the last, the claim of its key,
// and the head with the last part, whose sequence becomes its ID.
func (s *Store) compose(e *outbox.Entry) ([]*nats.Msg, error) {
	parts := slices.Collect(slices.Chunk(e.Record, s.part))
	last := []byte(nil)
	if len(parts) > 0 {
		last, parts = parts[len(parts)-1], parts[:len(parts)-1]
	}
	m := meta{
		Key: e.Key, Policy: e.Policy, Harmless: e.Harmless, Enqueued: nanos(e.Enqueued), Changed: nanos(e.Changed), NotBefore: nanos(e.NotBefore),
		Held: !e.NotBefore.IsZero(), Parts: len(parts),
	}
	head, err := encode(&m)
	if err != nil {
		return nil, err
	}
	var all []*nats.Msg
	for _, part := range parts {
		all = append(all, &nats.Msg{Subject: s.subjects.part(e.Lane), Data: part})
	}
	if e.Key != "" {
		claim := nats.NewMsg(s.subjects.claim(e.Lane, e.Key))
		claim.Header.Set(headerExpected, "0")
		all = append(all, claim)
	}
	subject := s.subjects.fresh(e.Lane)
	if m.Held {
		subject = s.subjects.held(e.Lane)
	}
	return append(all, &nats.Msg{Subject: subject, Data: slices.Concat(head, []byte{'\n'}, last)}), nil
}

// read is the reverse of compose, of a head.
func (s *Store) read(got stored) (message, error) {
	head, record, found := bytes.Cut(got.data, []byte{'\n'})
	m := message{lane: s.subjects.laneOf(got.subject), record: record}
	if err := json.Unmarshal(head, &m.meta); err != nil || !found || m.lane == "" {
		return m, fmt.Errorf("%w: message %d of the stream %s is no entry: something else publishes on %s", outbox.ErrDamaged, got.seq, s.streams.entries, got.subject)
	}
	m.ID, m.State = got.seq, outbox.Queued
	return m, nil
}

// subjects are those of an outbox.
type subjects struct{ name string }

func (s subjects) entries() []string {
	return []string{s.name + ".e.>", s.name + ".c.>", s.name + ".k.>"}
}
func (s subjects) fresh(l outbox.Lane) string { return s.name + ".e." + string(l) + ".fresh" }
func (s subjects) held(l outbox.Lane) string  { return s.name + ".e." + string(l) + ".held" }
func (s subjects) part(l outbox.Lane) string  { return s.name + ".c." + string(l) }

// heads are the subjects of a lane's entries, or of all.
func (s subjects) heads(l outbox.Lane) string {
	if l == "" {
		return s.name + ".e.>"
	}
	return s.name + ".e." + string(l) + ".*"
}

// claim names a key by a hash: it may be any text.
func (s subjects) claim(l outbox.Lane, key string) string {
	sum := sha256.Sum256([]byte(key))
	return s.name + ".k." + string(l) + "." + hex.EncodeToString(sum[:16])
}

func (s subjects) state() string                  { return s.name + ".s.>" }
func (s subjects) stateOf(l outbox.Lane) string   { return s.name + ".s." + string(l) + ".>" }
func (s subjects) laneState(l outbox.Lane) string { return s.name + ".s." + string(l) + ".lane" }
func (s subjects) drawers(l outbox.Lane) string   { return s.name + ".s." + string(l) + ".drawer." }
func (s subjects) drawer(l outbox.Lane, n int64) string {
	return s.drawers(l) + strconv.FormatInt(n, 10)
}

func (s subjects) wake(l outbox.Lane) string {
	if l == "" {
		return s.name + ".wake.*"
	}
	return s.name + ".wake." + string(l)
}

// laneOf is the lane in a subject, which is its third part; empty if it is none.
func (s subjects) laneOf(subject string) outbox.Lane {
	for _, lane := range outbox.Lanes {
		if subject == s.fresh(lane) || subject == s.held(lane) || subject == s.wake(lane) {
			return lane
		}
	}
	return ""
}

// nanos is a time as the streams have it.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func moment(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}
