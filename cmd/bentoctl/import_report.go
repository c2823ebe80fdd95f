package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"example.com/bento-go/cmd/bentoctl/internal/intake"
	bento "example.com/bento-go/wrapper"
)

// An importReport is what became of one file.
type importReport struct {
	File string `json:"file"`
	importTally
	Rejected   string  `json:"rejected_file,omitempty"`
	Suppressed string  `json:"suppressed_file,omitempty"`
	Seconds    float64 `json:"seconds"`

	checkpoint string // its file; "" if there is none
	noted      bool   // it knows of rows, and the same command goes on after them
	inFlight   int    // rows of which nobody knows whether they arrived
}

func (j *importJob) report(r importReport, took time.Duration) importReport {
	r.importTally, r.Seconds = j.state.Tally, took.Seconds()
	r.Rejected, r.Suppressed = j.rejected.state.Path, j.withheld.state.Path
	r.noted, r.inFlight = j.checkpoint != nil && j.state.Rows > 0, j.state.InFlight
	return r
}

// preview says what becomes of each column, and shows a few records.
func (im *importer) preview(files []*intake.File) error {
	if im.quiet || im.json {
		return nil
	}
	out := im.err
	if im.dryRun {
		out = im.out
	}
	for _, f := range files {
		if err := im.previewOf(out, f); err != nil {
			return err
		}
	}
	return nil
}

func (im *importer) previewOf(out io.Writer, f *intake.File) error {
	options := im.optionsOf(f)
	columns, records, err := intake.Peek(f, options, im.sample)
	if err != nil {
		return usage("%w", err)
	}
	fmt.Fprintf(out, "%s\n", f.Name)
	wide := 0
	for _, c := range columns {
		wide = max(wide, len([]rune(c.Header)))
	}
	wide = min(wide, 30)
	for _, c := range columns {
		fmt.Fprintf(out, "  %-*s  %s\n", wide, cut(escaped(c.Header), wide), fate(c))
	}
	if options.As != intake.Active {
		fmt.Fprintf(out, "  everybody is %s: nobody is imported\n", options.As)
	}
	for _, record := range records {
		fmt.Fprintf(out, "  %s\n", cut(escaped(record), widthOf(out)-2))
	}
	fmt.Fprintln(out)
	return nil
}

// fate says what becomes of a column.
func fate(c intake.Column) string {
	const consent = "says who may be written to"
	switch {
	case c.Dropped && c.Consent:
		return "is left out, but " + consent
	case c.Dropped:
		return "is left out"
	case c.Target == "":
		return consent
	}
	text := "→ " + c.Target
	if c.Consent {
		text += ", and " + consent
	}
	if c.Type != "" {
		text += ", a " + c.Type
	}
	if c.Custom {
		text += " (custom)"
	}
	return text
}

// conclude tells what became of everything, and how to go on after an end before the end.
func (im *importer) conclude(ctx context.Context, reports []importReport, ended error) error {
	left := 0
	for _, r := range reports {
		left += r.LeftOut + r.Failed + r.Unknown
	}
	if im.json {
		encoder := json.NewEncoder(im.out)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(map[string]any{"dry_run": im.dryRun, "files": reports}); err != nil {
			return err
		}
	} else if !im.quiet || left > 0 || ended != nil {
		for _, r := range reports {
			r.write(im.out, im.dryRun)
			if ended == nil && r.Read == 0 {
				fmt.Fprintln(im.out, "  it has no rows")
			}
		}
	}
	switch {
	case ended != nil && ctx.Err() != nil && wasInterrupted(ctx, ended):
		return im.cutOff(context.Cause(ctx), reports)
	case ended != nil && wasPaced(ended): // the next turn would have come after it
		return im.cutOff(errTimeout, reports)
	case ended != nil:
		var explicit *exitError
		if again := goingOn(reports); again != "" && ctx.Err() == nil && !errors.As(ended, &explicit) && !im.quiet && !im.dryRun {
			fmt.Fprintf(im.err, "What is acknowledged is noted: %s.\n", again)
		}
		return ended
	case left > 0:
		if im.dryRun {
			return &exitError{exitFailures, fmt.Errorf("%s cannot be imported", plural(left, "row"))}
		}
		return &exitError{exitFailures, fmt.Errorf("not imported: %s", plural(left, "row"))}
	}
	return nil
}

