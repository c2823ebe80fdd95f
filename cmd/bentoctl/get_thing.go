package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"example.com/bento-go/gen"
)

// items are those of a list, as Bento wrote them. The client has decoded the answer before, by
// the same lenient rules.
func (q *query) items() ([]json.RawMessage, error) {
	var answer map[string]json.RawMessage
	if string(bytes.TrimSpace(q.answer.Body)) == "[]" { // PHP's empty object
		return nil, nil
	}
	if err := json.Unmarshal(q.answer.Body, &answer); err != nil || answer[q.held] == nil {
		return nil, err
	}
	var list gen.List[json.RawMessage]
	err := json.Unmarshal(answer[q.held], &list)
	return list, err
}

// thing is the one that an answer is about, as Bento wrote it. Older endpoints wrap even what is
// plain by the contract.
func (q *query) thing(plain bool) json.RawMessage {
	var members map[string]json.RawMessage
	_ = json.Unmarshal(q.answer.Body, &members)
	if plain {
		for _, wrapper := range []string{"data", "report_data"} {
			if isObject(members[wrapper]) {
				return members[wrapper]
			}
		}
		if members == nil { // PHP's empty object
			return json.RawMessage("{}")
		}
		return q.answer.Body
	}
	var one gen.One[json.RawMessage]
	if json.Unmarshal(members["data"], &one) != nil || one.Value == nil {
		return q.answer.Body
	}
	return *one.Value
}

func isObject(value json.RawMessage) bool { return len(value) > 0 && value[0] == '{' }

// A thing is what get prints, by the names of its members. Those of its attributes stand beside its
// id.
type thing map[string]json.RawMessage

func thingOf(item json.RawMessage) thing {
	t := thing{}
	if json.Unmarshal(item, &t) != nil {
		return thing{"value": item}
	}
	if !isObject(t["attributes"]) {
		return t
	}
	var attributes thing
	_ = json.Unmarshal(t["attributes"], &attributes)
	delete(t, "attributes")
	for name, value := range attributes {
		if _, taken := t[name]; taken {
			name = "attributes." + name
		}
		t[name] = value
	}
	return t
}

// at is the value with a name, which may be that of a member's member: template.subject.
func (t thing) at(name string) json.RawMessage {
	if value, ok := t[name]; ok {
		return value
	}
	outer, inner, dotted := strings.Cut(name, ".")
	if !dotted || !isObject(t[outer]) {
		return nil
	}
	var members thing
	_ = json.Unmarshal(t[outer], &members)
	return members[inner]
}

// names are those of all values, with the members of objects in place of these: known ones first
// and in their order.
func (t thing) names(known []string) []string {
	var names []string
	for name, value := range t {
		var members thing
		if isObject(value) {
			_ = json.Unmarshal(value, &members)
		}
		for _, inner := range slices.Collect(maps.Keys(members)) {
			names = append(names, name+"."+inner)
		}
		if len(members) == 0 {
			names = append(names, name)
		}
	}
	rank := func(name string) int {
		outer, _, _ := strings.Cut(name, ".")
		for i, k := range known {
			if k == name || k == outer {
				return i
			}
		}
		return len(known)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b)) })
	return names
}

// namesOf are the columns of things whose members the contract does not name.
func namesOf(items []json.RawMessage) []string {
	var names []string
	for _, item := range items {
		names = append(names, thingOf(item).names(nil)...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// plainText is a value without JSON's quotes, and nothing for null.
func plainText(value json.RawMessage) string {
	var text string
	var compact bytes.Buffer
	switch {
	case len(value) == 0 || json.Unmarshal(value, &text) == nil: // null, too
		return text
	case json.Compact(&compact, value) != nil:
		return string(value)
	}
	return compact.String()
}
