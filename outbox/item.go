package outbox

import (
	"encoding/json"
	"fmt"
	"time"

	bento "example.com/bento-go/wrapper"
)

// An Item is a record to enqueue. Make it with [Event], [Subscriber], [Command] or [Email]; what is
// wrong with the record, Enqueue says.
type Item struct {
	entry Entry
	err   error
}

// Err is what is wrong with the record, a [bento.ErrInvalid]; nil if Enqueue would take it.
func (i Item) Err() error { return i.err }

// Harmless reports whether Bento drops a repeat of the record.
func (i Item) Harmless() bool { return i.entry.Harmless }

// Entries are what Enqueue puts of the items at a time; for stores that put them in a transaction of
// the application's. The error is [bento.ErrInvalid] if one of them is not what the contract describes.
func Entries(now time.Time, items ...Item) ([]Entry, error) {
	entries := make([]Entry, len(items))
	for i, item := range items {
		if item.err != nil {
			return nil, fmt.Errorf("outbox: item %d: %w", i, item.err)
		}
		entries[i] = item.entry
		entries[i].Enqueued, entries[i].Changed = now, now
	}
	return entries, nil
}

// An ItemOption adjusts an Item.
type ItemOption func(*Entry)

// Key names a record: of those enqueued under one name in a lane only the first is kept, as long as
// the store remembers it (see [WithRetention]), in clear and longer than the record: put no address in it.
// At most 255 bytes; an empty one names nothing.
func Key(name string) ItemOption { return func(e *Entry) { e.Key = name } }

// WithPolicy says what to do when nobody knows whether the record arrived. The default is [AtLeastOnce]; for
// emails it is [AtMostOnce], and nothing else is taken.
func WithPolicy(p Policy) ItemOption { return func(e *Entry) { e.Policy = p } }

// NotBefore holds a record back until a time, before the year 2262; one that is past does not.
func NotBefore(t time.Time) ItemOption { return func(e *Entry) { e.NotBefore = t } }

// Event is an event to track.
func Event(e bento.Event, opts ...ItemOption) Item {
	return item(Events, AtLeastOnce, e.Details.Repeatable(), e, opts)
}

// Subscriber is a person to create or update.
func Subscriber(r bento.SubscriberRecord, opts ...ItemOption) Item {
	return item(Subscribers, AtLeastOnce, true, r, opts)
}

// Command is a command to run on a person.
func Command(c bento.Command, opts ...ItemOption) Item {
	return item(Commands, AtLeastOnce, c.Command.Repeatable(), c, opts)
}

// Email is an email to send, at most once.
func Email(e bento.Email, opts ...ItemOption) Item {
	return item(Emails, AtMostOnce, false, e, opts)
}

// Raw is a record of a lane that is JSON already. It is checked as a record of the lane's type is, and
// sent as it was written.
func Raw(lane Lane, record json.RawMessage, opts ...ItemOption) Item {
	policy := AtLeastOnce
	if lane == Emails {
		policy = AtMostOnce
	}
	e := Entry{Lane: lane, Policy: policy, Record: record}
	var err error
	if _, known := operations[lane]; known {
		e.Harmless, err = bento.CheckRecord(operations[lane], record)
	}
	return finish(e, err, opts)
}

func item[T bento.Record](lane Lane, policy Policy, harmless bool, record T, opts []ItemOption) Item {
	encoded, err := bento.EncodeRecord(record)
	return finish(Entry{Lane: lane, Policy: policy, Harmless: harmless, Record: encoded}, err, opts)
}

// maxKey bounds a key, and maxRecord a record, in bytes: a request holds four megabytes.
const maxKey, maxRecord = 255, 4<<20 - 64

// maxTime is the last that stores count in nanoseconds.
var maxTime = time.Date(2262, 1, 1, 0, 0, 0, 0, time.UTC)

func finish(e Entry, err error, opts []ItemOption) Item {
	for _, opt := range opts {
		opt(&e)
	}
	if e.NotBefore.Before(time.Unix(0, 0)) {
		e.NotBefore = time.Time{}
	}
	switch {
	case err != nil:
	case operations[e.Lane] == "":
		err = fmt.Errorf("%w: there is no lane %q", bento.ErrInvalid, e.Lane)
	case e.Policy != AtLeastOnce && e.Policy != AtMostOnce:
		err = fmt.Errorf("%w: there is no policy %q", bento.ErrInvalid, e.Policy)
	case e.Lane == Emails && e.Policy != AtMostOnce:
		err = fmt.Errorf("%w: an email goes at most once: leave the policy out", bento.ErrInvalid)
	case e.NotBefore.After(maxTime):
		err = fmt.Errorf("%w: not before %v: want a time before %v", bento.ErrInvalid, e.NotBefore, maxTime)
	case len(e.Key) > maxKey:
		err = fmt.Errorf("%w: a key of %d bytes: want at most %d", bento.ErrInvalid, len(e.Key), maxKey)
	case len(e.Record) > maxRecord:
		err = fmt.Errorf("%w: a record of %d bytes: want at most %d", bento.ErrInvalid, len(e.Record), maxRecord)
	}
	return Item{e, err}
}
