package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"example.com/bento-go/outbox"
)

// An outboxCommand is what the verbs of outbox share.
type outboxCommand struct {
	*globals
	store storeFlag
}

func newOutbox(g *globals) *cobra.Command {
	o := &outboxCommand{globals: g}
	cmd := &cobra.Command{
		Use:   "outbox",
		Short: "Look into an outbox, and decide about what is parked",
		Long: "Looks into an outbox: what an application, send --outbox or import --outbox handed over,\n" +
			"and what became of it. It works beside the running application or relay.\n\n" +
			"Emails of which nobody knows whether they arrived are parked. Look in Bento whether they\n" +
			"did, then resend, confirm or discard them; who decided and why is kept.\n\n" + storeLong,
		Example: "  bentoctl outbox status --store spool\n" +
			"  bentoctl outbox list --store spool --state parked\n" +
			"  bentoctl outbox resend --store spool 12 --reason \"not in Bento's log\"",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	o.store.add(cmd)
	cmd.AddCommand(newOutboxStatus(o), newOutboxList(o), newOutboxShow(o))
	for _, d := range decisions {
		cmd.AddCommand(newDecision(o, d))
	}
	cmd.AddCommand(newOutboxPause(o), newOutboxResume(o), newOutboxDrain(g, &o.store))
	return cmd
}

// with does something with the outbox, and closes it.
func (o *outboxCommand) with(ctx context.Context, do func(context.Context, *outbox.Sender) error) error {
	ctx, cancel := o.bounded(ctx)
	defer cancel()
	spec, err := o.store.spec()
	if err != nil {
		return err
	}
	store, err := spec.open(ctx, false, slog.New(slog.DiscardHandler)) // who relays is told what weakens it
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }()
	return do(ctx, outbox.New(nil, store))
}

// say prints what was done, as JSON or in words.
func (g *globals) say(result any, format string, args ...any) (err error) {
	switch {
	case g.json:
		err = json.NewEncoder(g.out).Encode(result)
	case !g.quiet:
		_, err = fmt.Fprintf(g.out, format, args...)
	}
	return err
}

// laneArg reads the name of a lane.
func laneArg(text string) (outbox.Lane, error) {
	for _, lane := range outbox.Lanes {
		if text == string(lane) {
			return lane, nil
		}
	}
	return "", usage("there is no lane %q: want events, subscribers, commands or emails", text)
}

// idArgs reads IDs of entries.
func idArgs(args []string) ([]int64, error) {
	ids := make([]int64, len(args))
	for i, text := range args {
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil || id < 1 {
			return nil, usage("%q is no ID of an entry: want a number, as bentoctl outbox list shows it", text)
		}
		ids[i] = id
	}
	return ids, nil
}

func newOutboxPause(o *outboxCommand) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: "pause LANE", Short: "Hold a lane back", Args: asUsed,
		Long:    "Holds a lane back: what is in flight is finished, and nothing more is sent until resume.\nLanes are events, subscribers, commands and emails.",
		Example: "  bentoctl outbox pause emails --store spool --reason 'the template is wrong'",
		RunE: func(cmd *cobra.Command, args []string) error {
			lane, err := laneArg(args[0])
			if err != nil {
				return err
			}
			if strings.TrimSpace(reason) == "" {
				return usage("why? Give --reason, for whoever wonders")
			}
			return o.with(cmd.Context(), func(ctx context.Context, s *outbox.Sender) error {
				if err := s.Pause(ctx, lane, o.who()+": "+reason); err != nil {
					return err
				}
				return o.say(map[string]any{"lane": lane, "paused": true}, "%s is paused\n", lane)
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for whoever wonders")
	return cmd
}

func newOutboxResume(o *outboxCommand) *cobra.Command {
	return &cobra.Command{
		Use: "resume LANE", Short: "Let a lane go on", Args: asUsed,
		Long:    "Lets a lane go on that was paused, by pause or because Bento refused the account.",
		Example: "  bentoctl outbox resume emails --store spool",
		RunE: func(cmd *cobra.Command, args []string) error {
			lane, err := laneArg(args[0])
			if err != nil {
				return err
			}
			return o.with(cmd.Context(), func(ctx context.Context, s *outbox.Sender) error {
				if err := s.Resume(ctx, lane); err != nil {
					return err
				}
				return o.say(map[string]any{"lane": lane, "paused": false}, "%s goes on\n", lane)
			})
		},
	}
}
