package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"example.com/bento-go/outbox"
)

func newOutboxStatus(o *outboxCommand) *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Count what waits, and what became of the rest", Args: cobra.NoArgs,
		Long: "Counts, by lane: what waits and since when, what is parked for a person to decide, what Bento\n" +
			"refused, what it accepted ever, and who sends it. As JSON it has the causes of all verdicts too.",
		Example: "  bentoctl outbox status --store spool\n" +
			"  bentoctl outbox status --store spool --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.with(cmd.Context(), func(ctx context.Context, s *outbox.Sender) error {
				stats, err := s.Stats(ctx)
				if err != nil {
					return err
				}
				if o.json {
					encoder := json.NewEncoder(o.out)
					encoder.SetIndent("", "  ")
					return encoder.Encode(stats)
				}
				return o.printStatus(stats, time.Now())
			})
		},
	}
}

func (o *outboxCommand) printStatus(stats outbox.Stats, now time.Time) error {
	var rows []json.RawMessage
	for _, lane := range outbox.Lanes {
		of := stats.Lanes[lane]
		row, err := json.Marshal(map[string]string{
			"lane": string(lane), "waiting": thousands(of.Depth()), "oldest": since(of.Oldest, now), "parked": thousands(of.States[outbox.Parked]),
			"failed": thousands(of.States[outbox.Failed]), "accepted": thousands(int(of.Total(outbox.Accepted))), "sender": senderOf(of, now),
		})
		if err != nil {
			return err
		}
		rows = append(rows, row)
	}
	table := o.newPrinter("table", reading{columns: "lane waiting oldest parked failed accepted sender"})
	if err := table.page(rows); err != nil {
		return err
	}
	for _, lane := range outbox.Lanes {
		if reason := stats.Lanes[lane].Paused; reason != "" {
			fmt.Fprintf(o.out, "\n%s is paused: %s\n  mend it, then: %s\n", lane, escaped(reason), o.store.hint("resume "+string(lane)))
		}
	}
	if n := stats.Parked(); n > 0 {
		fmt.Fprintf(o.out, "\n%s parked, for you to decide: %s\n", entriesWord(n), o.store.hint("list --state parked"))
	}
	return nil
}

// senderOf names the sender of a lane, if it still holds it.
func senderOf(of outbox.LaneStats, now time.Time) string {
	if of.Sender == "" || of.Lease.Before(now) {
		return ""
	}
	return of.Sender
}

// since is how long ago something was, for a narrow column.
func since(at, now time.Time) string {
	if at.IsZero() {
		return ""
	}
	switch passed := max(now.Sub(at), 0); {
	case passed < time.Minute:
		return passed.Round(time.Second).String()
	case passed < time.Hour:
		return fmt.Sprintf("%dm%ds", passed/time.Minute, passed%time.Minute/time.Second)
	case passed < 48*time.Hour:
		return fmt.Sprintf("%dh%dm", passed/time.Hour, passed%time.Hour/time.Minute)
	default:
		return fmt.Sprintf("%dd", passed/(24*time.Hour))
	}
}
