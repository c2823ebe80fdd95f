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

// maxNamed is how many of the records that it refuses Bento names.
const maxNamed = 20

// take queues the records it can, counts the rest as failed, and names the first of them. Those of a
// person for whom there is no room are among the rest.
func (s *state) take(c *call, into *Records) (result gen.BatchResult) {
	result.Failed = new(0)
	for i, change := range c.changes {
		wrong := ""
		switch {
		case !change.valid:
			wrong = "Email is invalid"
		case !s.hasRoomFor(change.email):
			wrong = "Email is one too many: this fake keeps 100,000 people"
		}
		if wrong != "" {
			if *result.Failed++; *result.Failed <= maxNamed {
				result.Errors = append(result.Errors, gen.RecordError{Index: i, Error: wrong})
			}
			continue
		}
		result.Results++
		if into != nil {
			s.note(into, change.digest)
		}
		s.later(c.op.ID, change)
		if change.kind != "" {
			s.countType(change.kind)
		}
	}
	return result
}

// trackEvents alone says which records failed; if all did, it refuses them.
func (s *state) trackEvents(c *call) reply {
	result, status := s.take(c, &s.counts.Events), http.StatusOK
	if result.Results == 0 {
		status = http.StatusUnprocessableEntity
	}
	return answer(status, result)
}

func (s *state) importSubscribers(c *call) reply { return counted(s.take(c, &s.counts.Subscribers)) }

func (s *state) runCommands(c *call) reply { return counted(s.take(c, nil)) }

// counted says of a batch no more than how many failed.
func counted(result gen.BatchResult) reply {
	result.Errors = nil
	return answer(http.StatusOK, result)
}

func (s *state) upsert(r gen.SubscriberRecord) {
	p := s.touch(r.Email)
	if p == nil {
		return
	}
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

// setField writes a field of a person. If there is no room for it, what was there stays.
func (s *state) setField(p *person, key string, value any) {
	s.field(key)
	size := fieldSize(key, value)
	if old, has := p.Attributes.Fields[key]; has {
		size -= fieldSize(key, old)
	}
	if s.fits(size) {
		p.Attributes.Fields[key] = value
	}
}

func (s *state) removeField(p *person, key string) {
	if old, has := p.Attributes.Fields[key]; has {
		s.room += fieldSize(key, old)
		delete(p.Attributes.Fields, key)
	}
}

func fieldSize(key string, value any) int { return len(key) + sizeOf(value) + 32 }

// tagSize is about what a tag of a person takes.
const tagSize = 32

func (s *state) addTags(p *person, joined string) {
	ids := &p.Attributes.CachedTagIds
	for _, name := range tagNames(joined) {
		if tag, _ := s.tag(name); tag != nil && !slices.Contains(*ids, tag.ID) && s.fits(tagSize) {
			*ids = append(*ids, tag.ID)
		}
	}
}

func (s *state) removeTags(p *person, joined string) {
	for _, name := range tagNames(joined) {
		if tag := s.tagByName[name]; tag != nil {
			had := len(p.Attributes.CachedTagIds)
			p.Attributes.CachedTagIds = slices.DeleteFunc(p.Attributes.CachedTagIds, func(id gen.ID) bool { return id == tag.ID })
			s.room += (had - len(p.Attributes.CachedTagIds)) * tagSize
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
		s.note(&s.counts.Emails, digestOf(ofEmail, raw))
		s.emails.add(raw)
		s.deliver(emails[i])
	}
	return answer(http.StatusOK, gen.BatchResult{Results: len(emails)})
}
