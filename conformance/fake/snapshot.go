package fake

import (
	"encoding/json"
	"fmt"
	"maps"

	"example.com/bento-go/gen"
)

// A snapshot is a state as it is kept. Broadcasts are not part of it: an option seeds them.
type snapshot struct {
	Version   int                  `json:"version"`
	Counts    Counts               `json:"counts"`
	Began     gen.Time             `json:"began"`
	Born      int                  `json:"born"`
	Drafted   int                  `json:"drafted"`
	Room      int                  `json:"room"`
	People    []*person            `json:"people"`
	Tags      []*gen.Tag           `json:"tags"`
	Fields    []*gen.Field         `json:"fields"`
	Templates []*gen.EmailTemplate `json:"templates"`
	Drafts    []json.RawMessage    `json:"drafts"`
	Events    []json.RawMessage    `json:"events"`
	Emails    []json.RawMessage    `json:"emails"`
	Delivered []json.RawMessage    `json:"delivered"`
	Chat      []*gen.Conversation  `json:"chat"`
	Said      int                  `json:"said"`
	Queue     []queued             `json:"queue"`
	Types     map[string]int       `json:"types"`
	Keys      []byte               `json:"keys"`
	Seen      []byte               `json:"seen"`
}

// snapshotVersion changes with what a snapshot means.
const snapshotVersion = 1

func (s *state) snapshot() ([]byte, error) {
	return json.Marshal(snapshot{
		Version: snapshotVersion, Counts: s.counts, Began: s.began, Born: s.born, Drafted: s.drafted, Room: s.room,
		People: s.order, Tags: s.tags, Fields: s.fields, Templates: s.templates,
		Drafts: s.drafts.raw(), Events: s.events.raw(), Emails: s.emails.raw(), Delivered: s.deliveries.raw(), Queue: s.queue, Chat: s.chats, Said: s.said,
		Types: s.types, Keys: s.keys.bytes(), Seen: s.seen.bytes(),
	})
}

// restore makes s what it was at a snapshot; s is as newState made it.
func (s *state) restore(encoded []byte) error {
	var saved snapshot
	if err := json.Unmarshal(encoded, &saved); err != nil {
		return err
	}
	if saved.Version != snapshotVersion {
		return fmt.Errorf("its snapshot is of version %d, and this program knows %d", saved.Version, snapshotVersion)
	}
	s.counts, s.began, s.born, s.drafted, s.room = saved.Counts, saved.Began, saved.Born, saved.Drafted, saved.Room
	for _, p := range saved.People {
		s.admit(p)
	}
	s.tags, s.fields, s.templates = saved.Tags, saved.Fields, saved.Templates
	for _, tag := range s.tags {
		s.tagByName[tag.Attributes.Name] = tag
	}
	for _, field := range s.fields {
		s.fieldByKey[field.Attributes.Key] = field
	}
	s.drafts, s.events = keptOf(saved.Drafts), keptOf(saved.Events)
	s.emails, s.deliveries = keptOf(saved.Emails), keptOf(saved.Delivered)
	for _, one := range saved.Chat {
		s.converse(one)
	}
	s.said = saved.Said
	maps.Copy(s.types, saved.Types)
	s.keys, s.seen = digestsOf(saved.Keys), digestsOf(saved.Seen)
	for _, q := range saved.Queue {
		reader, known := readers[q.Operation]
		if !known {
			return fmt.Errorf("its queue names %q, which is no batch", q.Operation)
		}
		q.effect = reader.read(q.Record).effect
		s.queue = append(s.queue, q)
		s.queueBytes += len(q.Record)
	}
	return nil
}

func (k kept) raw() []json.RawMessage {
	all := make([]json.RawMessage, len(k.records))
	for i, record := range k.records {
		all[i] = record
	}
	return all
}

func keptOf(records []json.RawMessage) (k kept) {
	for _, record := range records {
		k.add(record)
	}
	return k
}
