package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"example.com/bento-go/conformance"
	"example.com/bento-go/conformance/fake"
	bento "example.com/bento-go/wrapper"
)

// A row is what became of one step.
type row struct {
	Step string
	bento.Result
	met met
}

// line formats a row of the table: a name, three numbers, a note.
func line(name, records, accepted, requests, note string) string {
	row := fmt.Sprintf("  %-18s %8s %8s %8s  %s", name, records, accepted, requests, note)
	return strings.TrimRight(row, " ") + "\n"
}

func (d *demo) header(cfg bento.Config) {
	if d.json || d.quiet {
		return
	}
	where := "a fake Bento on " + strings.TrimPrefix(cfg.BaseURL, "http://")
	if d.options.live {
		where = "the real API"
	}
	fmt.Fprintf(d.out, "Talking to %s\n\n", where)
	fmt.Fprint(d.out, line("", "records", "accepted", "requests", "met on the way"))
}

// tell prints a step as it ends.
func (d *demo) tell(r row) {
	d.rows = append(d.rows, r)
	if d.json || d.quiet {
		return
	}
	accepted := ""
	if r.Requests > 0 {
		accepted = thousands(r.Accepted)
	}
	note := r.met.String()
	if note != "" && r.Read == r.Accepted+d.reads(r) {
		note += "; retried"
	}
	fmt.Fprint(d.out, line(r.Step, thousands(r.Read), accepted, thousands(r.met.Requests), note))
}

// reads is what a step read rather than sent.
func (d *demo) reads(r row) int {
	if r.Requests == 0 {
		return r.Read
	}
	return 0
}

// conclude judges the recording and compares with the fake's books. Only if everything is well
// does it return nil.
func (d *demo) conclude(ctx context.Context, talked error) error {
	report, err := d.judge()
	if err != nil {
		return err
	}
	summary := report.Summary()
	problems := d.audit()
	if summary.Errors > 0 {
		problems = append(problems, fmt.Sprintf("%d findings against the contract: run `bentoctl check %s`", summary.Errors, d.recording))
	}
	if d.leftOut > 0 {
		problems = append(problems, thousands(d.leftOut)+" rows of the input were left out")
	}
	if d.json {
		err = d.writeJSON(report, problems, talked)
	} else if !d.quiet {
		err = d.writeText(report, problems, talked)
	}
	switch {
	case err != nil:
		return err
	case ctx.Err() != nil:
		return fmt.Errorf("ended early; %s: %w", d.progress(), context.Cause(ctx))
	case talked != nil:
		return talked
	case len(problems) > 0:
		return &exitError{exitFailures, errors.New(strings.Join(problems, "; "))}
	}
	return nil
}

func (d *demo) judge() (*conformance.Report, error) {
	checker, err := conformance.New()
	if err != nil {
		return nil, err
	}
	if d.options.live {
		checker, err = conformance.New(conformance.WithServer(os.Getenv(bento.EnvBaseURL)))
	}
	if err != nil {
		return nil, err
	}
	file, err := os.Open(d.recording)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	report := conformance.NewReport(checker)
	for exchange, err := range conformance.ReadHAR(file, d.recording) {
		if err != nil {
			return nil, err
		}
		report.Add(exchange)
	}
	return report, nil
}

// audit compares what the client was told with what the fake counted: nothing lost, nothing
// twice.
func (d *demo) audit() []string {
	if d.server == nil {
		return nil
	}
	var problems []string
	counts := d.server.Counts()
	for _, kind := range []struct {
		name    string
		step    string
		counted fake.Records
		twice   int // in the input itself
	}{
		{"subscribers", "import subscribers", counts.Subscribers, d.people.repeated},
		{"events", "track events", counts.Events, d.events.repeated},
		{"emails", "send emails", counts.Emails, 0},
	} {
		told := d.accepted(kind.step)
		if kind.counted.Accepted != told {
			problems = append(problems, fmt.Sprintf("the fake counts %d %s, the client %d", kind.counted.Accepted, kind.name, told))
		}
		if again := kind.counted.Repeated - kind.twice; again != 0 {
			problems = append(problems, fmt.Sprintf("%d %s arrived twice", again, kind.name))
		}
	}
	if counts.Faults < faultsMet && counts.Subscribers.Accepted > 0 && counts.Events.Accepted > 0 {
		problems = append(problems, fmt.Sprintf("only %d of %d faults were met", counts.Faults, faultsMet))
	}
	return problems
}

