package fake

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"example.com/bento-go/gen"
)

// searchSubscribers finds who has every tag, by name or by id, and fits every range of time. The one
// segment is everybody's.
func (s *state) searchSubscribers(c *call) reply {
	filters := c.filters()
	fit, wrong := rangesOf(filters)
	if len(wrong) > 0 {
		return objections(http.StatusBadRequest, wrong...)
	}
	page := pageOf(filters)
	list := gen.SubscriberList{Data: gen.List[gen.Subscriber]{}, Meta: gen.SearchMeta{Page: gen.Number(page)}}
	tags, known := s.tagsOf(filters)
	if segment := filters.Get("segment_id"); !known || segment != "" && segment != string(everybody.ID) {
		return answer(http.StatusOK, list)
	}
	size := c.op.PageSize
	skip := (min(page, maxKept) - 1) * size
	for _, p := range s.order {
		if !p.hasTags(tags) || slices.ContainsFunc(fit, func(fits func(*person) bool) bool { return !fits(p) }) {
			continue
		}
		if skip--; skip < 0 && len(list.Data) < size {
			list.Data = append(list.Data, p.found())
		}
	}
	return answer(http.StatusOK, list)
}

// found is a person as a search tells of it.
func (p *person) found() gen.Subscriber {
	s := p.Subscriber
	s.Attributes.CreatedAt, s.Attributes.UpdatedAt, s.Attributes.LastEventAt = p.Created, p.Updated, p.LastEvent
	return s
}

// filters are those of the query, and those of a body as the query would have them
// (x-bento-body-filters). What both have is taken from the query.
func (c *call) filters() url.Values {
	all := c.URL.Query()
	add := func(name string, value any) {
		if !all.Has(name) {
			all.Set(name, fmt.Sprint(value))
		}
	}
	var members map[string]any
	decoder := json.NewDecoder(bytes.NewReader(c.body))
	decoder.UseNumber()
	_ = decoder.Decode(&members) // the contract has judged it, or there is none
	for name, value := range members {
		span, isRange := value.(map[string]any)
		if !isRange {
			add(name, value)
		}
		for bound, text := range span {
			add(name+"["+bound+"]", text)
		}
	}
	return all
}

// tagsOf returns the ids of the tags that are asked for, and whether there are such.
func (s *state) tagsOf(filters url.Values) (ids []gen.ID, known bool) {
	for _, name := range tagNames(filters.Get("tags") + "," + filters.Get("tag_names")) {
		tag := s.tagByName[name]
		if tag == nil {
			return nil, false
		}
		ids = append(ids, tag.ID)
	}
	for _, id := range tagNames(filters.Get("tag_ids")) {
		ids = append(ids, gen.ID(id))
	}
	return ids, true
}

func (p *person) hasTags(ids []gen.ID) bool {
	return !slices.ContainsFunc(ids, func(id gen.ID) bool { return !slices.Contains(p.Attributes.CachedTagIds, id) })
}

// moments are those of a person that a search may ask for.
var moments = []struct {
	name string
	of   func(*person) gen.Time
}{
	{"created_at", func(p *person) gen.Time { return p.Created }},
	{"updated_at", func(p *person) gen.Time { return p.Updated }},
	{"last_event_at", func(p *person) gen.Time { return p.LastEvent }},
	{"unsubscribed_at", func(p *person) gen.Time { return p.Attributes.UnsubscribedAt }},
}

// bounds are those of a range.
var bounds = []struct {
	name   string
	within func(at, bound time.Time) bool
}{{"gt", time.Time.After}, {"lt", time.Time.Before}}

// rangesOf returns a condition for each bound of each range. What never was is in none.
func rangesOf(filters url.Values) (fit []func(*person) bool, wrong []fieldError) {
	for _, moment := range moments {
		for _, bound := range bounds {
			text := filters.Get(moment.name + "[" + bound.name + "]")
			if text == "" {
				continue
			}
			limit := timeOf(text)
			if limit.IsZero() {
				wrong = append(wrong, fieldError{moment.name + "." + bound.name, "is not a time such as 2024-01-01 or 2024-01-01T08:00:00Z"})
			}
			fit = append(fit, func(p *person) bool {
				at := moment.of(p)
				return !at.IsZero() && bound.within(at.Time, limit)
			})
		}
	}
	return fit, wrong
}

// timeOf reads a time as leniently as answers are read; it is zero if the text is none.
func timeOf(text string) time.Time {
	var t gen.Time
	encoded, _ := json.Marshal(text)
	_ = t.UnmarshalJSON(encoded) // it never fails
	return t.Time
}
