package main

import (
	"bufio"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"example.com/bento-go/conformance"
	"example.com/bento-go/conformance/fake"
	"example.com/bento-go/gen"
	bento "example.com/bento-go/wrapper"
)

// What the demo sends unless it is given files.
var (
	//go:embed demo/subscribers.csv
	demoSubscribers string
	//go:embed demo/events.ndjson
	demoEvents string
)

const (
	demoUserAgent  = "bentoctl-demo/1.0"
	demoSite       = "b7a1c0de5173b7a1c0de5173b7a1c0de"
	demoBroadcasts = 60 // three pages of the fake's
	demoEmails     = 61 // one more than a batch holds
	// demoFaults is what the client meets on the way.
	demoFaults = "importSubscribers#1=503,importSubscribers#2=reset,trackEvents#1=429:1"
	faultsMet  = 3
)

// demoOptions are the flags of demo.
type demoOptions struct {
	subscribers, events, recording string
	live, yes                      bool
	from, to                       string
}

func newDemo(g *globals) *cobra.Command {
	var o demoOptions
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show the whole idea at work, on this machine",
		Long: "Starts a fake Bento on loopback and talks to it as an application would: imports\n" +
			"subscribers, tracks events, sends emails, walks through pages, and meets a rate limit,\n" +
			"a server error and a broken connection on the way. It records everything, checks the\n" +
			"recording by the contract, and compares with what the fake counted.\n\n" +
			"Exit code 0 says that nothing was lost, nothing was sent twice, and nothing broke the\ncontract.",
		Example: "  bentoctl demo\n  bentoctl demo --subscribers people.csv --events events.ndjson",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := g.bounded(cmd.Context())
			defer cancel()
			return g.demo(ctx, o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.subscribers, "subscribers", "", "CSV with a column email, instead of the demo's own")
	flags.StringVar(&o.events, "events", "", "NDJSON of events, instead of the demo's own")
	flags.StringVar(&o.recording, "recording", "", "where to keep the recording (default: a temporary file)")
	flags.BoolVar(&o.live, "live", false, "talk to the real API with BENTO_* and your own files, after asking")
	yesFlag(cmd, &o.yes, "with --live: do not ask")
	flags.StringVar(&o.from, "from", "", "with --live: send one email from this Author ...")
	flags.StringVar(&o.to, "to", "", "... to this address")
	return cmd
}

// A demo is one run: a client that is recorded, talking to a fake or to the real API.
type demo struct {
	*globals
	options   demoOptions
	client    *bento.Client
	server    *fake.Server // nil when live
	tally     *tally
	recording string
	people    input
	events    input
	rows      []row
	leftOut   int
}

func (g *globals) demo(ctx context.Context, o demoOptions) error {
	if o.live {
		if err := g.confirmLive(ctx, o); err != nil {
			return err
		}
	}
	d := &demo{globals: g, options: o}
	if err := d.openInputs(); err != nil {
		return err
	}
	defer d.closeInputs()
	cfg := bento.ConfigFromEnv("")
	if o.live && cfg.UserAgent == "" {
		cfg.UserAgent = demoUserAgent
	}
	if !o.live {
		stop, address, err := d.startFake(ctx)
		if err != nil {
			return err
		}
		defer stop()
		cfg = bento.Config{
			PublishableKey: "pk_demo_publishable", SecretKey: "sk_demo_secret", SiteUUID: demoSite, UserAgent: demoUserAgent,
			BaseURL: "http://" + address + gen.BasePath,
		}
	}
	return d.run(ctx, cfg)
}

// run talks, records, and judges what was recorded.
func (d *demo) run(ctx context.Context, cfg bento.Config) error {
	if _, err := bento.New(cfg); err != nil { // before a recording is overwritten for nothing
		return err
	}
	file, err := d.createRecording()
	if err != nil {
		return &exitError{exitUsage, err}
	}
	out := bufio.NewWriter(file)
	recorder := conformance.NewRecorder(http.DefaultTransport, out)
	d.tally = &tally{next: recorder}
	retry := bento.RetryPolicy{MinBackoff: 200 * time.Millisecond}
	opts := []bento.Option{bento.WithHTTPClient(&http.Client{Transport: d.tally}), bento.WithRetry(retry)}
	if strings.HasPrefix(cfg.BaseURL, "http:") { // loopback: a fake, whose own limit holds all the same
		opts = append(opts, bento.WithPace(bento.PaceOff))
	}
	d.client, err = bento.New(cfg, opts...)
	if err != nil {
		return errors.Join(err, file.Close())
	}
	newKeyWatch(d.err, nil).look(cfg.PublishableKey, cfg.SecretKey, cfg.SiteUUID)
	d.header(cfg)
	talked := d.talk(ctx)
	d.client.CloseIdleConnections()
	if err := errors.Join(recorder.Close(), out.Flush(), file.Close()); err != nil {
		return fmt.Errorf("the recording %s could not be written: %w", d.recording, err)
	}
	return d.conclude(ctx, talked)
}

func (d *demo) createRecording() (*os.File, error) {
	if d.options.recording != "" {
		d.recording = d.options.recording
		return createPrivate(d.recording)
	}
	file, err := os.CreateTemp("", "bento-demo-*.har")
	if err == nil {
		d.recording = file.Name()
	}
	return file, err
}

// startFake serves a fake on any free port of loopback until stop is called.
func (d *demo) startFake(ctx context.Context) (stop func(), address string, err error) {
	faults, err := fake.ParseFaults(demoFaults)
	if err != nil {
		return nil, "", err
	}
	docs, err := fake.ParseLimits("docs")
	if err != nil {
		return nil, "", err
	}
	d.server, err = fake.New(fake.WithFaults(faults...), fake.WithLimits(docs), fake.WithBroadcasts(demoBroadcasts))
	if err != nil {
		return nil, "", err
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", fmt.Errorf("no port on loopback to listen on: %w", err)
	}
	serving, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = serve(serving, listener, d.server) // should it fail, the client notices
	}()
	return func() { cancel(); <-done }, listener.Addr().String(), nil
}

// confirmLive makes sure that somebody wants what is about to happen to a real site.
func (g *globals) confirmLive(ctx context.Context, o demoOptions) error {
	if o.subscribers == "" || o.events == "" {
		return usage("--live changes a real site: give your own --subscribers FILE and --events FILE; the demo's people do not exist")
	}
	if (o.from == "") != (o.to == "") {
		return usage("--from and --to belong together: give both to send one email, or neither")
	}
	return g.confirm(ctx, o.yes, fmt.Sprintf("This imports %s and tracks %s on the site that %s names, which may trigger automations.", o.subscribers, o.events, bento.EnvSiteUUID))
}
