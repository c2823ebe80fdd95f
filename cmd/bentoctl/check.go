package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"example.com/bento-go/conformance"
)

func newCheck(g *globals) *cobra.Command {
	var format, output string
	cmd := &cobra.Command{
		Use:   "check FILE...",
		Short: "Judge recorded traffic by the contract",
		Long: "Reads HAR recordings (- is standard input) and judges every exchange with Bento in them by\n" +
			"the contract. Reports hold no payload values.\n\n" +
			"Exit code: 0 conformant, 1 errors were found, 2 a file cannot be read or holds no\nexchange with Bento.",
		Example: "  bentoctl check recording.har\n  bentoctl check --format json -o report.json *.har",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, files []string) error {
			if g.json && !cmd.Flags().Changed("format") {
				format = "json"
			}
			if format != "text" && format != "json" {
				return usage("--format %s: want text or json", format)
			}
			ctx, cancel := g.bounded(cmd.Context())
			defer cancel()
			return g.check(ctx, files, format, output)
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "text or json")
	cmd.Flags().StringVarP(&output, "output", "o", "", "write the report to this file")
	return cmd
}

// check judges the files and writes one report about all of them. A file that breaks off is an
// error, but what was read of it is in the report.
func (g *globals) check(ctx context.Context, files []string, format, output string) error {
	checker, err := conformance.New()
	if err != nil {
		return err
	}
	report := conformance.NewReport(checker)
	var unreadable []error
	for _, file := range files {
		if err := g.checkFile(ctx, report, file); err != nil {
			unreadable = append(unreadable, err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	summary := report.Summary()
	if summary.Entries > 0 || len(unreadable) == 0 {
		if err := g.writeReport(report, format, output); err != nil {
			return err
		}
	}
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("stopped after %d entries: %w", summary.Entries, context.Cause(ctx))
	case len(unreadable) > 0:
		return &exitError{exitUsage, errors.Join(unreadable...)}
	case summary.Checked == 0:
		return usage("nothing was checked: none of the %d entries is an exchange with Bento", summary.Entries)
	case summary.Errors > 0:
		return &exitError{code: exitFailures}
	}
	return nil
}

func (g *globals) checkFile(ctx context.Context, report *conformance.Report, file string) error {
	var in io.ReadCloser
	if file == "-" {
		in = io.NopCloser(interruptible(ctx, g.in))
	} else {
		opened, err := openFile(file)
		if err != nil {
			return err
		}
		in = opened
	}
	defer func() { _ = in.Close() }()
	for exchange, err := range conformance.ReadHAR(bufio.NewReaderSize(in, 1<<16), file) {
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

// openFile opens a regular file, with an error that says what to do.
func openFile(file string) (*os.File, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err == nil && info.IsDir() {
		_ = f.Close()
		return nil, fmt.Errorf("%s is a directory: name the files in it", file)
	}
	return f, nil
}

func (g *globals) writeReport(report *conformance.Report, format, output string) (err error) {
	out := g.out
	if output != "" {
		f, err := os.Create(output)
		if err != nil {
			return &exitError{exitUsage, err}
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		out = f
	}
	if format == "json" {
		return report.WriteJSON(out)
	}
	if s := report.Summary(); g.quiet && s.Errors == 0 && output == "" {
		return nil
	}
	return report.WriteText(out, conformance.TextOptions{Width: 80, Color: output == "" && g.color()})
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
