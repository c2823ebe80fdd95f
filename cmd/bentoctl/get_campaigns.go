package main

import (
	"context"
	"encoding/json"
	"iter"

	"github.com/spf13/pflag"

	"example.com/bento-go/gen"
	bento "example.com/bento-go/wrapper"
)

// campaigns are the readings about what is sent to people, and when.
func campaigns() []reading {
	return []reading{
		broadcasts(),
		{
			operation: gen.OpListSequences, use: "sequences", short: "List the sequences", example: "sequences --all",
			long:    "Lists the sequences of the site, with the templates of their emails.",
			columns: "id name created_at", more: "email_templates type",
			list: func(ctx context.Context, q *query, page int) error {
				_, err := q.client.ListSequences(ctx, page, q.keep())
				return err
			},
			all: func(ctx context.Context, q *query) iter.Seq2[[]json.RawMessage, error] {
				return walked(q, q.client.Sequences(ctx, q.keep()))
			},
		},
		{
			operation: gen.OpListWorkflows, use: "workflows", short: "List the workflows", example: "workflows --format ndjson",
			long:    "Lists the workflows of the site, with the templates of their emails.",
			columns: "id name status created_at", more: "email_templates type",
			list: func(ctx context.Context, q *query, page int) error {
				_, err := q.client.ListWorkflows(ctx, page, q.keep())
				return err
			},
			all: func(ctx context.Context, q *query) iter.Seq2[[]json.RawMessage, error] {
				return walked(q, q.client.Workflows(ctx, q.keep()))
			},
		},
		{
			operation: gen.OpGetEmailTemplate, use: "template ID", short: "Show an email template", example: "template 1 --json",
			long: "Shows the template with an id that `get sequences` and `get workflows` list.",
			args: asUsed, columns: "id name subject html", more: "created_at stats type",
			one: func(ctx context.Context, q *query) error {
				id, err := numberOf("template", q.args[0])
				if err != nil {
					return err
				}
				_, err = q.client.EmailTemplate(ctx, id, q.keep())
				return err
			},
		},
	}
}

func broadcasts() reading {
	var filters bento.BroadcastFilters
	return reading{
		operation: gen.OpListBroadcasts, use: "broadcasts", short: "List the broadcasts",
		long:    "Lists the broadcasts that were sent, or those of another status.",
		example: "broadcasts --status draft\nbroadcasts --all --format csv > broadcasts.csv",
		flags: func(f *pflag.FlagSet) {
			option(f, &filters.Status, "status", "sent, draft, scheduled, sending, paused, canceled or any (default: sent)", gen.BroadcastStatusSent,
				gen.BroadcastStatusDraft, gen.BroadcastStatusScheduled, gen.BroadcastStatusSending, gen.BroadcastStatusPaused,
				gen.BroadcastStatusCanceled, gen.BroadcastStatusAny)
		},
		columns: "id name created_at sent_final_batch_at", more: "template.subject template.to template.html stats type",
		list: func(ctx context.Context, q *query, page int) error {
			_, err := q.client.ListBroadcasts(ctx, filters, page, q.keep())
			return err
		},
		all: func(ctx context.Context, q *query) iter.Seq2[[]json.RawMessage, error] {
			return walked(q, q.client.Broadcasts(ctx, filters, q.keep()))
		},
	}
}
