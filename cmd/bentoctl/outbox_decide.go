package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/user"
	"strings"

	"github.com/spf13/cobra"

	"example.com/bento-go/outbox"
)

// A decision is what a person may do about entries that are parked or failed.
type decision struct {
	verb, short, long, done string
	about                   string // asked before; %s is how many entries
	reason                  string // for the example
	all, because            string // those of a lane, and why; likewise
	decide                  func(*outbox.Sender, context.Context, string, string, ...int64) error
}

var decisions = []decision{
	{
		"resend", "Send entries again",
		"Queues entries anew. An email that did arrive arrives a second time: look in Bento first.",
		"queued again", "This sends %s again.",
		"not in Bento's log", "--state failed --lane events", "the field is mended", (*outbox.Sender).Resend,
	},
	{
		"confirm", "Say that entries arrived",
		"Says that entries did arrive: they count as accepted, and their records are removed.",
		"confirmed", "This says that %s arrived, and removes the records.",
		"Bento's log, 14:05", "--state parked --lane emails", "all in Bento's log", (*outbox.Sender).Confirm,
	},
	{
		"discard", "Give entries up",
		"Gives entries up: they are not sent, and their records are removed.",
		"discarded", "This gives %s up, and removes the records.",
		"too late now", "--state parked --lane emails", "the sale is over", (*outbox.Sender).Discard,
	},
}

// maxDecided bounds how many entries are decided about at a time.
const maxDecided = 1000

func newDecision(o *outboxCommand, d decision) *cobra.Command {
	var reason string
	var yes bool
	s := selection{limit: maxDecided}
	cmd := &cobra.Command{
		Use: d.verb + " ID...", Short: d.short, Args: cobra.ArbitraryArgs,
		Long: d.long + "\n\nEntries are named by their IDs, or by --state parked or failed, all of them or those of --lane;\n" +
			"they have to be parked or failed. Your name and the reason are kept in their history.",
		Example: fmt.Sprintf("  bentoctl outbox %s 12 13 --store spool --reason %q\n", d.verb, d.reason) +
			fmt.Sprintf("  bentoctl outbox %s %s --store spool --yes \\\n    --reason %q", d.verb, d.all, d.because),
		RunE: func(cmd *cobra.Command, args []string) error {
			if strings.TrimSpace(reason) == "" {
				return usage("why? Give --reason, which is kept")
			}
			ids, err := idArgs(args)
			if err != nil {
				return err
			}
			if (len(ids) == 0) == (s.state == "") {
				return usage("name entries by their IDs, or all by --state parked or failed, one of them")
			}
			if s.state != "" && s.state != string(outbox.Parked) && s.state != string(outbox.Failed) {
				return usage("--state %s: want parked or failed, which are for a person to decide", s.state)
			}
			f, err := s.filter()
			if err != nil {
				return err
			}
			if f.IDs = ids; len(ids) == 0 {
				f.IDs = nil
			}
			return o.with(cmd.Context(), func(ctx context.Context, sender *outbox.Sender) error {
				return o.decide(ctx, sender, d, f, reason, yes)
			})
		},
	}
	cmd.Flags().StringVar(&s.state, "state", "", "all that are parked, or failed")
	cmd.Flags().StringVar(&s.lane, "lane", "", "only of this lane")
	cmd.Flags().StringVar(&reason, "reason", "", "why, which is kept")
	yesFlag(cmd, &yes, "do not ask")
	return cmd
}

func (o *outboxCommand) decide(ctx context.Context, s *outbox.Sender, d decision, f outbox.Filter, reason string, yes bool) error {
	found, err := s.Entries(ctx, f, maxDecided)
	if err != nil {
		return err
	}
	there := map[int64]bool{}
	ids := make([]int64, len(found))
	for i, e := range found {
		if e.State != outbox.Parked && e.State != outbox.Failed {
			return &exitError{exitFailures, fmt.Errorf("entry %d is %s: only what is parked or failed is for a person to decide; nothing was changed", e.ID, e.State)}
		}
		ids[i], there[e.ID] = e.ID, true
	}
	for _, id := range f.IDs {
		if !there[id] {
			return &exitError{exitFailures, fmt.Errorf("there is no entry %d; nothing was changed", id)}
		}
	}
	if len(ids) == 0 {
		fmt.Fprintln(o.err, "nothing of the kind")
		if o.json {
			return o.say(map[string]any{"entries": 0, "ids": ids}, "")
		}
		return nil
	}
	if err := o.confirmTo(ctx, yes, fmt.Sprintf(d.about, o.described(found)), "nothing was changed"); err != nil {
		return err
	}
	if err := d.decide(s, ctx, o.who(), reason, ids...); err != nil {
		return fmt.Errorf("somebody else decided meanwhile, or it cannot be kept: %w", err)
	}
	if err := o.say(map[string]any{"entries": len(ids), "ids": ids}, "%s %s\n", entriesWord(len(ids)), d.done); err != nil {
		return err
	}
	if len(ids) == maxDecided && !o.quiet {
		fmt.Fprintln(o.err, "perhaps there are more: give the command again")
	}
	return nil
}

// described says how many entries there are, and whom the first of them are about.
func (o *outboxCommand) described(found []outbox.Entry) string {
	const named = 3
	var people []string
	for _, e := range found[:min(len(found), named)] {
		if to := shown(e).To; to != "" {
			people = append(people, escaped(to))
		}
	}
	text := entriesWord(len(found))
	if len(people) == 0 {
		return text
	}
	if len(found) > named {
		people = append(people, "…")
	}
	return text + " (" + strings.Join(people, ", ") + ")"
}

// who is whoever gives the command.
func (o *outboxCommand) who() string {
	name := os.Getenv("USER")
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	host, _ := os.Hostname()
	return cmp.Or(name, "somebody") + "@" + cmp.Or(host, "somewhere")
}
