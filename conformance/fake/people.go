package fake

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/bento-go/conformance"
	"example.com/bento-go/gen"
)

// A person is one that the server knows, and when what happened: searches ask for it and tell it.
type person struct {
	gen.Subscriber
	Created   gen.Time `json:"created_at,omitzero"`
	Updated   gen.Time `json:"updated_at,omitzero"`
	LastEvent gen.Time `json:"last_event_at,omitzero"`
}

// happened notes when an event of the person was.
func (p *person) happened(at time.Time) {
	if at.After(p.LastEvent.Time) {
		p.LastEvent.Time = at
	}
}

// copied is what answers tell of a person, to be kept.
func (p *person) copied() gen.Subscriber {
	c := p.Subscriber
	c.Attributes.Fields = maps.Clone(p.Attributes.Fields)
	c.Attributes.CachedTagIds = slices.Clone(p.Attributes.CachedTagIds)
	return c
}

func (s *state) createSubscriber(c *call) reply {
	var body gen.CreateSubscriberBody
	_ = json.Unmarshal(c.body, &body)
	email := body.Subscriber.Email
	if !conformance.ValidEmail(email) {
		return objections(http.StatusUnprocessableEntity, fieldError{"email", "is invalid"})
	}
	status := http.StatusOK
	if s.people[strings.ToLower(email)] == nil {
		status = http.StatusCreated
	}
	p := s.person(email)
	if p == nil {
		return objections(http.StatusUnprocessableEntity, fieldError{"email", "is one too many: this fake keeps 100,000 people"})
	}
	return answer(status, gen.SubscriberEnvelope{Data: gen.One[gen.Subscriber]{Value: &p.Subscriber}})
}

func (s *state) runCommand(cmd gen.Command) {
	p := s.touch(cmd.Email)
	if p == nil {
		return
	}
	text, _ := cmd.Query.(string)
	switch cmd.Command {
	case gen.CommandNameAddTag, gen.CommandNameAddTagViaEvent:
		s.addTags(p, text)
	case gen.CommandNameRemoveTag:
		s.removeTags(p, text)
	case gen.CommandNameAddField:
		field, _ := cmd.Query.(map[string]any)
		if key, _ := field["key"].(string); key != "" {
			s.setField(p, key, field["value"])
		}
	case gen.CommandNameRemoveField:
		s.removeField(p, text)
	case gen.CommandNameSubscribe:
		p.Attributes.UnsubscribedAt = gen.Time{}
	case gen.CommandNameUnsubscribe:
		p.Attributes.UnsubscribedAt = s.time()
	case gen.CommandNameChangeEmail:
		if conformance.ValidEmail(text) {
			s.changeEmail(p, text)
		}
	}
}

// changeEmail gives a person another address. Whoever has it already stays, and takes over what
// the person had.
func (s *state) changeEmail(p *person, email string) {
	other := s.people[strings.ToLower(email)]
	if other == nil || other == p {
		delete(s.people, strings.ToLower(p.Attributes.Email))
		p.Attributes.Email = email
		s.people[strings.ToLower(email)] = p
		return
	}
	for key, value := range p.Attributes.Fields {
		if _, has := other.Attributes.Fields[key]; !has {
			s.setField(other, key, value)
		}
	}
	for _, id := range p.Attributes.CachedTagIds {
		if !slices.Contains(other.Attributes.CachedTagIds, id) && s.fits(tagSize) {
			other.Attributes.CachedTagIds = append(other.Attributes.CachedTagIds, id)
		}
	}
	other.Updated = p.Updated
	other.happened(p.LastEvent.Time)
	s.forget(p)
}

// forget removes a person.
func (s *state) forget(p *person) {
	for key := range p.Attributes.Fields {
		s.removeField(p, key)
	}
	s.room += personSize + len(p.Attributes.CachedTagIds)*tagSize
	delete(s.people, strings.ToLower(p.Attributes.Email))
	delete(s.byUUID, p.Attributes.UUID)
	s.order = slices.DeleteFunc(s.order, func(other *person) bool { return other == p })
	s.counts.People--
}

func (s *state) requestDataDeletion(c *call) reply {
	var body gen.DataDeletionBody
	if json.Unmarshal(c.body, &body) != nil {
		form, _ := url.ParseQuery(string(c.body))
		body.DataDeletionRequest.Email = form.Get("data_deletion_request[email]")
	}
	p := s.people[strings.ToLower(body.DataDeletionRequest.Email)]
	if p == nil {
		return fail(http.StatusNotFound, "visitor_not_found")
	}
	s.forget(p)
	return answer(http.StatusAccepted, gen.DataDeletionResult{Status: "queued_for_anonymization"})
}

// page is the page asked for, from 1.
func (c *call) page() int { return pageOf(c.URL.Query()) }

func pageOf(query url.Values) int {
	page, err := strconv.Atoi(query.Get("page"))
	if err != nil { // left out
		return 1
	}
	return page
}
