package fake

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"example.com/bento-go/gen"
)

// state is everything the server knows. Server.mu guards it.
type state struct {
	people     map[string]*person // by lower-case address
	byUUID     map[string]*person
	order      []*person // as they came
	tags       []*gen.Tag
	tagByName  map[string]*gen.Tag
	fields     []*gen.Field
	fieldByKey map[string]*gen.Field
	templates  []*gen.EmailTemplate // of the one sequence; the first is number 1
	drafts     kept
	drafted    int // drafts ever made
	born       int // people ever made
	began      gen.Time
	events     kept
	types      map[string]int // events by type
	keys       digests        // details.unique.key of events
	emails     kept
	deliveries kept // an event for each email
	broadcasts []gen.Broadcast
	chats      []*gen.Conversation          // the first is number 1
	chatWith   map[string]*gen.Conversation // by lower-case address
	said       int                          // messages ever written
	delay      time.Duration                // until what was queued takes effect
	queue      []queued                     // oldest first
	queueBytes int
	seen       digests // records, to tell a repeat
	room       int     // bytes left for what is never forgotten
	now        time.Time
	counts     Counts
}

// Counts is what a [Server] has seen.
type Counts struct {
	// Requests counts all, Refused those against the contract and those whose body broke off or was
	// too large, Limited those over the limit, Faults those that met one.
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
		now: time.Now(), room: maxRoom, fieldByKey: map[string]*gen.Field{},
		people: map[string]*person{}, byUUID: map[string]*person{},
		tagByName: map[string]*gen.Tag{}, chatWith: map[string]*gen.Conversation{}, types: map[string]int{}, keys: digests{}, seen: digests{},
	}
	s.began = s.time()
	s.addTemplate("Welcome", "<p>Hello</p>")
	return s
}

// countType counts an event; of more types than are kept only the first.
func (s *state) countType(kind string) {
	if _, known := s.types[kind]; known || len(s.types) < maxKept && s.fits(len(kind)+64) {
		s.types[kind]++
	}
}

// note counts an accepted record and whether it came before.
func (s *state) note(r *Records, d digest) {
	r.Accepted++
	if s.seen.meet(d, maxSeen) {
		r.Repeated++
	}
}

// maxSeen bounds the records whose repeat is told, and the unique keys of events.
const maxSeen = 1_000_000

// time is now, as answers write it.
func (s *state) time() gen.Time { return gen.Time{Time: s.now.UTC()} }

// person returns the person with the address, created if need be. It is nil when no more people
// fit.
func (s *state) person(email string) *person {
	key := strings.ToLower(email)
	if p := s.people[key]; p != nil {
		return p
	}
	if !s.hasRoomFor(email) {
		return nil
	}
	s.room -= personSize
	s.born++
	p := &person{Subscriber: gen.Subscriber{ID: gen.ID(strconv.Itoa(s.born)), Type: "visitors"}, Created: s.time(), Updated: s.time()}
	p.Attributes.Email = email
	sum := sha256.Sum256([]byte(key + "#" + string(p.ID)))
	p.Attributes.UUID = hex.EncodeToString(sum[:16])
	s.counts.People++
	s.admit(p)
	return p
}

// touch returns the person with the address, as person does, as one that changes now.
func (s *state) touch(email string) *person {
	p := s.person(email)
	if p != nil {
		p.Updated = s.time()
	}
	return p
}

// hasRoomFor reports whether the person with the address is known, or fits.
func (s *state) hasRoomFor(email string) bool {
	return s.people[strings.ToLower(email)] != nil || len(s.people) < maxKept && s.room >= personSize
}

// admit makes a person known, as it was made or as a snapshot has it, which leaves out what is empty.
func (s *state) admit(p *person) {
	if p.Attributes.Fields == nil {
		p.Attributes.Fields = gen.SubscriberFields{}
	}
	if p.Attributes.CachedTagIds == nil {
		p.Attributes.CachedTagIds = gen.List[gen.ID]{}
	}
	s.people[strings.ToLower(p.Attributes.Email)] = p
	s.byUUID[p.Attributes.UUID] = p
	s.order = append(s.order, p)
}

// personSize is about what a person takes without fields and tags.
const personSize = 1 << 10

// tag returns the tag with the name, created if need be, and whether it was. It is nil when no
// more tags fit.
func (s *state) tag(name string) (tag *gen.Tag, created bool) {
	if tag := s.tagByName[name]; tag != nil {
		return tag, false
	}
	if len(s.tags) >= maxKept || !s.fits(2*len(name)+128) {
		return nil, false
	}
	s.counts.Tags++
	tag = &gen.Tag{ID: gen.ID(strconv.Itoa(s.counts.Tags)), Type: "tags"}
	tag.Attributes = gen.TagAttributes{Name: name, CreatedAt: s.time()}
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
