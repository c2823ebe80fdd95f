package conformance

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
)

// maxExamples is how many entries a group of alike findings names.
const maxExamples = 3

// A Group is findings that are alike: one rule, one operation, one place, whatever the index in a
// list.
type Group struct {
	Finding // of the first; its Pointer has * for each index, its Count is that of all
	// Fingerprint tells groups apart, over runs and files.
	Fingerprint string `json:"fingerprint"`
	// Examples are the first entries, as file:entry.
	Examples []string `json:"examples"`
}

var arrayIndex = regexp.MustCompile(`/[0-9]+(/|$)`)

// pattern is a pointer with * for each index.
func pattern(pointer string) string {
	for arrayIndex.MatchString(pointer) {
		pointer = arrayIndex.ReplaceAllString(pointer, "/*$1")
	}
	return pointer
}

// Fingerprint is the same for findings that are alike, over runs and files.
func (f Finding) Fingerprint() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%s\x00%s\x00%s", f.Rule, f.Operation, f.Side, pattern(f.Pointer), f.Message))
	return hex.EncodeToString(sum[:8])
}

// Groups folds alike findings and sorts them by what to mend first: errors, then by how often.
func (r *Report) Groups() []Group {
	byKey := map[string]*Group{}
	var all []*Group
	for _, f := range r.findings {
		key := f.Fingerprint()
		g := byKey[key]
		if g == nil {
			g = &Group{Finding: f, Fingerprint: key}
			g.Pointer, g.Count = pattern(f.Pointer), 0
			byKey[key] = g
			all = append(all, g)
		}
		g.Count += f.Count
		example := fmt.Sprintf("%s:%d", printable(f.File), f.Entry)
		if len(g.Examples) < maxExamples && !slices.Contains(g.Examples, example) {
			g.Examples = append(g.Examples, example)
		}
	}
	slices.SortStableFunc(all, func(a, b *Group) int {
		return cmp.Or(cmp.Compare(slices.Index(severities, a.Severity), slices.Index(severities, b.Severity)), cmp.Compare(b.Count, a.Count))
	})
	groups := make([]Group, len(all))
	for i, g := range all {
		groups[i] = *g
	}
	return groups
}

// often says how often the finding was made, and in which entry first.
func (g *Group) often() string {
	if g.Count == 1 {
		return "in entry " + strconv.Itoa(g.Entry)
	}
	return fmt.Sprintf("%d times, first in entry %d", g.Count, g.Entry)
}

// severities are by what to mend first.
var severities = []Severity{SeverityError, SeverityWarning, SeverityDrift}

// A Baseline is what was found before, and is known.
type Baseline map[string]bool

// maxBaseline bounds the file of a baseline.
const maxBaseline = 256 << 20

// ReadBaseline reads the JSON report of an earlier run.
func ReadBaseline(r io.Reader) (Baseline, error) {
	var report struct {
		Findings *[]Finding `json:"findings"`
	}
	if err := json.NewDecoder(io.LimitReader(r, maxBaseline)).Decode(&report); err != nil || report.Findings == nil {
		return nil, errors.New("not a JSON report of a check: write one with --format json")
	}
	known := Baseline{}
	for _, f := range *report.Findings {
		known[f.Fingerprint()] = true
	}
	return known, nil
}

// Accept makes what is known count no more: findings like those of the baseline are left out of
// the report, but for their number. It has to be called before the first exchange.
func (r *Report) Accept(known Baseline) { r.known = known }
