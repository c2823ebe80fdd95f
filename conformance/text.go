package conformance

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// TextOptions say how [Report.WriteText] writes.
type TextOptions struct {
	Width int // columns; 0 means 80
	Color bool
}

// WriteText writes the report for a person: alike findings folded, what to mend first on top.
func (r *Report) WriteText(w io.Writer, o TextOptions) error {
	t := text{width: cmp.Or(o.Width, 80), color: o.Color}
	for _, g := range r.Groups() {
		t.group(g)
	}
	t.summary(r)
	_, err := io.WriteString(w, t.String())
	return err
}

// printable keeps what a file may be named from steering a terminal.
func printable(name string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, name)
}

type text struct {
	strings.Builder
	width int
	color bool
}

var ansi = map[Severity]string{SeverityError: "31", SeverityWarning: "33", SeverityDrift: "36"}

func (t *text) paint(code, s string) string {
	if !t.color {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// group writes three lines at most: what, where and what to do.
func (t *text) group(g Group) {
	fmt.Fprintf(t, "%s %s", t.paint(ansi[g.Severity], fmt.Sprintf("%-7s", g.Severity)), g.Rule)
	if g.Count > 1 {
		fmt.Fprintf(t, "  x%d", g.Count)
	}
	t.WriteByte('\n')
	where := strings.TrimSpace(g.Operation + " " + string(g.Side) + " " + g.Pointer)
	t.wrap(where + ": " + g.Message)
	if g.Value != "" {
		t.wrap("here: " + printable(g.Value))
	}
	t.wrap(g.Hint)
	t.wrap("in " + strings.Join(g.Examples, ", "))
	t.WriteByte('\n')
}

// wrap writes words under an indent, within the width.
func (t *text) wrap(s string) {
	const indent = "        "
	line := indent
	for word := range strings.FieldsSeq(s) {
		if len(line) > len(indent) && len(line)+1+len(word) > t.width {
			t.WriteString(line + "\n")
			line = indent
		}
		if len(line) > len(indent) {
			line += " "
		}
		line += word
	}
	t.WriteString(line + "\n")
}

func (t *text) summary(r *Report) {
	s, c := r.summary, r.Coverage()
	verdict := t.paint("32", "conformant")
	switch {
	case s.Checked == 0:
		verdict = t.paint("33", "nothing was checked")
	case s.Errors > 0:
		verdict = t.paint("31", "not conformant")
	}
	fmt.Fprintf(t, "%s: %s, %s, %d drift", verdict, plural(s.Errors, "error"), plural(s.Warnings, "warning"), s.Drift)
	if s.Known > 0 {
		fmt.Fprintf(t, "; %d known", s.Known)
	}
	t.WriteString("\n\n")
	fmt.Fprintf(t, "  entries     %d: %d checked, %d skipped\n", s.Entries, s.Checked, s.Skipped)
	for _, reason := range slices.Sorted(maps.Keys(r.skipped)) {
		fmt.Fprintf(t, "              %d skipped: %s\n", r.skipped[reason], reason)
	}
	if s.Unverifiable > 0 {
		fmt.Fprintf(t, "              %d in part only: the recording left out bodies or headers\n", s.Unverifiable)
	}
	fmt.Fprintf(t, "  coverage    %d of %d operations, %d of %d answers, %d of %d parameters,\n", c.Operations.Seen, c.Operations.Total,
		c.Responses.Seen, c.Responses.Total, c.Parameters.Seen, c.Parameters.Total)
	fmt.Fprintf(t, "              %d of %d members of bodies\n", c.Properties.Seen, c.Properties.Total)
	for _, op := range c.ByID {
		if op.Exchanges > 0 {
			fmt.Fprintf(t, "              %-18s %s\n", op.Operation, statuses(op.Statuses))
		}
	}
}

// statuses writes "200 x3, 429".
func statuses(counts map[string]int) string {
	var parts []string
	for _, status := range slices.Sorted(maps.Keys(counts)) {
		if n := counts[status]; n > 1 {
			status += " x" + strconv.Itoa(n)
		}
		parts = append(parts, status)
	}
	return strings.Join(parts, ", ")
}

func plural(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strconv.Itoa(n) + " " + noun
}
