package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"example.com/bento-go/conformance"
)

// reportFormats are the formats of a report, by their names.
var reportFormats = map[string]func(*conformance.Report, io.Writer) error{
	"json":   (*conformance.Report).WriteJSON,
	"junit":  (*conformance.Report).WriteJUnit,
	"sarif":  (*conformance.Report).WriteSARIF,
	"github": (*conformance.Report).WriteGitHub,
	"csv":    (*conformance.Report).WriteCSV,
	"html":   (*conformance.Report).WriteHTML,
}

// A checkJob is what the flags of check say.
type checkJob struct {
	format, output, baseline string
	failOn                   string
	servers                  []string
	group, values            bool
	minCoverage              float64
}

func newCheck(g *globals) *cobra.Command {
	var job checkJob
	cmd := &cobra.Command{
		Use:   "check FILE|DIRECTORY|PATTERN|-...",
		Short: "Judge recorded traffic by the contract",
		Long: "Reads recorded traffic and judges every exchange with Bento in it by the contract: HAR,\n" +
			"cassettes of go-vcr, and NDJSON of exchanges, each also compressed by gzip; the format is\n" +
			"found from the content. - is standard input. Files of a directory that are none of these are\n" +
			"left out. Reports hold no payload values, unless --show-values asks for them.\n\n" +
			"Exit code: 0 conformant, 1 there is something to mend (see --fail-on), 2 a file cannot\nbe read or holds no exchange with Bento.",
		Example: "  bentoctl check recording.har\n" +
			"  bentoctl check --format html -o report.html recordings/\n" +
			"  bentoctl check --format json -o known.json recordings/   # then, in CI:\n" +
			"  bentoctl check --baseline known.json --fail-on drift recordings/",
		Args: asUsed,
		RunE: func(cmd *cobra.Command, args []string) error {
			if g.json && !cmd.Flags().Changed("format") {
				job.format = "json"
			}
			if err := job.validate(); err != nil {
				return err
			}
			ctx, cancel := g.bounded(cmd.Context())
			defer cancel()
			return g.check(ctx, args, job)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&job.format, "format", "text", "text, json, junit, sarif, github, csv or html")
	flags.StringVarP(&job.output, "output", "o", "", "write the report to this file")
	flags.StringVar(&job.failOn, "fail-on", "error", "error, warning or drift: what exit code 1 is for, and all that is worse")
	flags.StringVar(&job.baseline, "baseline", "", "JSON report of what is known; only what is new counts")
	flags.StringArrayVar(&job.servers, "server", nil, "take this base URL for Bento's too; may be given more than once")
	flags.BoolVar(&job.group, "group", false, "fold alike findings in JSON")
	flags.BoolVar(&job.values, "show-values", false, "show what stands at the place of a finding")
	flags.Float64Var(&job.minCoverage, "min-coverage", 0, "percent of the operations that the traffic has to touch")
	return cmd
}

func (j checkJob) validate() error {
	if j.format != "text" && reportFormats[j.format] == nil {
		return usage("--format %s: want text, json, junit, sarif, github, csv or html", j.format)
	}
	if !slices.Contains([]string{"error", "warning", "drift"}, j.failOn) {
		return usage("--fail-on %s: want error, warning or drift", j.failOn)
	}
	if j.minCoverage < 0 || j.minCoverage > 100 {
		return usage("--min-coverage %v: want a percentage, 0 to 100", j.minCoverage)
	}
	if j.group && j.format != "json" {
		return usage("--group folds findings in JSON: give --format json; the others fold them anyway")
	}
	return nil
}

// newReport makes an empty report as the job has it.
func (j checkJob) newReport() (*conformance.Report, error) {
	var opts []conformance.Option
	for _, server := range j.servers {
		opts = append(opts, conformance.WithServer(server))
	}
	if j.values {
		opts = append(opts, conformance.WithValues())
	}
	checker, err := conformance.New(opts...)
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	report := conformance.NewReport(checker)
	if j.baseline == "" {
		return report, nil
	}
	f, err := openFile(j.baseline)
	if err != nil {
		return nil, usage("--baseline: %w", err)
	}
	defer func() { _ = f.Close() }()
	known, err := conformance.ReadBaseline(f)
	if err != nil {
		return nil, usage("--baseline %s: %w", j.baseline, err)
	}
	report.Accept(known)
	return report, nil
}

// check judges the files and writes one report about all of them. A file that breaks off is an
// error, but what was read of it is in the report.
func (g *globals) check(ctx context.Context, args []string, job checkJob) error {
	report, err := job.newReport()
	if err != nil {
		return err
	}
	files, err := trafficFiles(args)
	if err != nil {
		return err
	}
	var unreadable []error
	var others []traffic
	for _, file := range files {
		switch err := g.checkFile(ctx, report, file.name); {
		case file.isOther(err):
			others = append(others, file)
		case err != nil:
			unreadable = append(unreadable, err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	unreadable = append(unreadable, withoutRecordings(files, others)...)
	if report.Summary().Entries > 0 || len(unreadable) == 0 {
		if err := g.writeReport(report, job); err != nil {
			return err
		}
		if len(others) > 0 && !g.quiet {
			fmt.Fprintln(g.err, tellOthers(others))
		}
	}
	if ctx.Err() != nil {
		return fmt.Errorf("stopped after %d entries: %w", report.Summary().Entries, context.Cause(ctx))
	}
	if len(unreadable) > 0 {
		return &exitError{exitUsage, errors.Join(unreadable...)}
	}
	return job.verdict(report)
}

// bad is how many findings are no success.
func (j checkJob) bad(s conformance.Summary) int {
	bad := s.Errors
	if j.failOn != "error" {
		bad += s.Warnings
	}
	if j.failOn == "drift" {
		bad += s.Drift
	}
	return bad
}

// verdict is the error that the report's numbers deserve.
func (j checkJob) verdict(report *conformance.Report) error {
	s := report.Summary()
	covered := report.Coverage().Operations
	percent := 100 * float64(covered.Seen) / float64(max(covered.Total, 1))
	switch {
	case s.Checked == 0 && s.Errors+s.Known == 0:
		return usage("nothing was checked: none of the %d entries is an exchange with Bento that was answered (--server names another address of it)", s.Entries)
	case j.bad(s) > 0:
		return &exitError{code: exitFailures}
	case percent < j.minCoverage:
		return &exitError{exitFailures, fmt.Errorf("the traffic touches %.0f%% of the operations, less than --min-coverage %v", percent, j.minCoverage)}
	}
	return nil
}

func (g *globals) checkFile(ctx context.Context, report *conformance.Report, file string) error {
	var in io.ReadCloser
	if file == "-" {
		in = io.NopCloser(interruptible(ctx, g.in))
	} else {
		opened, err := openTraffic(ctx, file)
		if err != nil {
			return err
		}
		in = opened
	}
	defer func() { _ = in.Close() }()
	for exchange, err := range conformance.Read(in, file) {
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && exchange == nil:
			return err
		case err != nil:
			report.AddError(exchange.Source, err)
		default:
			report.Add(exchange)
		}
	}
	return nil
}

// create makes the file of the report: for its owner only if values of the traffic will stand in it.
func (j checkJob) create() (*os.File, error) {
	if !j.values {
		return os.Create(j.output)
	}
	return createPrivate(j.output)
}

func (g *globals) writeReport(report *conformance.Report, job checkJob) (err error) {
	out := g.out
	if job.output != "" {
		f, err := job.create()
		if err != nil {
			return &exitError{exitUsage, err}
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		out = f
	}
	if job.group {
		return report.WriteGroupedJSON(out)
	}
	if write := reportFormats[job.format]; write != nil {
		return write(report, out)
	}
	if g.quiet && job.bad(report.Summary()) == 0 && job.output == "" {
		return nil
	}
	return report.WriteText(out, conformance.TextOptions{Width: textWidth(out), Color: job.output == "" && g.color()})
}

// color reports whether results go to a terminal that wants colour.
func (g *globals) color() bool {
	f, ok := g.out.(*os.File)
	if !ok || g.noColor {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
