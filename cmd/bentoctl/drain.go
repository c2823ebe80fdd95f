package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"example.com/bento-go/outbox"
)

func newOutboxDrain(g *globals, store *storeFlag) *cobra.Command {
	var limits string
	cmd := &cobra.Command{
		Use: "drain", Short: "Deliver what waits, then end",
		Long: "Delivers until nothing waits any more, by itself or beside the sender that holds the lanes.\n" +
			"--timeout ends it before; what is left stays in the outbox.\n\n" +
			"Exit code: 0 all is delivered, 1 something of it is parked or failed, 4 the time was over,\n" +
			"130 interrupted.",
		Example: "  bentoctl outbox drain --store spool --timeout 10m",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := g.bounded(cmd.Context())
			defer cancel()
			return g.drain(ctx, store, limits)
		},
	}
	limitsFlag(cmd, &limits)
	return cmd
}

func (g *globals) drain(ctx context.Context, flag *storeFlag, limits string) error {
	d, err := g.delivery(ctx, flag, limits, false)
	if err != nil {
		return err
	}
	if d.before, err = d.store.Stats(ctx); err != nil {
		return errors.Join(err, d.store.Close())
	}
	d.begin(ctx)
	flushed := d.flush(ctx)
	ended := d.stop() // what it still settles counts
	after, err := d.store.Stats(context.WithoutCancel(ctx))
	if err := errors.Join(ended, err, d.close()); err != nil {
		return err
	}
	accepted := d.since(after, outbox.Accepted)
	left := d.since(after, outbox.Parked) + d.since(after, outbox.Failed)
	if err := g.say(map[string]int64{"accepted": accepted, "parked_or_failed": left, "waiting": int64(after.Waiting())},
		"%s accepted, %s parked or failed, %s left\n", entriesWord(int(accepted)), thousands(int(left)), thousands(after.Waiting())); err != nil {
		return err
	}
	remaining := (*outbox.RemainingError)(nil)
	switch interrupted := errors.As(flushed, &remaining); {
	case errors.Is(flushed, errPaused):
		return d.explainPause(after, flag)
	case interrupted && after.Waiting() > 0:
		return fmt.Errorf("%w; %s", context.Cause(ctx), g.toldWaiting(after.Waiting()))
	case interrupted: // and what was in flight was the rest
	case flushed != nil && ctx.Err() != nil:
		return fmt.Errorf("%w: %w", flushed, context.Cause(ctx))
	case flushed != nil:
		return flushed
	}
	if left > 0 {
		return &exitError{exitFailures, fmt.Errorf("%s parked or failed: %s", entriesWord(int(left)), flag.hint("list"))}
	}
	return nil
}

// toldWaiting says that something waits, and how much where the results did not.
func (g *globals) toldWaiting(n int) string {
	switch {
	case !g.quiet || g.json:
		return "what is left waits in the outbox"
	case n == 1:
		return "1 entry waits in the outbox"
	}
	return entriesWord(n) + " wait in the outbox"
}

// since is how many entries came to a state since the delivery began.
func (d *delivery) since(now outbox.Stats, state outbox.State) (n int64) {
	for _, lane := range outbox.Lanes {
		n += now.Lanes[lane].Total(state) - d.before.Lanes[lane].Total(state)
	}
	return n
}

var errPaused = errors.New("what waits is paused")

// flush waits until nothing waits any more, or all that does is paused.
func (d *delivery) flush(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	looking := time.NewTicker(300 * time.Millisecond)
	defer looking.Stop()
	ended := make(chan error, 1)
	go func() { ended <- d.sender.Flush(ctx) }()
	for {
		select {
		case err := <-ended:
			if errors.Is(context.Cause(ctx), errPaused) {
				return errPaused
			}
			return err
		case <-looking.C:
		}
		if stats, err := d.store.Stats(context.WithoutCancel(ctx)); err == nil && allPaused(stats) {
			stop(errPaused)
		}
	}
}

// allPaused reports whether everything that waits is in lanes that are paused.
func allPaused(stats outbox.Stats) bool {
	paused := false
	for _, of := range stats.Lanes {
		if of.Depth() > 0 && of.Paused == "" {
			return false
		}
		paused = paused || of.Depth() > 0
	}
	return paused
}

// explainPause says which lanes are paused, and why. Where it was on account of the keys, that is the
// program's exit code.
func (d *delivery) explainPause(now outbox.Stats, flag *storeFlag) error {
	code, told := exitFailures, ""
	for _, lane := range outbox.Lanes {
		of := now.Lanes[lane]
		if of.Depth() == 0 || of.Paused == "" {
			continue
		}
		told += fmt.Sprintf("\n%s: %s; mend it, then: %s", lane, of.Paused, flag.hint("resume "+string(lane)))
		for _, cause := range []outbox.Cause{"unauthorized", "forbidden"} {
			if of.Totals[outbox.Queued][cause] > d.before.Lanes[lane].Totals[outbox.Queued][cause] {
				code = exitRefused
			}
		}
	}
	return &exitError{code, fmt.Errorf("what is left is paused:%s", told)}
}
