package fake

import (
	"bytes"
	"encoding/json"
	"time"

	"example.com/bento-go/conformance"
	"example.com/bento-go/gen"
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
