package main

import (
	"context"

	"github.com/spf13/pflag"

	"example.com/bento-go/gen"
	bento "example.com/bento-go/wrapper"
)

// deliveries are the readings of what became of emails. The contract does not name what they print.
func deliveries() []reading {
	var window bento.DeliveryWindow
	var limit int
	within := func(f *pflag.FlagSet) {
		instant(f, &window.Start, "start", "not before then")
		instant(f, &window.End, "end", "not after then")
	}
	return []reading{
		{
			operation: gen.OpGetDeliveryReport, use: "delivery-report", short: "Read a report of deliveries",
			long:    "Reads what became of the emails of the last 24 hours, or of another time.",
			example: "delivery-report --start 2024-01-31 --end 2024-02-01",
			flags:   within,
			one: func(ctx context.Context, q *query) error {
				_, err := q.client.DeliveryReport(ctx, window, q.keep())
				return err
			},
		},
		{
			operation: gen.OpListDeliveryEvents, use: "delivery-events EMAIL", short: "List what became of a person's emails",
			long:    "Lists what happened to the emails to an address in the last 30 days, or in another time: 100\nevents at most.",
			example: "delivery-events ari@example.com --start 2024-01-31",
			args:    asUsed, held: "events",
			flags: func(f *pflag.FlagSet) {
				within(f)
				f.IntVar(&limit, "limit", 100, "how many, at most; from 1 to 100")
			},
			list: func(ctx context.Context, q *query, _ int) error {
				_, err := q.client.DeliveryEvents(ctx, q.args[0], window, limit, q.keep())
				return err
			},
		},
	}
}
