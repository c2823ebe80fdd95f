package fake

import (
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"
	"time"

	"example.com/bento-go/gen"
)

// maxKept bounds what is kept of each kind. Older records are forgotten first; counts go on.
const maxKept = 100_000

// state is everything the server knows. Server.mu guards it.
type state struct {
	people     map[string]*gen.Subscriber // by lower-case address
	byUUID     map[string]*gen.Subscriber
	order      []*gen.Subscriber // as they came
	tags       []*gen.Tag
	tagByName  map[string]*gen.Tag
	fields     []*gen.Field
	fieldByKey map[string]*gen.Field
	templates  []*gen.EmailTemplate // of the one sequence; the first is number 1
	drafts     []gen.Broadcast
	drafted    int // drafts ever made
	born       int // people ever made
	began      gen.Time
	events     []gen.Event
	types      map[string]int  // events by type
	keys       map[string]bool // details.unique.key of events
	emails     []gen.Email
	broadcasts []gen.Broadcast
	delay      time.Duration    // until what was queued takes effect
	queue      []queued         // oldest first
	seen       map[[8]byte]bool // records, to tell a repeat
	counts     Counts
}

// Counts is what a [Server] has seen.
type Counts struct {
	// Requests counts all, Refused those against the contract, Limited those over the limit,
	// Faults those that met one.
	Requests, Refused, Limited, Faults int
	// Subscribers, Events and Emails count accepted records.
	Subscribers, Events, Emails Records
	// People, Tags and Duplicates count what came of them: distinct addresses, tags, and events
	// that were dropped for a unique key already seen.
	People, Tags, Duplicates int
}

// Records counts accepted records of a kind, and those that had come before to the letter.
type Records struct{ Accepted, Repeated int }

func newState() state {
	s := state{
		began: gen.Time{Time: time.Now().UTC()}, fieldByKey: map[string]*gen.Field{},
		people: map[string]*gen.Subscriber{}, byUUID: map[string]*gen.Subscriber{},
		tagByName: map[string]*gen.Tag{}, types: map[string]int{}, keys: map[string]bool{}, seen: map[[8]byte]bool{},
	}
	s.addTemplate("Welcome", "<p>Hello</p>")
	return s
}

// countType counts an event; of more types than are kept only the first.
func (s *state) countType(kind string) {
	if _, known := s.types[kind]; known || len(s.types) < maxKept {
		s.types[kind]++
	}
}

// A queued change takes effect when it is due.
type queued struct {
	due    time.Time
	effect func()
}

// later makes a change now, or when it is due.
func (s *state) later(effect func()) {
	if s.delay <= 0 || len(s.queue) >= maxKept { // a queue that is full is worked through at once
		effect()
		return
	}
	s.queue = append(s.queue, queued{time.Now().Add(s.delay), effect})
}

// catchUp makes the changes that are due.
func (s *state) catchUp(now time.Time) {
	for len(s.queue) > 0 && !now.Before(s.queue[0].due) {
		s.queue[0].effect()
		s.queue = s.queue[1:]
	}
}

// note counts an accepted record and whether it came before.
func (s *state) note(r *Records, kind string, record []byte) {
	r.Accepted++
	sum := sha256.Sum256(append([]byte(kind), record...))
	key := [8]byte(sum[:8])
	if s.seen[key] {
		r.Repeated++
	} else if len(s.seen) < 10*maxKept {
		s.seen[key] = true
	}
}

// person returns the person with the address, created if need be.
func (s *state) person(email string) *gen.Subscriber {
	key := strings.ToLower(email)
	if p := s.people[key]; p != nil {
		return p
	}
	s.born++
	p := &gen.Subscriber{ID: gen.ID(strconv.Itoa(s.born)), Type: "visitors"}
	p.Attributes.Email = email
	p.Attributes.UUID = fmt.Sprintf("%032x", sha256.Sum256([]byte(key+"#"+string(p.ID))))[:32]
	p.Attributes.Fields = gen.SubscriberFields{}
	p.Attributes.CachedTagIds = gen.List[gen.ID]{}
	s.counts.People++
	if len(s.people) < maxKept {
		s.people[key] = p
		s.byUUID[p.Attributes.UUID] = p
		s.order = append(s.order, p)
	}
	return p
}

// tag returns the tag with the name, created if need be, and whether it was. It is nil when no
// more tags fit.
func (s *state) tag(name string) (tag *gen.Tag, created bool) {
	if tag := s.tagByName[name]; tag != nil {
		return tag, false
	}
	if len(s.tags) >= maxKept {
		return nil, false
	}
	s.counts.Tags++
	tag = &gen.Tag{ID: gen.ID(strconv.Itoa(s.counts.Tags)), Type: "tags"}
	tag.Attributes = gen.TagAttributes{Name: name, CreatedAt: gen.Time{Time: time.Now().UTC()}}
	s.tags = append(s.tags, tag)
	s.tagByName[name] = tag
	return tag, true
}

func (s *state) seedBroadcasts(n int) {
	for i := range n {
		created := time.Date(2026, 1, 1, 8, 0, 0, 0, time.UTC).AddDate(0, 0, i)
		b := gen.Broadcast{ID: gen.ID(strconv.Itoa(i + 1)), Type: "broadcasts"}
		b.Attributes.Name = fmt.Sprintf("News %d", i+1)
		b.Attributes.CreatedAt = gen.Time{Time: created}
		b.Attributes.SentFinalBatchAt = gen.Time{Time: created.Add(time.Hour)}
		b.Attributes.Template = gen.BroadcastTemplate{Subject: b.Attributes.Name, HTML: "<p>Hello</p>"}
		b.Attributes.Stats = gen.BroadcastStats{OpenRate: 40 + float64(i%20)}
		s.broadcasts = append(s.broadcasts, b)
	}
}

// keep appends to what is kept and forgets the oldest beyond the bound.
func keep[T any](kept []T, record T) []T {
	if len(kept) >= maxKept {
		kept = append(kept[:0], kept[maxKept/10:]...)
	}
	return append(kept, record)
}
