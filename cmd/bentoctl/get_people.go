package main

import (
	"context"
	"encoding/json"
	"errors"
	"iter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"example.com/bento-go/gen"
	bento "example.com/bento-go/wrapper"
)

const (
	subscriberColumns = "email id unsubscribed_at fields"
	subscriberMore    = "uuid cached_tag_ids navigation_url type"
	segmentColumns    = "id name description created_at"
	segmentMore       = "updated_at visitor_event_query type"
)

// people are the readings about people, and what they are told apart by.
func people() []reading {
	return []reading{
		subscriber(), subscribers(),
		{
			operation: gen.OpListTags, use: "tags", short: "List the tags", example: "tags",
			long:    "Lists every tag of the site, deleted ones included if Bento lists them.",
			columns: "id name created_at discarded_at", more: "site_id type",
			list: func(ctx context.Context, q *query, _ int) error {
				_, err := q.client.ListTags(ctx, q.keep())
				return err
			},
		},
		{
			operation: gen.OpListFields, use: "fields", short: "List the custom fields", example: "fields --json",
			long:    "Lists every field that the site keeps of its people.",
			columns: "id key name created_at", more: "whitelisted type",
			list: func(ctx context.Context, q *query, _ int) error {
				_, err := q.client.ListFields(ctx, q.keep())
				return err
			},
		},
		{
			operation: gen.OpListSegments, use: "segments", short: "List the segments", example: "segments",
			long:    "Lists every segment of the site that is in use.",
			columns: segmentColumns, more: segmentMore,
			list: func(ctx context.Context, q *query, _ int) error {
				_, err := q.client.ListSegments(ctx, q.keep())
				return err
			},
		},
		{
			operation: gen.OpGetSegment, use: "segment ID", short: "Show a segment", example: "segment segment_1",
			long: "Shows the segment with an id that `get segments` lists.",
			args: asUsed, columns: segmentColumns, more: segmentMore,
			one: func(ctx context.Context, q *query) error {
				_, err := q.client.Segment(ctx, q.args[0], q.keep())
				return err
			},
		},
		{
			operation: gen.OpListFormResponses, use: "form-responses FORM", short: "List the responses to a form",
			long: "Lists what people answered in the form with the id.", example: "form-responses form_1 --format ndjson",
			args: asUsed, columns: "id uuid data", more: "type",
			list: func(ctx context.Context, q *query, _ int) error {
				_, err := q.client.ListFormResponses(ctx, q.args[0], q.keep())
				return err
			},
		},
	}
}

var errNobody = errors.New("Bento knows no such subscriber")

func subscriber() reading {
	var uuid string
	return reading{
		operation: gen.OpGetSubscriber, use: "subscriber {EMAIL | --uuid UUID}", short: "Show a subscriber",
		long:    "Shows what Bento knows of a person, who is named by address or by Bento's own identifier.\nSomebody unknown is exit code 1.",
		example: "subscriber ari@example.com\nsubscriber --uuid 9f0c2d8ab3b8f2a14a06a4c4b8f5d1a8 --json",
		args: func(_ *cobra.Command, args []string) error {
			if (len(args) == 1) == (uuid != "") || len(args) > 1 {
				return errors.New("want one address, or --uuid")
			}
			return nil
		},
		flags:   func(f *pflag.FlagSet) { f.StringVar(&uuid, "uuid", "", "find the person by Bento's identifier") },
		columns: subscriberColumns, more: subscriberMore,
		one: func(ctx context.Context, q *query) error {
			var found *bento.Subscriber
			var err error
			if uuid != "" {
				found, err = q.client.SubscriberByUUID(ctx, uuid, q.keep())
			} else {
				found, err = q.client.SubscriberByEmail(ctx, q.args[0], q.keep())
			}
			if err == nil && found == nil {
				return errNobody
			}
			return err
		},
	}
}

func subscribers() reading {
	var filters gen.SearchSubscribersParams
	return reading{
		operation: gen.OpSearchSubscribers, use: "subscribers", short: "Search the subscribers",
		long:    "Lists the people who match every filter. Dates are as 2024-01-31.",
		example: "subscribers --tags vip,beta\nsubscribers --tags vip --all --format csv > vip.csv",
		flags: func(f *pflag.FlagSet) {
			option(f, &filters.Tags, "tags", "carry these tags, by name, joined by commas")
			option(f, &filters.TagIds, "tag-ids", "carry these tags, by id")
			timeRange(f, &filters.CreatedAt, "created")
			timeRange(f, &filters.UpdatedAt, "updated")
			timeRange(f, &filters.LastEventAt, "last-event")
			timeRange(f, &filters.UnsubscribedAt, "unsubscribed")
		},
		columns: subscriberColumns, more: subscriberMore,
		list: func(ctx context.Context, q *query, page int) error {
			_, err := q.client.ListSubscribers(ctx, filters, page, q.keep())
			return err
		},
		all: func(ctx context.Context, q *query) iter.Seq2[[]json.RawMessage, error] {
			return walked(q, q.client.SearchSubscribers(ctx, filters, q.keep()))
		},
	}
}
