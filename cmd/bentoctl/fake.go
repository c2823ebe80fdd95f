package main

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"example.com/bento-go/conformance/fake"
	"example.com/bento-go/conformance/fake/statefile"
	"example.com/bento-go/gen"
)

func newFake(g *globals) *cobra.Command {
	var (
		listen, faults, limits, credentials, state string
		strict, lenient                            bool
		delay                                      time.Duration
		seed                                       uint64
	)
	cmd := &cobra.Command{
		Use:   "fake",
		Short: "Serve a Bento that enforces the contract",
		Long: "Serves a Bento, under " + gen.BasePath + ". It enforces the contract, keeps what it is sent,\n" +
			"and breaks on demand. Nothing leaves this machine. Any keys and any site will do, unless\n" +
			"--credentials names the only ones; the user agent is the application's real name and version.\n\n" +
			"Under / is a page that shows what arrives, and arms faults; under /_fake the same for\nprograms.\n\n" +
			"Faults are OPERATION[#N|/N|~P]=ACTION, joined by commas. OPERATION is an operationId of\n" +
			"the contract, or *; #N meets its N-th request, /N every N-th, ~P P percent of them; ACTION\n" +
			"is a status such as 503, 429:SECONDS, html:STATUS, reset, truncate, delay:DURATION or\nslow:DURATION. " +
			"Of several that a request meets the first delay, the first slow and the first of\nthe rest take effect.",
		Example: "  bentoctl fake\n" +
			"  bentoctl fake --state bento.state\n" +
			"  bentoctl fake --limits off --faults 'trackEvents#2=429:5,listTags=html:502'\n" +
			"  BENTO_BASE_URL=http://127.0.0.1:7373" + gen.BasePath + " BENTO_PUBLISHABLE_KEY=any \\\n" +
			"    BENTO_SECRET_KEY=any BENTO_SITE_UUID=any BENTO_USER_AGENT=AcmeCRM/1.0 \\\n    your-application",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if strict && lenient {
				return usage("--strict and --lenient exclude each other: give one")
			}
			opts, err := fakeOptions(faults, limits, credentials)
			if err != nil {
				return err
			}
			if lenient {
				opts = append(opts, fake.Lenient())
			}
			opts = append(opts, fake.WithSeed(seed), fake.WithVisibilityDelay(delay))
			if state != "" {
				file, err := statefile.Open(state)
				if err != nil {
					return usage("--state: %w", err)
				}
				defer func() { _ = file.Close() }()
				opts = append(opts, fake.WithStore(file))
			}
			ctx, cancel := g.bounded(cmd.Context())
			defer cancel()
			return g.serveFake(ctx, listen, opts)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&listen, "listen", "127.0.0.1:7373", "address to listen on; port 0 takes any free one")
	flags.BoolVar(&strict, "strict", false, "the conventions to the letter (the default)")
	flags.BoolVar(&lenient, "lenient", false, "also take site_uuid in the body and generic User-Agents")
	flags.StringVar(&faults, "faults", "", "what to break, and when")
	flags.StringVar(&limits, "limits", "docs", "rate limits: off, docs or N/min; :sliding slides the window")
	flags.Uint64Var(&seed, "seed", 0, "makes faults by chance the same each time")
	flags.DurationVar(&delay, "visibility-delay", 0, "until events, imports and commands take effect")
	flags.StringVar(&state, "state", "", "file that keeps what is sent across restarts (default: memory)")
	flags.StringVar(&credentials, "credentials", "", "PK:SK:SITE, the only ones to accept (default: any)")
	return cmd
}

func fakeOptions(faults, limits, credentials string) ([]fake.Option, error) {
	armed, err := fake.ParseFaults(faults)
	if err != nil {
		return nil, usage("--faults: %w", err)
	}
	l, err := fake.ParseLimits(limits)
	if err != nil {
		return nil, usage("--limits: %w", err)
	}
	opts := []fake.Option{fake.WithFaults(armed...), fake.WithLimits(l), fake.WithBroadcasts(demoBroadcasts)}
	if credentials != "" {
		parts := strings.Split(credentials, ":")
		if len(parts) != 3 || parts[0] == "" || parts[1] == "" || parts[2] == "" {
			return nil, usage("--credentials: want PUBLISHABLE_KEY:SECRET_KEY:SITE_UUID, three parts, none empty")
		}
		opts = append(opts, fake.WithCredentials(parts[0], parts[1], parts[2]))
	}
	return opts, nil
}

// serveFake serves until ctx ends, which is its regular end.
func (g *globals) serveFake(ctx context.Context, listen string, opts []fake.Option) error {
	handler, err := fake.New(opts...)
	if err != nil {
		return err
	}
	control := handler.Control()
	mux := http.NewServeMux()
	mux.Handle("/", handler)
	mux.Handle("GET /{$}", control)
	mux.Handle("/_fake/", http.StripPrefix("/_fake", control))
	return errors.Join(g.listen(ctx, listen, mux), handler.Close())
}
