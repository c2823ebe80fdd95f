package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"example.com/bento-go/outbox"
	bento "example.com/bento-go/wrapper"
)

func newRelay(g *globals) *cobra.Command {
	var store storeFlag
	var limits string
	var lease time.Duration
	cmd := &cobra.Command{
		Use:   "relay",
		Short: "Deliver what an outbox holds, as a daemon",
		Long: "Delivers what applications put into an outbox, until it is told to end by Ctrl-C or SIGTERM:\n" +
			"it then finishes what is in flight, and leaves the rest to the next. Several may run; each\n" +
			"lane is sent by one, and another takes over when that one dies, after --lease.\n\n" +
			"The first line of standard output says that it is ready. What is parked, failed and paused,\n" +
			"and once a minute what waits, is logged to standard error; by --json as JSON.\n\n" + storeLong,
		Example: "  bentoctl relay --store spool\n" +
			"  bentoctl relay --store nats://n1.internal:4222,n2.internal:4222\n" +
			"  BENTO_OUTBOX=postgres://relay@db.internal/app bentoctl relay",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := g.bounded(cmd.Context())
			defer cancel()
			if lease < minLease || lease > maxLease {
				return usage("--lease %v: want %v to %v", lease, minLease, maxLease)
			}
			return g.relay(ctx, &store, limits, outbox.WithLease(lease))
		},
	}
	store.add(cmd)
	limitsFlag(cmd, &limits)
	cmd.Flags().DurationVar(&lease, "lease", 10*time.Second, "how long the lanes of a relay that died stay its own")
	return cmd
}

// A lease is no shorter than a busy disk needs to renew it, and no longer than people have patience.
const minLease, maxLease = 100 * time.Millisecond, 10 * time.Minute

// limitsFlag adds --limits, the client's own pace.
func limitsFlag(cmd *cobra.Command, limits *string) {
	cmd.Flags().StringVar(limits, "limits", "docs", "how fast to send: docs (the lower limit that Bento names), off, or N/min for batches")
}

// grace is how long a relay that was told to end waits for what is in flight.
const grace = time.Minute

// A delivery is a sender that runs in this process.
type delivery struct {
	store  outbox.Store
	sender *outbox.Sender
	client *bento.Client
	before outbox.Stats
	ended  chan error
}

// delivery opens a store to send what it holds.
func (g *globals) delivery(ctx context.Context, flag *storeFlag, limits string, create bool, opts ...outbox.Option) (*delivery, error) {
	pace, err := paceOf(limits)
	if err != nil {
		return nil, err
	}
	spec, err := flag.spec()
	if err != nil {
		return nil, err
	}
	client, err := g.connect(ctx, bento.WithPace(pace))
	if err != nil {
		return nil, err
	}
	store, err := g.openStore(ctx, spec, create)
	if err != nil {
		return nil, err
	}
	sender := outbox.New(client, store, append(opts, outbox.WithLogger(g.logger()))...)
	return &delivery{store: store, client: client, ended: make(chan error, 1), sender: sender}, nil
}

// begin sends until end.
func (d *delivery) begin(ctx context.Context) {
	go func() { d.ended <- d.sender.Run(context.WithoutCancel(ctx)) }()
}

// logger logs to standard error: warnings only if the command is to be quiet.
func (g *globals) logger() *slog.Logger {
	options := &slog.HandlerOptions{}
	if g.quiet {
		options.Level = slog.LevelWarn
	}
	if g.json {
		return slog.New(slog.NewJSONHandler(g.err, options))
	}
	return slog.New(slog.NewTextHandler(g.err, options))
}

// stop lets what is in flight finish, within the grace.
func (d *delivery) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	d.sender.Stop(ctx) // what waits is for the next sender
	return <-d.ended
}

// close lets go of what is open.
func (d *delivery) close() error {
	d.client.CloseIdleConnections()
	return d.store.Close()
}

func (d *delivery) end() error { return errors.Join(d.stop(), d.close()) }

func (g *globals) relay(ctx context.Context, flag *storeFlag, limits string, opts ...outbox.Option) error {
	d, err := g.delivery(ctx, flag, limits, true, opts...)
	if err != nil {
		return err
	}
	d.begin(ctx)
	spec, _ := flag.spec() // which delivery has read
	if g.json {
		err = json.NewEncoder(g.out).Encode(map[string]string{"relaying": spec.String()})
	} else {
		_, err = fmt.Fprintf(g.out, "relaying %s\n", spec)
	}
	if err != nil {
		return errors.Join(err, d.end())
	}
	<-ctx.Done()
	if !g.quiet {
		fmt.Fprintln(g.err, "ending: what is in flight is finished, the rest stays")
	}
	return d.end()
}
