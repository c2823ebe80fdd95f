package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	bento "example.com/bento-go/wrapper"
)

// A finding of a probe. None of its words holds a key or the site.
type finding struct {
	Name   string `json:"name"`
	Status string `json:"status"` // ok, fail or skip
	Text   string `json:"finding"`
	Fix    string `json:"fix,omitempty"`

	code int // the exit code of a failure
}

const doctorPatience = 30 * time.Second

func newDoctor(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Find out why Bento does not answer as it should",
		Long: "Looks at the set-up one step after another: keys, site, User-Agent, address, proxy, network, TLS, and " +
			"what the API says to one read. Each finding says what to do. No key is ever printed.\n\n" +
			"Exit code: 0 all is well, 2 the set-up is wrong, 3 Bento refuses the keys, 4 the network or Bento fails.",
		Example: "  bentoctl doctor\n  bentoctl doctor --profile staging --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), doctorPatience)
			defer cancel()
			ctx, stop := g.boundedIn(ctx)
			defer stop()
			return g.doctor(ctx)
		},
	}
}

// boundedIn applies --timeout to a context that has an end already.
func (g *globals) boundedIn(ctx context.Context) (context.Context, context.CancelFunc) {
	if g.timeout > 0 {
		return context.WithTimeout(ctx, g.timeout)
	}
	return context.WithCancel(ctx)
}

func (g *globals) doctor(ctx context.Context) error {
	cfg, err := g.config(ctx)
	var findings []finding
	if err != nil {
		findings = append(findings, finding{"configuration", "fail", err.Error(), "Mend it as it says, or use the environment (BENTO_*) instead.", exitUsage})
	} else {
		findings = append(findings, probeKeys(cfg)...)
		findings = append(findings, probeProxy(cfg))
		findings = append(findings, probeNetwork(ctx, cfg)...)
		findings = append(findings, g.probeAPI(ctx, cfg, failed(findings))...)
	}
	if err := g.tellFindings(findings); err != nil {
		return err
	}
	if code := failed(findings); code != 0 {
		return &exitError{code, errors.New("something is wrong: see what failed first")}
	}
	return nil
}

// failed is the exit code of the first failure, 0 if there is none.
func failed(findings []finding) int {
	for _, f := range findings {
		if f.Status == "fail" {
			return f.code
		}
	}
	return 0
}

func (g *globals) tellFindings(findings []finding) error {
	if g.json {
		return json.NewEncoder(g.out).Encode(map[string]any{"ok": failed(findings) == 0, "probes": findings})
	}
	for _, f := range findings {
		if g.quiet && f.Status != "fail" {
			continue
		}
		fmt.Fprintf(g.out, "%-5s %-13s %s\n", f.Status, f.Name, f.Text)
		if f.Fix != "" {
			for line := range strings.SplitSeq(wrap(f.Fix, columns-20), "\n") {
				fmt.Fprintf(g.out, "%-19s %s\n", "", line)
			}
		}
	}
	return nil
}

// probeAPI makes one read, and explains what comes back.
func (g *globals) probeAPI(ctx context.Context, cfg bento.Config, code int) []finding {
	if code != 0 {
		return []finding{{Name: "api", Status: "skip", Text: "not asked: something before it failed"}}
	}
	client, err := bento.New(cfg, bento.WithRetry(bento.RetryPolicy{MaxAttempts: 1}))
	if err != nil {
		return []finding{{"api", "fail", strings.ReplaceAll(err.Error(), "\n", "; "), "", exitUsage}}
	}
	defer client.CloseIdleConnections()
	var answer bento.Response
	began := time.Now()
	_, err = client.ListTags(ctx, bento.WithResponse(&answer))
	took := time.Since(began).Round(time.Millisecond)
	findings := []finding{probeClock(answer.Header, time.Now())}
	if err == nil {
		return append(findings, finding{Name: "api", Status: "ok", Text: fmt.Sprintf("answered a read (list tags) with %d in %v", answer.StatusCode, took)})
	}
	f := finding{"api", "fail", plainly(err), "", codeOfAPI(err)}
	var said *bento.Error
	if errors.As(err, &said) {
		f.Fix = said.Hint
	}
	for kind, fix := range fixes {
		if errors.Is(err, kind) {
			f.Fix = fix
		}
	}
	return append(findings, f)
}

// codeOfAPI is the exit code for what the API said. 1 is none of doctor's: either the address is not the API's, or
// the API fails.
func codeOfAPI(err error) int {
	code := exitCode(err)
	switch {
	case code != exitFailures:
		return code
	case errors.Is(err, bento.ErrNotFound), errors.Is(err, bento.ErrRedirected), errors.Is(err, bento.ErrUnexpectedAnswer):
		return exitUsage
	}
	return exitGaveUp
}

// fixes are what to do, by what the API said.
var fixes = map[error]string{
	bento.ErrUnauthorized: "Send both keys by Basic auth, publishable:secret, and the site_uuid of the same account. All three are in Bento under Settings, API Keys. " +
		"A key that was renewed is another key.",
	bento.ErrBlocked: "The request was stopped before it reached the API. Give your application's real name and version as User-Agent, such as AcmeCRM/1.0 " +
		"(BENTO_USER_AGENT); generic ones are blocked. If it is real, ask Bento whether your address is blocked.",
	bento.ErrRateLimited:      "Too many requests: wait as Retry-After says, and find out what else uses this account.",
	bento.ErrUnexpectedAnswer: "What answers is not Bento's API, or is changed on its way: check BENTO_BASE_URL, and any proxy or portal in between.",
	bento.ErrRedirected:       "The address leads elsewhere: check BENTO_BASE_URL. It ends with /api/v1.",
	bento.ErrNotFound:         "There is no such path at this address: check BENTO_BASE_URL. It ends with /api/v1.",
}

// plainly is an error in one line.
func plainly(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// maxSkew is how far clocks may be apart before somebody should know.
const maxSkew = 5 * time.Minute

// probeClock compares this machine's clock with that of whoever answered.
func probeClock(h http.Header, now time.Time) finding {
	there, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return finding{Name: "clock", Status: "skip", Text: "nobody said what time it is"}
	}
	skew := now.Sub(there).Round(time.Second)
	if skew.Abs() > maxSkew {
		return finding{"clock", "fail", fmt.Sprintf("this machine's clock is %v off", skew), "Set the clock (NTP): Retry-After dates, certificates and the dates of events go wrong by it.", exitUsage}
	}
	return finding{Name: "clock", Status: "ok", Text: "agrees with the server's"}
}
