package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"example.com/bento-go/conformance"
	"example.com/bento-go/gen"
	"example.com/bento-go/internal/loopback"
)

// A recordJob is what the flags of record say.
type recordJob struct {
	listen, upstream, output string
	check                    bool
}

func newRecord(g *globals) *cobra.Command {
	var job recordJob
	cmd := &cobra.Command{
		Use:   "record -o FILE",
		Short: "Record traffic with Bento, through a proxy",
		Long: "Passes requests on to Bento, or to whatever --upstream names, and writes what passes as\n" +
			"HAR. Keys and site are redacted as it writes; bodies are kept, and may hold personal data:\n" +
			"keep the file like them. What was written is readable even if the program is killed.\n\n" +
			"Point your application's base URL at the address that is printed.\n\n" +
			"Exit code: 0, or 1 if --check found an error.",
		Example: "  bentoctl record -o today.har\n" +
			"  bentoctl record --check -o test.har --upstream http://127.0.0.1:7373" + gen.BasePath,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := g.bounded(cmd.Context())
			defer cancel()
			return g.record(ctx, job)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&job.listen, "listen", "127.0.0.1:7374", "address to listen on; port 0 takes any free one")
	flags.StringVar(&job.upstream, "upstream", gen.ServerURL, "base URL of the API to pass requests on to")
	flags.StringVarP(&job.output, "output", "o", "", "write the recording to this file")
	flags.BoolVar(&job.check, "check", false, "judge what passes, and say so")
	_ = cmd.MarkFlagRequired("output")
	return cmd
}

func (g *globals) record(ctx context.Context, job recordJob) error {
	upstream, err := upstreamURL(job.upstream)
	if err != nil {
		return usage("--upstream: %w", err)
	}
	listener, err := bind(ctx, job.listen) // first: where another records, its file is not to be emptied
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }()
	file, err := createPrivate(job.output)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableCompression = true // a compressed body could not be redacted
	recorder := conformance.NewRecorder(transport, file)
	watch := &watch{g: g}
	keys := newKeyWatch(g.err, recorder)
	keys.fromEnvironment()
	var through http.RoundTripper = keys
	if job.check {
		checker, err := conformance.New(conformance.WithServer(upstream.String()))
		if err != nil {
			return err
		}
		through = conformance.NewTransport(keys, checker, conformance.Live{Report: watch.report})
	}
	g.announce(job.listen, listener.Addr())
	err = serve(ctx, listener, passOn(upstream, through))
	err = errors.Join(err, recorder.Close(), file.Close())
	transport.CloseIdleConnections()
	if !g.quiet {
		fmt.Fprintln(g.err, "recorded to", job.output)
	}
	if err == nil && watch.errors > 0 {
		return &exitError{exitFailures, fmt.Errorf("%d errors were found in what passed: see bentoctl check %s", watch.errors, job.output)}
	}
	return err
}

// upstreamURL admits https anywhere and http on loopback: credentials travel with each request.
func upstreamURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("not a URL: want one such as %s", gen.ServerURL)
	}
	if !loopback.MayCarryCredentials(u) {
		return nil, errors.New("it must be https, since credentials travel with each request; http only on loopback")
	}
	return u, nil
}

// passOn is a proxy to an API whose base path stands in for ours.
func passOn(upstream *url.URL, transport http.RoundTripper) http.Handler {
	return &httputil.ReverseProxy{
		Transport: transport,
		ErrorLog:  log.New(discard{}, "", 0), // its texts quote URLs
		Rewrite: func(r *httputil.ProxyRequest) {
			below := strings.TrimPrefix(r.In.URL.Path, gen.BasePath)
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = upstream.Scheme, upstream.Host, upstream.Host
			r.Out.URL.Path, r.Out.URL.RawPath = strings.TrimSuffix(upstream.Path, "/")+below, ""
			r.Out.Header.Del("Accept-Encoding")
			if _, named := r.In.Header["User-Agent"]; !named {
				r.Out.Header["User-Agent"] = nil // as it came: without
			}
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
			http.Error(w, "bentoctl record: no answer from "+upstream.Host, http.StatusBadGateway)
		},
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// A watch tells of what a live check finds.
type watch struct {
	g      *globals
	mu     sync.Mutex
	errors int
}

func (w *watch) report(v conformance.Verdict) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range v.Findings {
		if f.Severity == conformance.SeverityError {
			w.errors++
		}
		if !w.g.quiet {
			fmt.Fprintf(w.g.err, "%-7s %s  %s %s %s: %s\n", f.Severity, f.Rule, f.Operation, f.Side, f.Pointer, f.Message)
		}
	}
}
