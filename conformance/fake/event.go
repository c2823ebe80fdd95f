package fake

import (
	"cmp"
	"encoding/json"
	"time"

	"example.com/bento-go/conformance"
	"example.com/bento-go/gen"
	"example.com/bento-go/internal/jsonscan"
)

// readEvent takes out of an event what it changes; the event itself is kept as it was sent.
func readEvent(record []byte) change {
	var kind, email, date []byte
	var fields []field
	var d details
	scan := jsonscan.Cursor{Body: record}
	err := scan.Members("", func(name []byte) (err error) {
		switch string(name) {
		case "type":
			kind, _, err = scan.Text("")
		case "email":
			email, _, err = scan.Text("")
		case "date":
			date, _, err = scan.Text("")
		case "fields":
			fields, err = readFields(&scan)
		case "details":
			d, err = readDetails(&scan)
		default:
			err = scan.Skip()
		}
		return err
	})
	e := event{
		email: string(email), fields: fields,
		key: digestOf(ofKey, d.unique), keyed: len(d.unique) > 0,
	}
	if len(date) > 0 {
		e.dated = timeOf(string(date))
	}
	if name, acts := commandOf[string(kind)]; acts {
		e.command = &gen.Command{Command: name, Email: e.email, Query: string(d.tag)}
	}
	return change{
		valid: err == nil && conformance.ValidEmail(e.email), email: e.email, kind: string(kind),
		effect: e.arrive,
	}
}

// An event is what one changes.
type event struct {
	email   string
	fields  []field
	dated   time.Time    // zero: when it arrives
	key     digest       // if keyed
	command *gen.Command // which does the same, if it is Bento's own
	keyed   bool
}

// arrive keeps the event and does what it does to the person, unless its key has come before.
func (e *event) arrive(s *state, record []byte) {
	if e.keyed && s.keys.meet(e.key, maxSeen) {
		s.counts.Duplicates++
		return
	}
	s.events.add(record)
	p := s.person(e.email)
	if p == nil {
		return
	}
	p.happened(cmp.Or(e.dated, s.time().Time))
	for _, f := range e.fields {
		s.setField(p, f.key, f.value)
		p.Updated = s.time()
	}
	if e.command != nil {
		s.runCommand(*e.command)
	}
}

// commandOf is the command that does to a person what an event of Bento's own does. That of
// $update_fields is in its fields.
var commandOf = map[string]gen.CommandName{
	"$tag":         gen.CommandNameAddTag,
	"$remove_tag":  gen.CommandNameRemoveTag,
	"$subscribe":   gen.CommandNameSubscribe,
	"$unsubscribe": gen.CommandNameUnsubscribe,
}

// A field is one of a person's profile.
type field struct {
	key   string
	value any
}

func readFields(scan *jsonscan.Cursor) (fields []field, err error) {
	err = scan.Members("", func(name []byte) error {
		f := field{key: string(name)}
		if scan.Next() == '"' {
			text, err := scan.Quoted()
			f.value = string(text)
			fields = append(fields, f)
			return err
		}
		from := scan.At
		if err := scan.Skip(); err != nil {
			return err
		}
		err := json.Unmarshal(scan.Body[from:scan.At], &f.value)
		fields = append(fields, f)
		return err
	})
	return fields, err
}

// details are those of an event that change something.
type details struct {
	unique []byte // unique.key, as it is written; a number is the key that its digits are
	tag    []byte
}

func readDetails(scan *jsonscan.Cursor) (d details, err error) {
	err = scan.Members("", func(name []byte) (err error) {
		next := scan.Next()
		switch {
		case string(name) == "tag" && next == '"':
			d.tag, err = scan.Quoted()
		case string(name) == "unique" && next == '{':
			d.unique, err = uniqueKey(scan)
		default:
			err = scan.Skip()
		}
		return err
	})
	return d, err
}

// uniqueKey is the key of the unique at hand: a string, or a number.
func uniqueKey(scan *jsonscan.Cursor) (key []byte, err error) {
	err = scan.Members("", func(name []byte) (err error) {
		kind := scan.Kind()
		if string(name) == "key" && kind == "string" {
			key, err = scan.Quoted()
			return err
		}
		from := scan.At
		err = scan.Skip()
		if string(name) == "key" && kind == "number" {
			key = scan.Body[from:scan.At]
		}
		return err
	})
	return key, err
}
