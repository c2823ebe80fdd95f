package fake

import (
	"bytes"
	"encoding/json"
	"time"

	"example.com/bento-go/conformance"
	"example.com/bento-go/gen"
	"example.com/bento-go/internal/jsonscan"
)

// A change is one record of a batch that Bento takes and works off later.
type change struct {
	record []byte // as it was sent; a part of the body
	digest digest // of the record and its operation
	valid  bool   // else it counts as failed
	email  string // of the person it changes
	kind   string // the type of an event
	effect effect
}

// An effect is what a record changes. It gets the record anew, and holds on to none of it itself.
type effect func(s *state, record []byte)

// readers makes changes of records, by operation. They run before the server's lock is taken.
var readers = map[string]struct {
	member string
	of     byte
	read   func(record []byte) change
}{
	gen.OpTrackEvents:       {"events", ofEvent, readEvent},
	gen.OpImportSubscribers: {"subscribers", ofSubscriber, readSubscriber},
	gen.OpRunCommands:       {"command", ofCommand, readCommand},
}

// changesOf reads the records of a batch.
func changesOf(c *call) []change {
	reader, isBatch := readers[c.op.ID]
	if !isBatch {
		return nil
	}
	records := c.records(reader.member)
	changes := make([]change, len(records))
	for i, record := range records {
		changes[i] = reader.read(record)
		changes[i].record, changes[i].digest = record, digestOf(reader.of, record)
	}
	return changes
}

// readEvent takes out of an event what it changes; the event itself is kept as it was sent.
func readEvent(record []byte) change {
	var kind, email []byte
	var fields []field
	var d details
	scan := jsonscan.Cursor{Body: record}
	err := scan.Members("", func(name []byte) (err error) {
		switch string(name) {
		case "type":
			kind, _, err = scan.Text("")
		case "email":
			email, _, err = scan.Text("")
		case "fields":
			fields, err = readFields(&scan)
		case "details":
			d, err = readDetails(&scan)
		default:
			err = scan.Skip()
		}
		return err
	})
	address, key, keyed := string(email), digestOf(ofKey, d.unique), len(d.unique) > 0
	command, acts := commandOf[string(kind)]
	tag := string(d.tag)
	return change{
		valid: err == nil && conformance.ValidEmail(address), email: address, kind: string(kind),
		effect: func(s *state, record []byte) {
			if keyed && s.keys.meet(key, maxSeen) {
				s.counts.Duplicates++
				return
			}
			s.events.add(record)
			person := s.person(address)
			if person == nil {
				return
			}
			for _, f := range fields {
				s.setField(person, f.key, f.value)
			}
			if acts {
				s.runCommand(gen.Command{Command: command, Email: address, Query: tag})
			}
		},
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

func readSubscriber(record []byte) change {
	var r gen.SubscriberRecord
	err := json.Unmarshal(record, &r)
	return change{
		valid: err == nil && conformance.ValidEmail(r.Email), email: r.Email,
		effect: func(s *state, _ []byte) { s.upsert(r) },
	}
}

func readCommand(record []byte) change {
	var cmd gen.Command
	err := json.Unmarshal(record, &cmd)
	return change{
		valid: err == nil && conformance.ValidEmail(cmd.Email), email: cmd.Email,
		effect: func(s *state, _ []byte) { s.runCommand(cmd) },
	}
}

// A queued change takes effect when it is due.
type queued struct {
	Due       time.Time       `json:"due"`
	Operation string          `json:"operation"`
	Record    json.RawMessage `json:"record"`
	effect    effect
}

// later makes a change now, or when it is due.
func (s *state) later(operation string, c change) {
	if s.delay <= 0 {
		c.effect(s, c.record)
		return
	}
	for len(s.queue) > 0 && (len(s.queue) >= maxKept || s.queueBytes+len(c.record) > maxKeptBytes) {
		s.work() // a queue that is full is worked off before its time
	}
	s.queue = append(s.queue, queued{s.now.Add(s.delay), operation, bytes.Clone(c.record), c.effect})
	s.queueBytes += len(c.record)
}

// catchUp makes the changes that are due.
func (s *state) catchUp(now time.Time) {
	for len(s.queue) > 0 && !now.Before(s.queue[0].Due) {
		s.now = s.queue[0].Due
		s.work()
	}
	s.now = now
}

// work makes the change that has waited longest.
func (s *state) work() {
	q := s.queue[0]
	s.queue[0] = queued{}
	s.queue = s.queue[1:]
	s.queueBytes -= len(q.Record)
	q.effect(s, q.Record)
}
