package fake

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"example.com/bento-go/gen"
)

// deleteTag goes by the name, as Bento does, and restores what is discarded.
func (s *state) deleteTag(c *call) reply {
	var body gen.CreateTagBody
	_ = json.Unmarshal(c.body, &body)
	tag := s.tagByName[body.Tag.Name]
	if tag == nil {
		return fail(http.StatusNotFound, "Tag not found")
	}
	verb := "deleted"
	if tag.Attributes.DiscardedAt.IsZero() {
		tag.Attributes.DiscardedAt = s.time()
	} else {
		tag.Attributes.DiscardedAt = gen.Time{}
		verb = "restored"
	}
	return answer(http.StatusOK, gen.Message{Message: "Tag (" + tag.Attributes.Name + ") " + verb + " successfully"})
}

func (s *state) listFields(*call) reply {
	list := gen.FieldList{Data: gen.List[gen.Field]{}}
	for _, field := range s.fields {
		list.Data = append(list.Data, *field)
	}
	return answer(http.StatusOK, list)
}

func (s *state) createField(c *call) reply {
	var body gen.CreateFieldBody
	_ = json.Unmarshal(c.body, &body)
	key := strings.TrimSpace(body.Field.Key)
	if key == "" {
		return blankField("key")
	}
	field, created := s.field(key)
	switch {
	case field == nil:
		return objections(http.StatusUnprocessableEntity, fieldError{"key", "is one too many: this fake keeps 100,000 fields"})
	case created:
		return answer(http.StatusCreated, gen.FieldEnvelope{Data: gen.One[gen.Field]{Value: field}})
	default:
		return answer(http.StatusOK, gen.FieldEnvelope{Data: gen.One[gen.Field]{Value: field}})
	}
}

// field returns the field with the key, created if need be, and whether it was. It is nil when
// no more fields fit.
func (s *state) field(key string) (field *gen.Field, created bool) {
	if field := s.fieldByKey[key]; field != nil {
		return field, false
	}
	if len(s.fields) >= maxKept || !s.fits(3*len(key)+128) {
		return nil, false
	}
	words := strings.Fields(strings.ReplaceAll(key, "_", " "))
	for i, word := range words {
		first, size := utf8.DecodeRuneInString(word)
		words[i] = string(unicode.ToUpper(first)) + word[size:]
	}
	field = &gen.Field{ID: gen.ID(strconv.Itoa(len(s.fields) + 1)), Type: "visitors-fields"}
	field.Attributes = gen.FieldAttributes{Key: key, Name: strings.Join(words, " "), CreatedAt: s.time()}
	s.fields = append(s.fields, field)
	s.fieldByKey[key] = field
	return field, true
}

// The one segment of a fake is everybody.
var everybody = gen.Segment{ID: "segment_1", Type: "segments", Attributes: gen.SegmentAttributes{Name: "Everybody"}}

func (s *state) listSegments(*call) reply {
	return answer(http.StatusOK, gen.SegmentList{Data: gen.List[gen.Segment]{everybody}})
}

func (s *state) getSegment(c *call) reply {
	if c.id() != string(everybody.ID) {
		return fail(http.StatusNotFound, "Segment not found")
	}
	return answer(http.StatusOK, gen.SegmentEnvelope{Data: gen.One[gen.Segment]{Value: &everybody}})
}

func (s *state) matchSegment(c *call) reply {
	if c.id() != string(everybody.ID) {
		return fail(http.StatusNotFound, "Segment not found")
	}
	var body gen.MatchSegmentBody
	_ = json.Unmarshal(c.body, &body)
	match := gen.SegmentMatch{SegmentID: everybody.ID, Email: body.Email, Match: s.people[strings.ToLower(body.Email)] != nil}
	return answer(http.StatusOK, gen.SegmentMatchEnvelope{Data: gen.One[gen.SegmentMatch]{Value: &match}})
}

// formID is the one form of a fake, which one person has filled in.
const formID = "form_1"

func (s *state) listFormResponses(c *call) reply {
	list := gen.FormResponseList{}
	if c.URL.Query().Get("id") == formID {
		list.Data = gen.List[gen.FormResponse]{{ID: "1", Type: "events", Attributes: gen.FormResponseAttributes{
			UUID: "9f0c2d8ab3b8f2a14a06a4c4b8f5d1a8", Data: gen.Anything{"type": "$form", "fields": map[string]any{"first_name": "Ari"}},
		}}}
	}
	return answer(http.StatusOK, list)
}
