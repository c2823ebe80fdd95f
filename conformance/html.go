package conformance

import (
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

//go:embed report.html
var page string

var pageTemplate = template.Must(template.New("report").Parse(page))

// WriteHTML writes the report as one page that needs nothing else: no network, no script of
// others. It shows coverage, findings with the place where they are, and when the exchanges
// happened and how long they took.
func (r *Report) WriteHTML(w io.Writer) error {
	view := htmlView{Summary: r.summary, Coverage: r.Coverage(), Plot: r.plot()}
	switch s := r.summary; {
	case s.Checked == 0:
		view.Verdict, view.Tone = "Nothing was checked", "warning"
	case s.Errors > 0:
		view.Verdict, view.Tone = "Not conformant", "error"
	default:
		view.Verdict, view.Tone = "Conformant", "fine"
	}
	for _, g := range r.Groups() {
		view.Groups = append(view.Groups, htmlGroup{g, skeleton(g.Pointer)})
	}
	view.matrix()
	for _, reason := range slices.Sorted(maps.Keys(r.skipped)) {
		view.Skipped = append(view.Skipped, fmt.Sprintf("%d: %s", r.skipped[reason], reason))
	}
	return pageTemplate.Execute(w, view)
}

type htmlView struct {
	Verdict, Tone string
	Summary       Summary
	Coverage      Coverage
	Statuses      []string
	Rows          []htmlRow
	Groups        []htmlGroup
	Skipped       []string
	Plot          *htmlPlot // nil if nobody knows when anything was
}

type htmlRow struct {
	OperationCoverage
	Cells []int
	Worst Severity // empty if nothing was found
}

type htmlGroup struct {
	Group
	Shape []htmlLine
}

// A htmlLine is a line of the shape of a body, around the place of a finding.
type htmlLine struct {
	Text string
	Here bool
}

// matrix has a row for each operation, those that were seen first, and a column for each status that was.
func (v *htmlView) matrix() {
	for _, op := range v.Coverage.ByID {
		v.Statuses = slices.AppendSeq(v.Statuses, maps.Keys(op.Statuses))
	}
	slices.Sort(v.Statuses)
	v.Statuses = slices.Compact(v.Statuses)
	worst := map[string]Severity{}
	for _, g := range slices.Backward(v.Groups) { // the worst come first
		worst[g.Operation] = g.Severity
	}
	var unseen []htmlRow
	for _, op := range v.Coverage.ByID {
		row := htmlRow{OperationCoverage: op, Worst: worst[op.Operation]}
		for _, status := range v.Statuses {
			row.Cells = append(row.Cells, op.Statuses[status])
		}
		if op.Exchanges > 0 {
			v.Rows = append(v.Rows, row)
		} else {
			unseen = append(unseen, row)
		}
	}
	v.Rows = append(v.Rows, unseen...)
}

// skeleton draws the way to a place: the members that lead there, and no value.
func skeleton(pointer string) []htmlLine {
	if pointer == "" {
		return nil
	}
	const step = "  "
	var lines []htmlLine
	var closing []string
	name, indent := "", ""
	for segment := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		open, end := "{", "}"
		if segment == "*" {
			open, end = "[", "]"
		}
		lines = append(lines, htmlLine{Text: indent + name + open})
		closing = append(closing, indent+end)
		indent += step
		name = `"` + strings.NewReplacer("~1", "/", "~0", "~").Replace(segment) + `": `
		if segment == "*" {
			name = ""
		}
	}
	lines = append(lines, htmlLine{indent + name + "▮", true})
	for _, end := range slices.Backward(closing) {
		lines = append(lines, htmlLine{Text: end})
	}
	return lines
}

// A htmlPlot is exchanges over time, by how long they took.
type htmlPlot struct {
	Points    []htmlPoint
	From, To  string
	Low, High string
	Every     int
	Bars      []htmlBar
}

type htmlPoint struct {
	X, Y  float64
	Class string
	Title string
}

const (
	plotWidth  = 1000
	plotHeight = 220
)

func (r *Report) plot() *htmlPlot {
	if len(r.moments) == 0 {
		return nil
	}
	byTime := func(a, b moment) int { return a.at.Compare(b.at) }
	byDuration := func(a, b moment) int { return cmp.Compare(a.duration, b.duration) }
	first, last := slices.MinFunc(r.moments, byTime).at, slices.MaxFunc(r.moments, byTime).at
	low, high := millis(slices.MinFunc(r.moments, byDuration)), millis(slices.MaxFunc(r.moments, byDuration))
	p := &htmlPlot{Every: r.every, Bars: r.bars()}
	span, scale := last.Sub(first).Seconds(), math.Log(high/low)
	for _, m := range r.moments {
		x, y := 0.5, 0.5
		if span > 0 {
			x = m.at.Sub(first).Seconds() / span
		}
		if scale > 0 {
			y = math.Log(millis(m)/low) / scale
		}
		p.Points = append(p.Points, htmlPoint{
			math.Round(x*plotWidth*10) / 10, math.Round((1-y)*plotHeight*10) / 10, fmt.Sprintf("s%d", m.status/100),
			fmt.Sprintf("%s: %d in %s", m.at.UTC().Format(time.RFC3339), m.status, m.duration.Round(100*time.Microsecond)),
		})
	}
	p.From, p.To = first.UTC().Format("2006-01-02 15:04:05"), last.UTC().Format("2006-01-02 15:04:05")
	p.Low, p.High = spanOf(low), spanOf(high)
	return p
}

// millis is a duration that has a logarithm.
func millis(m moment) float64 { return max(float64(m.duration)/float64(time.Millisecond), 0.01) }

func spanOf(ms float64) string {
	if ms >= 1000 {
		return fmt.Sprintf("%.3g s", ms/1000)
	}
	return fmt.Sprintf("%.3g ms", ms)
}

// A htmlBar counts the exchanges that took so long.
type htmlBar struct {
	Label  string
	Count  int
	Height int // of 100
}

func (r *Report) bars() []htmlBar {
	edges := []float64{1, 3, 10, 30, 100, 300, 1000, 3000, 10000}
	labels := []string{"≤1 ms", "≤3", "≤10", "≤30", "≤100", "≤300", "≤1 s", "≤3", "≤10", "more"}
	bars := make([]htmlBar, len(labels))
	most := 1
	for _, m := range r.moments {
		i, _ := slices.BinarySearch(edges, millis(m))
		bars[i].Count++
		most = max(most, bars[i].Count)
	}
	for i := range bars {
		bars[i].Label, bars[i].Height = labels[i], (100*bars[i].Count+most-1)/most
	}
	return bars
}
