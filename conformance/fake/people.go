package fake

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"example.com/bento-go/conformance"
	"example.com/bento-go/gen"
)

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
	return answer(status, gen.SubscriberEnvelope{Data: gen.One[gen.Subscriber]{Value: p}})
}

// searchSubscribers matches tags by name; ranges of time are taken and match everybody.
func (s *state) searchSubscribers(c *call) reply {
	page := c.page()
	list := gen.SubscriberList{Data: gen.List[gen.Subscriber]{}, Meta: gen.SearchMeta{Page: gen.Number(page)}}
	query, want := c.URL.Query(), []gen.ID{}
	for _, name := range tagNames(query.Get("tags") + "," + query.Get("tag_names")) {
		tag := s.tagByName[name]
		if tag == nil {
			return answer(http.StatusOK, list)
		}
		want = append(want, tag.ID)
	}
	for _, id := range tagNames(query.Get("tag_ids")) {
		want = append(want, gen.ID(id))
	}
	size := c.op.PageSize
	skip := (min(page, maxKept) - 1) * size
	for _, p := range s.order {
		missing := func(id gen.ID) bool { return !slices.Contains(p.Attributes.CachedTagIds, id) }
		if slices.ContainsFunc(want, missing) {
			continue
		}
		if skip--; skip < 0 && len(list.Data) < size {
			list.Data = append(list.Data, *p)
		}
	}
	return answer(http.StatusOK, list)
}

func (s *state) runCommand(cmd gen.Command) {
	p := s.person(cmd.Email)
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
func (s *state) changeEmail(p *gen.Subscriber, email string) {
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
	s.forget(p)
}

// forget removes a person.
func (s *state) forget(p *gen.Subscriber) {
	for key := range p.Attributes.Fields {
		s.removeField(p, key)
	}
	s.room += personSize + len(p.Attributes.CachedTagIds)*tagSize
	delete(s.people, strings.ToLower(p.Attributes.Email))
	delete(s.byUUID, p.Attributes.UUID)
	s.order = slices.DeleteFunc(s.order, func(other *gen.Subscriber) bool { return other == p })
	s.counts.People--
}

func (s *state) requestDataDeletion(c *call) reply {
	form, _ := url.ParseQuery(string(c.body))
	p := s.people[strings.ToLower(form.Get("data_deletion_request[email]"))]
	if p == nil {
		return fail(http.StatusNotFound, "visitor_not_found")
	}
	s.forget(p)
	return answer(http.StatusAccepted, gen.DataDeletionResult{Status: "queued_for_anonymization"})
}

// page is the page asked for, from 1.
func (c *call) page() int {
	page, err := strconv.Atoi(c.URL.Query().Get("page"))
	if err != nil { // left out
		return 1
	}
	return page
}