func (d *demo) accepted(step string) int {
	for _, r := range d.rows {
		if r.Step == step {
			return r.Accepted
		}
	}
	return 0
}

func (d *demo) progress() string {
	var b strings.Builder
	fmt.Fprintf(&b, "accepted so far: %s subscribers, %s events, %s emails", thousands(d.accepted("import subscribers")),
		thousands(d.accepted("track events")), thousands(d.accepted("send emails")))
	for _, r := range d.rows {
		if r.Unknown > 0 {
			fmt.Fprintf(&b, "; unknown of %s in %q: they left, and no answer came", thousands(r.Unknown), r.Step)
		}
	}
	return b.String()
}

func (d *demo) writeText(report *conformance.Report, problems []string, talked error) error {
	s, c := report.Summary(), report.Coverage()
	var b strings.Builder
	fmt.Fprintf(&b, "\n  recording   %s\n              %s exchanges, keys and site redacted\n", d.recording, thousands(s.Entries))
	fmt.Fprintf(&b, "  findings    %s, %s\n", plural(s.Errors, "error"), plural(s.Warnings, "warning"))
	fmt.Fprintf(&b, "  coverage    %d of %d operations of the contract\n", c.Operations.Seen, c.Operations.Total)
	if d.server != nil {
		n := d.server.Counts()
		fmt.Fprintf(&b, "  the fake    counts %s subscribers, %s events, %s emails\n",
			thousands(n.Subscribers.Accepted), thousands(n.Events.Accepted), thousands(n.Emails.Accepted))
	}
	switch {
	case talked != nil:
		fmt.Fprintf(&b, "\nNot finished: %s.\n", d.progress())
	case len(problems) > 0:
		fmt.Fprintf(&b, "\nNot all is well:\n")
		for _, p := range problems {
			fmt.Fprintf(&b, "  - %s\n", p)
		}
	case d.server != nil:
		fmt.Fprintf(&b, "\nNothing was lost, nothing was sent twice, and all of it keeps the contract.\n")
	default:
		fmt.Fprintf(&b, "\nAll of it was accepted and keeps the contract.\n")
	}
	_, err := fmt.Fprint(d.out, b.String())
	return err
}

func (d *demo) writeJSON(report *conformance.Report, problems []string, talked error) error {
	type step struct {
		Step     string   `json:"step"`
		Read     int      `json:"records"`
		Accepted int      `json:"accepted"`
		Failed   int      `json:"failed"`
		Unknown  int      `json:"unknown"`
		NotSent  int      `json:"not_sent"`
		Requests int      `json:"requests"`
		Met      []string `json:"met"`
	}
	result := struct {
		OK        bool                `json:"ok"`
		Steps     []step              `json:"steps"`
		Recording string              `json:"recording"`
		Summary   conformance.Summary `json:"summary"`
		Problems  []string            `json:"problems"`
	}{OK: talked == nil && len(problems) == 0, Recording: d.recording, Summary: report.Summary(), Problems: append([]string{}, problems...)}
	for _, r := range d.rows {
		result.Steps = append(result.Steps, step{
			r.Step, r.Read, r.Accepted, r.Failed, r.Unknown, r.NotSent, r.met.Requests, append([]string{}, r.met.Failures...),
		})
	}
	enc := json.NewEncoder(d.out)
	enc.SetIndent("", "  ")
	return enc.Encode(result)
}

// thousands writes 12345 as 12,345.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return thousands(n) + " " + word + "s"
}
