package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"example.com/bento-go/gen"
	bento "example.com/bento-go/wrapper"
)

// talk does what an application does, a step after the other, and tells each as it ends. It
// stops at the first that fails.
func (d *demo) talk(ctx context.Context) error {
	var first string // an address to look up
	for _, step := range []struct {
		name, operation string
		do              func() (bento.Result, error)
	}{
		{"import subscribers", gen.OpImportSubscribers, func() (bento.Result, error) {
			return d.importSubscribers(ctx, &first)
		}},
		{"track events", gen.OpTrackEvents, func() (bento.Result, error) { return d.trackEvents(ctx) }},
		{"send emails", gen.OpSendEmails, func() (bento.Result, error) { return d.sendEmails(ctx) }},
		{"page broadcasts", gen.OpListBroadcasts, func() (bento.Result, error) { return d.pageBroadcasts(ctx) }},
		{"find a subscriber", gen.OpGetSubscriber, func() (bento.Result, error) { return d.findSubscriber(ctx, first) }},
		{"create a tag", gen.OpCreateTag, func() (bento.Result, error) { return d.createTag(ctx) }},
		{"list tags", gen.OpListTags, func() (bento.Result, error) { return d.listTags(ctx) }},
	} {
		result, err := step.do()
		d.tell(row{Step: step.name, Result: result, met: d.tally.of(step.operation)})
		if err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return nil
}

func (d *demo) importSubscribers(ctx context.Context, first *string) (bento.Result, error) {
	rows := &source[bento.SubscriberRecord]{demo: d, input: &d.people, rows: readSubscribers(d.people, d.people.name)}
	result, err := d.client.ImportSubscribersSeq(ctx, func(yield func(bento.SubscriberRecord) bool) {
		for record := range rows.good() {
			if *first == "" {
				*first = record.Email
			}
			if !yield(record) {
				return
			}
		}
	})
	return *result, errors.Join(rows.broken, err)
}

func (d *demo) trackEvents(ctx context.Context) (bento.Result, error) {
	rows := &source[bento.Event]{demo: d, input: &d.events, rows: readEvents(d.events, d.events.name)}
	result, err := d.client.TrackEventsSeq(ctx, rows.good())
	return *result, errors.Join(rows.broken, err)
}

func (d *demo) sendEmails(ctx context.Context) (bento.Result, error) {
	var emails []bento.Email
	switch {
	case d.options.live && d.options.to != "":
		emails = append(emails, bento.Email{To: d.options.to, From: d.options.from, Subject: "Hello from bentoctl", HTMLBody: "<p>It works.</p>"})
	case !d.options.live:
		for i := range demoEmails {
			emails = append(emails, bento.Email{
				To: fmt.Sprintf("person+%d@example.com", i+1), From: "support@acme.example",
				Subject: "Your receipt", HTMLBody: "<p>Hello {{ name }}, thank you.</p>", Transactional: true,
				Personalizations: gen.Personalizations{"name": "Ari", "order": i + 1},
			})
		}
	}
	result, err := d.client.SendEmails(ctx, emails)
	return *result, err
}

func (d *demo) pageBroadcasts(ctx context.Context) (bento.Result, error) {
	var result bento.Result
	for _, err := range d.client.Broadcasts(ctx, bento.BroadcastFilters{}) {
		if err != nil {
			return result, err
		}
		result.Read++
	}
	return result, nil
}

func (d *demo) findSubscriber(ctx context.Context, email string) (bento.Result, error) {
	if email == "" {
		return bento.Result{}, nil
	}
	found, err := d.client.SubscriberByEmail(ctx, email)
	if err != nil || found == nil {
		return bento.Result{}, err
	}
	return bento.Result{Read: 1}, nil
}

func (d *demo) createTag(ctx context.Context) (bento.Result, error) {
	if d.options.live { // a real site keeps its tags
		return bento.Result{}, nil
	}
	_, err := d.client.CreateTag(ctx, "demo")
	return bento.Result{Read: 1}, err
}

func (d *demo) listTags(ctx context.Context) (bento.Result, error) {
	tags, err := d.client.ListTags(ctx)
	return bento.Result{Read: len(tags)}, err
}

// An input is a file to send, open from the start: a missing one should not be noticed when
// half of the work is done.
type input struct {
	io.ReadCloser
	name     string
	seen     map[[8]byte]bool
	repeated int // rows that the file itself holds twice
}

func (d *demo) openInputs() (err error) {
	if d.people, err = openInput(d.options.subscribers, "subscribers.csv", demoSubscribers); err != nil {
		return err
	}
	if d.events, err = openInput(d.options.events, "events.ndjson", demoEvents); err != nil {
		_ = d.people.Close()
	}
	return err
}

func (d *demo) closeInputs() {
	_ = d.people.Close()
	_ = d.events.Close()
}

// openInput opens the user's file, or the demo's own.
func openInput(file, ownName, own string) (input, error) {
	in := input{ReadCloser: io.NopCloser(strings.NewReader(own)), name: ownName, seen: map[[8]byte]bool{}}
	if file == "" {
		return in, nil
	}
	opened, err := openFile(file)
	if err != nil {
		return in, &exitError{exitUsage, err}
	}
	in.ReadCloser, in.name = opened, file
	return in, nil
}

// maxSeen bounds how many rows are remembered to tell a repeat.
const maxSeen = 1_000_000

// note remembers a row, to tell what the file holds twice from what was sent twice.
func (in *input) note(record any) {
	encoded, err := json.Marshal(record)
	if err != nil || len(in.seen) >= maxSeen {
		return
	}
	sum := sha256.Sum256(encoded)
	if key := [8]byte(sum[:8]); in.seen[key] {
		in.repeated++
	} else {
		in.seen[key] = true
	}
}

// A source passes the good rows of a file on, tells of those left out, and keeps what ended it
// early.
type source[T any] struct {
	demo   *demo
	input  *input
	rows   iter.Seq2[T, error]
	broken error
}

func (s *source[T]) good() iter.Seq[T] {
	return func(yield func(T) bool) {
		for record, err := range s.rows {
			var bad *rowError
			if errors.As(err, &bad) {
				s.demo.leaveOut(bad)
				continue
			}
			if err != nil {
				s.broken = &exitError{exitUsage, err}
				return
			}
			s.input.note(record)
			if !yield(record) {
				return
			}
		}
	}
}

// maxTold is how many rows that were left out are named.
const maxTold = 20

func (d *demo) leaveOut(bad *rowError) {
	d.leftOut++
	switch {
	case d.leftOut < maxTold:
		fmt.Fprintf(d.err, "  %v\n", bad)
	case d.leftOut == maxTold:
		fmt.Fprintf(d.err, "  %v\n  ... further rows are counted, not named\n", bad)
	}
}
