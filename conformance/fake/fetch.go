package fake

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"example.com/bento-go/gen"
)

func (s *state) getSubscriber(c *call) reply {
	query := c.URL.Query()
	email, uuid := query.Get("email"), query.Get("uuid")
	found := s.byUUID[uuid]
	if email != "" {
		found = s.people[strings.ToLower(email)]
	}
	var envelope gen.SubscriberEnvelope // of nobody
	if found != nil {
		one := found.Subscriber
		one.Attributes.Tags = s.namesOf(one.Attributes.CachedTagIds)
		envelope.Data.Value = &one
	}
	return answer(http.StatusOK, envelope)
}

// namesOf are the names of tags.
func (s *state) namesOf(ids []gen.ID) (names []string) {
	for _, id := range ids {
		if n, err := strconv.Atoi(string(id)); err == nil && n > 0 && n <= len(s.tags) {
			names = append(names, s.tags[n-1].Attributes.Name)
		}
	}
	return names
}

func (s *state) listTags(*call) reply {
	list := gen.TagList{Data: []gen.Tag{}}
	for _, tag := range s.tags {
		list.Data = append(list.Data, *tag)
	}
	return answer(http.StatusOK, list)
}

// createTag answers with the tag that is there if there is one; what Bento does then is
// documented nowhere.
func (s *state) createTag(c *call) reply {
	var body gen.CreateTagBody
	_ = json.Unmarshal(c.body, &body)
	name := strings.TrimSpace(body.Tag.Name)
	if name == "" {
		return blankField("name")
	}
	tag, created := s.tag(name)
	switch {
	case tag == nil:
		return objections(http.StatusUnprocessableEntity, fieldError{"name", "is one too many: this fake keeps 100,000 tags"})
	case created:
		return answer(http.StatusCreated, gen.TagEnvelope{Data: gen.One[gen.Tag]{Value: tag}})
	default:
		return answer(http.StatusOK, gen.TagEnvelope{Data: gen.One[gen.Tag]{Value: tag}})
	}
}

// blankField answers with the third error shape, messages by field.
func blankField(name string) reply {
	return answer(http.StatusUnprocessableEntity, map[string]any{"errors": map[string][]string{name: {"can't be blank"}}})
}

// listBroadcasts knows drafts and what was sent; nothing is ever scheduled here.
func (s *state) listBroadcasts(c *call) reply {
	var all []gen.Broadcast
	switch gen.BroadcastStatus(c.URL.Query().Get("status")) {
	case "", gen.BroadcastStatusSent:
		all = s.broadcasts
	case gen.BroadcastStatusDraft:
		all = decoded[gen.Broadcast](s.drafts, maxKept)
	case gen.BroadcastStatusAny:
		all = slices.Concat(s.broadcasts, decoded[gen.Broadcast](s.drafts, maxKept))
	case gen.BroadcastStatusScheduled, gen.BroadcastStatusSending, gen.BroadcastStatusPaused, gen.BroadcastStatusCanceled, gen.BroadcastStatusArchived:
	}
	return answer(http.StatusOK, gen.BroadcastList{Data: cut(all, c.page(), c.op.PageSize)})
}

// cut is a page of a list, from 1; it is empty, and no null, past the end.
func cut[T any](all []T, page, size int) []T {
	items := []T{}
	if before := page - 1; before <= len(all)/size {
		items = append(items, all[before*size:min(page*size, len(all))]...)
	}
	return items
}