// wasInterrupted reports whether an import ended because its context did, and for no other reason: that its
// progress could not be noted, say, is not passed over.
func wasInterrupted(ctx context.Context, ended error) bool {
	return endedOnly(ended, func(err error) bool { return errors.Is(err, ctx.Err()) || errors.Is(err, context.Cause(ctx)) })
}

// wasPaced is like it: the next turn would come after --timeout.
func wasPaced(ended error) bool {
	return endedOnly(ended, func(err error) bool { return errors.Is(err, bento.ErrPaced) })
}

// endedOnly reports whether all that was joined to an end is of one kind.
func endedOnly(ended error, is func(error) bool) bool {
	if joined, several := ended.(interface{ Unwrap() []error }); several {
		return !slices.ContainsFunc(joined.Unwrap(), func(err error) bool { return !endedOnly(err, is) })
	}
	return is(ended)
}

// cutOff says in a line what an import came to that was interrupted, or whose time was over.
func (im *importer) cutOff(why error, reports []importReport) error {
	text, accepted, queued := why.Error(), 0, 0
	if exitCode(why) == exitInterrupted {
		text = "interrupted"
	}
	for _, r := range reports {
		accepted, queued = accepted+r.Accepted, queued+r.Queued
	}
	switch {
	case im.dryRun:
	case im.spool != nil:
		text += ": " + plural(queued, "record") + " kept"
	default:
		text += ": " + plural(accepted, "record") + " accepted"
	}
	if n := reports[len(reports)-1].inFlight; n > 0 {
		text += ", and whether " + thousands(n) + " more arrived is not known"
	}
	if again := goingOn(reports); again != "" && !im.dryRun {
		text += "; " + again
	}
	return &exitError{exitCode(why), errors.New(text)}
}

// goingOn says how the rest is imported; "" if nothing was done that must not be done again.
func goingOn(reports []importReport) string {
	if !slices.ContainsFunc(reports, func(r importReport) bool { return r.noted }) {
		return ""
	}
	return "the same command goes on from there"
}

func (r *importReport) write(out io.Writer, dry bool) {
	line := func(n int, what, more string) {
		if n > 0 {
			fmt.Fprintln(out, strings.TrimRight(fmt.Sprintf("  %12s %-11s %s", thousands(n), what, more), " "))
		}
	}
	took := "in " + time.Duration(r.Seconds*float64(time.Second)).Round(time.Millisecond).String()
	if dry || r.Seconds == 0 { // or it was done before
		took = ""
	}
	fmt.Fprintln(out, r.File)
	line(r.Read, "rows read", took)
	if dry {
		line(r.Read-r.withheld()-r.LeftOut, "to be sent", "")
	}
	line(r.Accepted, "accepted", "")
	line(r.Queued, "kept", "in the outbox: bentoctl relay sends them")
	var standings []string
	for _, s := range slices.Sorted(maps.Keys(r.Withheld)) {
		standings = append(standings, fmt.Sprintf("%s %s", thousands(r.Withheld[s]), s))
	}
	line(r.withheld(), "not active", strings.TrimSpace(strings.Join(standings, ", ")+"  "+r.Suppressed))
	line(r.LeftOut, "left out", r.Rejected)
	refused := "by Bento"
	if r.Rejected != "" {
		refused += "; those that it named: " + r.Rejected
	}
	line(r.Failed, "refused", refused)
	line(r.Unknown, "unknown", "whether they arrived: look in Bento")
	for _, told := range r.Told {
		fmt.Fprintln(out, "    "+told)
	}
	if n := r.LeftOut + r.Failed + r.Unknown - len(r.Told); len(r.Told) == maxProblems && n > 0 {
		fmt.Fprintln(out, "    …")
	}
}
