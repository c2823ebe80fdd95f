package fake

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"example.com/bento-go/conformance"
	"example.com/bento-go/gen"
)

// records returns the records under key, each as it was sent. The contract has judged them.
func (c *call) records(key string) []json.RawMessage {
	var body map[string]json.RawMessage
	_ = json.Unmarshal(c.body, &body)
	var all gen.List[json.RawMessage] // a single one is taken too
	_ = json.Unmarshal(body[key], &all)
	return all
}

func accepted(results, failed int) reply {
	return answer(http.StatusOK, gen.BatchResult{Results: results, Failed: &failed})
}

// trackEvents takes what it can and counts the rest as failed, without saying which, as Bento
// does.
func (s *state) trackEvents(c *call) reply {
	results, failed := 0, 0
	for _, raw := range c.records("events") {
		var e gen.Event
		if json.Unmarshal(raw, &e) != nil || !conformance.ValidEmail(e.Email) {
			failed++
			continue
		}
		results++
		s.note(&s.counts.Events, "event", raw)
		s.countType(e.Type)
		s.later(func() { s.addEvent(e) })
	}
	return accepted(results, failed)
}

func (s *state) addEvent(e gen.Event) {
	unique, _ := e.Details["unique"].(map[string]any)
	if key, _ := unique["key"].(string); key != "" {
		if s.keys[key] {
			s.counts.Duplicates++
			return
		}
		if len(s.keys) < maxKept {
			s.keys[key] = true
		}
	}
	s.events = keep(s.events, e)
	p := s.person(e.Email)
	for key, value := range e.Fields {
		s.setField(p, key, value)
	}
}

func (s *state) importSubscribers(c *call) reply {
	results, failed := 0, 0
	for _, raw := range c.records("subscribers") {
		var r gen.SubscriberRecord
		if json.Unmarshal(raw, &r) != nil || !conformance.ValidEmail(r.Email) {
			failed++
			continue
		}
		results++
		s.note(&s.counts.Subscribers, "subscriber", raw)
		s.later(func() { s.upsert(r) })
	}
	return accepted(results, failed)
}

func (s *state) upsert(r gen.SubscriberRecord) {
	p := s.person(r.Email)
	if r.FirstName != nil {
		s.setField(p, "first_name", *r.FirstName)
	}
	if r.LastName != nil {
		s.setField(p, "last_name", *r.LastName)
	}
	for key, value := range r.AdditionalProperties {
		s.setField(p, key, value)
	}
	if r.Tags != nil {
		s.addTags(p, *r.Tags)
	}
	if r.RemoveTags != nil {
		s.removeTags(p, *r.RemoveTags)
	}
}

func (s *state) setField(p *gen.Subscriber, key string, value any) {
	s.field(key)
	p.Attributes.Fields[key] = value
}

func (s *state) addTags(p *gen.Subscriber, joined string) {
	ids := &p.Attributes.CachedTagIds
	for _, name := range tagNames(joined) {
		if tag, _ := s.tag(name); tag != nil && !slices.Contains(*ids, tag.ID) {
			*ids = append(*ids, tag.ID)
		}
	}
}

func (s *state) removeTags(p *gen.Subscriber, joined string) {
	for _, name := range tagNames(joined) {
		if tag := s.tagByName[name]; tag != nil {
			p.Attributes.CachedTagIds = slices.DeleteFunc(p.Attributes.CachedTagIds, func(id gen.ID) bool { return id == tag.ID })
		}
	}
}

func tagNames(joined string) []string {
	var names []string
	for name := range strings.SplitSeq(joined, ",") {
		if name = strings.TrimSpace(name); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// sendEmails queues all or none: an address that is none breaks a rule of the business.
func (s *state) sendEmails(c *call) reply {
	raws := c.records("emails")
	emails := make([]gen.Email, len(raws))
	var wrong []fieldError
	for i, raw := range raws {
		_ = json.Unmarshal(raw, &emails[i])
		for _, member := range [...]struct{ name, address string }{{"to", emails[i].To}, {"from", emails[i].From}} {
			if !conformance.ValidEmail(member.address) {
				wrong = append(wrong, fieldError{"emails." + strconv.Itoa(i) + "." + member.name, "is invalid"})
			}
		}
	}
	if len(wrong) > 0 {
		return objections(http.StatusUnprocessableEntity, wrong...)
	}
	for i, raw := range raws {
		s.note(&s.counts.Emails, "email", raw)
		s.emails = keep(s.emails, emails[i])
	}
	return answer(http.StatusOK, gen.BatchResult{Results: len(emails)})
}
