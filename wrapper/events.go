package bento

import (
	"context"
	"errors"
	"iter"

	"example.com/bento-go/gen"
)

// Event is something a person did. Type and Email are required. Fields go to the person's
// profile, Details stay on the event, a zero Date means now.
type Event = gen.Event

// TrackEvents records events, creates the people they are about and triggers automations. It
// cuts the slice into batches of at most [gen.MaxEvents], sent in order, one at a time unless
// [WithConcurrency] says otherwise.
//
// The error is nil only if Bento accepted every event; otherwise it is a [*BatchError], or an
// [ErrInvalid] if an option is wrong and nothing was sent. The Result is never nil. An event that
// is refused here is set aside and the rest goes on. A batch that Bento refuses does not end the
// call; bad credentials, an unreachable server and the context do.
//
// After 429 and 5xx a batch is sent again. When no answer came it is sent again only if each
// of its events has details.unique.key, by which Bento drops duplicates. What ends without an
// answer, or in a 5xx, counts as Unknown unless a repeat is harmless.
//
// Contract: POST /batch/events (openapi.yaml, trackEvents).
// Source: https://bentonow.com/docs/events_api
func (c *Client) TrackEvents(ctx context.Context, events []Event, opts ...BatchOption) (*Result, error) {
	return c.events().all(ctx, events, opts)
}

// TrackEventsSeq is [Client.TrackEvents] for a sequence of any length; it holds no more than the
// batches that are under way. When the call ends early the rest of the sequence is not read.
func (c *Client) TrackEventsSeq(ctx context.Context, events iter.Seq[Event], opts ...BatchOption) (*Result, error) {
	return c.events().seq(ctx, events, opts)
}

func (c *Client) events() batcher[Event] {
	return batcher[Event]{
		client: c, operation: gen.OpTrackEvents, check: checkEvent, again: func(e Event) bool { return e.Details.Repeatable() },
		send: (*gen.Client).TrackEventsWithBody,
	}
}

func checkEvent(e Event) error {
	if e.Type == "" {
		return errors.New("type is empty: name what happened, such as $signed_up")
	}
	return checkAddress("email", e.Email)
}
