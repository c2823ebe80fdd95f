package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"example.com/bento-go/outbox"
)

// A shownEntry is an entry as the outbox verbs print it.
type shownEntry struct {
	ID       int64           `json:"id"`
	Lane     outbox.Lane     `json:"lane"`
	State    outbox.State    `json:"state"`
	To       string          `json:"to,omitempty"` // whom it is about; empty once its record is gone
	Key      string          `json:"key,omitempty"`
	Policy   outbox.Policy   `json:"policy"`
	Attempts int             `json:"attempts"`
	Reason   string          `json:"reason,omitempty"`
	Enqueued time.Time       `json:"enqueued_at"`
	Changed  time.Time       `json:"changed_at"`
	Waits    *time.Time      `json:"not_before_at,omitempty"`
	Record   any             `json:"record,omitempty"`
	History  []outbox.Change `json:"history,omitempty"`
}

const entryColumns, entryMore = "id lane state to attempts changed_at reason", "key policy enqueued_at not_before_at"

func shown(e outbox.Entry) shownEntry {
	s := shownEntry{
		ID: e.ID, Lane: e.Lane, State: e.State, Key: e.Key, Policy: e.Policy, Attempts: e.Attempts, Reason: e.Reason, Enqueued: e.Enqueued, Changed: e.Changed,
	}
	if !e.NotBefore.IsZero() {
		s.Waits = &e.NotBefore
	}
	var about struct{ To, Email string }
	_ = json.Unmarshal(e.Record, &about)
	if s.To = about.Email; e.Lane == outbox.Emails {
		s.To = about.To
	}
	return s
}

// A selection is entries by lane and state.
type selection struct {
	lane, state string
	limit       int
	after       int64
}

func (s *selection) filter() (f outbox.Filter, err error) {
	f.After = s.after
	if s.lane != "" {
		if f.Lane, err = laneArg(s.lane); err != nil {
			return f, err
		}
	}
	if f.State = outbox.State(s.state); s.state != "" && !slices.Contains(outbox.States, f.State) {
		return f, usage("there is no state %q: want queued, sending, accepted, failed, parked or discarded", s.state)
	}
	if s.limit < 1 || s.limit > maxListed {
		return f, usage("--limit %d: want 1 to %d", s.limit, maxListed)
	}
	return f, nil
}

const maxListed = 10_000

func newOutboxList(o *outboxCommand) *cobra.Command {
	s := selection{}
	cmd := &cobra.Command{
		Use: "list", Short: "List entries", Args: cobra.NoArgs,
		Long: "Lists entries, by ID. What Bento accepted is not kept, unless it has a key or a history. States\n" +
			"are queued, sending, accepted, failed, parked and discarded.",
		Example: "  bentoctl outbox list --store spool --state parked\n" +
			"  bentoctl outbox list --store spool --lane emails --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := s.filter()
			if err != nil {
				return err
			}
			return o.with(cmd.Context(), func(ctx context.Context, sender *outbox.Sender) error { return o.list(ctx, sender, f, s.limit) })
		},
	}
	cmd.Flags().StringVar(&s.lane, "lane", "", "only of this lane")
	cmd.Flags().StringVar(&s.state, "state", "", "only in this state")
	cmd.Flags().IntVar(&s.limit, "limit", 50, "how many at most")
	cmd.Flags().Int64Var(&s.after, "after", 0, "only with a larger ID")
	return cmd
}

func (o *outboxCommand) list(ctx context.Context, s *outbox.Sender, f outbox.Filter, limit int) error {
	found, err := s.Entries(ctx, f, limit)
	if err != nil {
		return err
	}
	rows := make([]json.RawMessage, len(found))
	for i, e := range found {
		if rows[i], err = json.Marshal(shown(e)); err != nil {
			return err
		}
	}
	format := "table"
	if o.json {
		format = "json"
	}
	out := o.newPrinter(format, reading{columns: entryColumns, more: entryMore})
	if err := out.page(rows); err != nil {
		return err
	}
	if err := out.end(); err != nil || o.json || o.quiet {
		return err
	}
	switch {
	case len(found) == 0:
		fmt.Fprintln(o.err, "nothing of the kind")
	case len(found) == limit:
		fmt.Fprintf(o.err, "perhaps there are more: --after %d\n", found[len(found)-1].ID)
	}
	return nil
}

func newOutboxShow(o *outboxCommand) *cobra.Command {
	var record bool
	cmd := &cobra.Command{
		Use: "show ID", Short: "Show an entry and its history", Args: asUsed,
		Long:    "Shows an entry: its state, the reason, and its history, that is when it was parked or failed\nand what was decided. With --record also what is sent.",
		Example: "  bentoctl outbox show 12 --store spool\n  bentoctl outbox show 12 --store spool --record --json",
		RunE: func(cmd *cobra.Command, args []string) error {
			ids, err := idArgs(args)
			if err != nil {
				return err
			}
			return o.with(cmd.Context(), func(ctx context.Context, s *outbox.Sender) error { return o.show(ctx, s, ids[0], record) })
		},
	}
	cmd.Flags().BoolVar(&record, "record", false, "the record, too: it holds personal data")
	return cmd
}

func (o *outboxCommand) show(ctx context.Context, s *outbox.Sender, id int64, record bool) error {
	found, err := s.Entries(ctx, outbox.Filter{IDs: []int64{id}}, 1)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return &exitError{exitFailures, fmt.Errorf("there is no entry %d: it was delivered, or forgotten, or never was", id)}
	}
	e := shown(found[0])
	if record && len(found[0].Record) > 0 {
		e.Record = json.RawMessage(found[0].Record)
	}
	history, err := s.History(ctx, id)
	if err != nil {
		return err
	}
	if o.json {
		e.History = history
	}
	encoded, err := json.Marshal(e)
	if err != nil {
		return err
	}
	format := "table"
	if o.json {
		format = "json"
	}
	const every = "id lane state to key policy attempts reason enqueued_at changed_at not_before_at record"
	if err := o.newPrinter(format, reading{columns: every}).one(encoded); err != nil || o.json || len(history) == 0 {
		return err
	}
	rows := make([]json.RawMessage, len(history))
	for i, c := range history {
		rows[i], _ = json.Marshal(map[string]string{"at": c.At.UTC().Format(time.RFC3339), "to": string(c.State), "by": c.By, "reason": c.Reason})
	}
	fmt.Fprintln(o.out)
	whole := &tablePrinter{out: bufio.NewWriter(o.out), columns: []string{"at", "to", "by", "reason"}, width: unbounded}
	return whole.page(rows)
}

// entriesWord is a number of entries.
func entriesWord(n int) string {
	if n == 1 {
		return "1 entry"
	}
	return thousands(n) + " entries"
}
