package natsstore

import (
	"context"
	"encoding/json"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// CrashAfterCommit makes the store stop between a change of the lane and the removal of what the change
// dooms, each time, with an error.
func (s *Store) CrashAfterCommit(err error) {
	crash := func() error { return err }
	s.committed.Store(&crash)
}

// AfterCounting does something each time that the store has counted messages.
func (s *Store) AfterCounting(do func()) { s.counted.Store(&do) }

// HoldLittle makes transactions so small that what became of an entry finds room later.
func (s *Store) HoldLittle() { s.most = 0 }

// Fetched are the messages of a read of all fresh events, as they come.
func (s *Store) Fetched() (all []*nats.Msg, err error) {
	request := map[string]any{"seq": 1, "next_by_subj": s.subjects.fresh("events"), "batch": 10}
	err = s.askFor(context.Background(), "$JS.API.DIRECT.GET."+s.streams.entries, request, 11, func(msg *nats.Msg) (bool, error) {
		all = append(all, msg)
		return msg.Header.Get("Status") != "", nil
	})
	return all, err
}

// Ask puts a question that may be put twice.
func (s *Store) Ask(ctx context.Context, api string) error {
	return s.askAll(ctx, api, []any{1}, func(int, *nats.Msg) error { return nil })
}

// Take is what is made of messages that come: how many are good, and whether there are more.
func Take(come []*nats.Msg) (n int, more bool, err error) {
	r := reading{more: true, last: "0"}
	for _, msg := range come {
		if ended, err := r.take(msg); ended || err != nil {
			return len(r.all), r.more, err
		}
	}
	return len(r.all), r.more, nil
}

// SurveyedLongAgo makes it long ago that the store looked for messages that nobody knows.
func (s *Store) SurveyedLongAgo() {
	for _, l := range s.lanes {
		<-l.turn
		l.surveyed = time.Time{}
		l.give()
	}
}

// WithoutStream is a sheet as it was before sheets told of their stream.
func WithoutStream(data []byte) ([]byte, error) {
	var of sheet
	if err := json.Unmarshal(data, &of); err != nil {
		return nil, err
	}
	of.Stream = 0
	return json.Marshal(&of)
}

// SetClockBack makes the machine's clock wrong.
func (s *Store) SetClockBack(by time.Duration) { s.clock.behind.Store(int64(by)) }

// Remedy is what to do about an error of the server's.
func Remedy(err error) error { return remedy(err) }

// Make makes a stream.
func Make(ctx context.Context, js jetstream.JetStream) error {
	o := opening{js: js, fallback: 3, streams: streams{entries: "x-entries", state: "x-state"}}
	_, err := o.create(ctx, jetstream.StreamConfig{Name: "x-entries"})
	return err
}
