package conformance

import (
	"encoding/json"
	"errors"
	"io"
	"strconv"

	"example.com/bento-go/gen"
)

// maxReported bounds the findings a report remembers; it goes on counting beyond.
const maxReported = 100_000

// A Report adds up the verdicts on exchanges. It is not safe for concurrent use.
type Report struct {
	checker  *Checker
	summary  Summary
	findings []Finding
	skipped  map[string]int
	seen     map[string]*OperationCoverage
	known    Baseline
	cover    *coverage
	moments  []moment
	every    int // one exchange of so many becomes a moment
}

// Summary is a report in numbers.
type Summary struct {
	Entries  int `json:"entries"`
	Checked  int `json:"checked"`
	Skipped  int `json:"skipped"`
	Errors   int `json:"errors"`
	Warnings int `json:"warnings"`
	Drift    int `json:"drift"`
	// Conforming and Violating entries are those of each [Outcome].
	Conforming int `json:"conforming"`
	Violating  int `json:"violating"`
	// Known findings are those of the baseline; they count nowhere else.
	Known int `json:"known,omitempty"`
	// Unverifiable entries were checked, but for bodies or headers that the recording left out.
	Unverifiable int `json:"unverifiable"`
}

// Coverage says which part of the contract the traffic touched.
type Coverage struct {
	Operations OperationCount      `json:"operations"`
	Responses  OperationCount      `json:"responses"`    // statuses of operations
	Parameters OperationCount      `json:"parameters"`   // of queries
	Properties OperationCount      `json:"properties"`   // members of JSON bodies, those of requests and answers apart
	ByID       []OperationCoverage `json:"by_operation"` // sorted by operationId
	// Unseen are the members that were not seen, as "request Event.date", sorted.
	Unseen []string `json:"unseen_properties"`
}

// OperationCount counts what the contract has, and what of it was seen.
type OperationCount struct {
	Total int `json:"total"`
	Seen  int `json:"seen"`
}

// OperationCoverage is what was seen of an operation.
type OperationCoverage struct {
	Operation string         `json:"operation"`
	Method    string         `json:"method"`
	Path      string         `json:"path"`
	Exchanges int            `json:"exchanges"`
	Statuses  map[string]int `json:"statuses"`
	// Missing are the documented statuses and query parameters that were not seen.
	Missing Missing `json:"missing"`
}

// Missing is what of an operation was not seen.
type Missing struct {
	Statuses   []string `json:"statuses"`
	Parameters []string `json:"parameters"`
}

// NewReport returns an empty report of what c will find.
func NewReport(c *Checker) *Report {
	r := &Report{checker: c, skipped: map[string]int{}, seen: map[string]*OperationCoverage{}, cover: c.newCoverage(), every: 1}
	for _, op := range gen.Operations() {
		r.seen[op.ID] = &OperationCoverage{Operation: op.ID, Method: op.Method, Path: op.Path, Statuses: map[string]int{}}
	}
	return r
}

// Add judges an exchange and adds the verdict, which it returns.
func (r *Report) Add(x *Exchange) Verdict {
	v := r.checker.judge(x, r.cover)
	r.summary.Entries++
	if v.Skipped != "" {
		r.summary.Skipped++
		r.skipped[v.Skipped]++
		return v
	}
	r.summary.Checked++
	if v.Unverifiable {
		r.summary.Unverifiable++
	}
	switch v.Outcome() {
	case Conforming:
		r.summary.Conforming++
	case Violating:
		r.summary.Violating++
	case Unverifiable, Skipped: // counted above
	}
	if seen := r.seen[v.Operation]; seen != nil {
		seen.Exchanges++
		seen.Statuses[strconv.Itoa(x.Response.Status)]++
		at, _ := r.checker.locate(x.Request.URL)
		r.cover.exchange(r.checker.operation(v.Operation), at.query, x.Response.Status)
		r.remember(x)
	}
	for _, f := range v.Findings {
		r.add(f)
	}
	return v
}

// AddError adds an entry that could not be read.
func (r *Report) AddError(at Source, err error) {
	r.summary.Entries++
	reason := ""
	if cause := errors.Unwrap(err); cause != nil {
		reason = "cannot be read: " + cause.Error()
	}
	f := found(RuleRecordingUnreadable, SideRequest, "", reason)
	f.setSource(at)
	r.add(f)
}

func (r *Report) add(f Finding) {
	if r.known != nil && r.known[f.Fingerprint()] {
		r.summary.Known++
		return
	}
	others := r.summary.Warnings + r.summary.Drift
	room := others < maxReported
	switch f.Severity {
	case SeverityError:
		room = r.summary.Errors < maxReported // whatever else there is
		r.summary.Errors++
	case SeverityWarning:
		r.summary.Warnings++
	case SeverityDrift:
		r.summary.Drift++
	}
	if room {
		r.findings = append(r.findings, f)
	}
}

// Summary returns the numbers so far.
func (r *Report) Summary() Summary { return r.summary }

// Findings returns the findings so far, in the order of the traffic; at most 100,000 errors, and as
// many others.
func (r *Report) Findings() []Finding { return append([]Finding{}, r.findings...) }

// Coverage returns the coverage so far.
func (r *Report) Coverage() Coverage {
	var c Coverage
	for _, op := range gen.Operations() {
		seen := *r.seen[op.ID]
		seen.Missing = r.cover.missing(r.checker.operation(op.ID))
		c.ByID = append(c.ByID, seen)
		c.Operations.Total++
		if seen.Exchanges > 0 {
			c.Operations.Seen++
		}
	}
	c.Responses, c.Parameters, c.Properties = r.cover.counts()
	c.Unseen = r.cover.unseen()
	return c
}

// WriteJSON writes the report as one JSON object: summary, findings, coverage.
func (r *Report) WriteJSON(w io.Writer) error { return r.writeJSON(w, r.Findings()) }

// WriteGroupedJSON is [Report.WriteJSON] with alike findings folded into one, with its count.
func (r *Report) WriteGroupedJSON(w io.Writer) error { return r.writeJSON(w, r.Groups()) }

func (r *Report) writeJSON(w io.Writer, findings any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(struct {
		Summary  Summary  `json:"summary"`
		Findings any      `json:"findings"`
		Coverage Coverage `json:"coverage"`
	}{r.summary, findings, r.Coverage()})
}
