package conformance

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// WriteGitHub writes the report as annotations of a GitHub workflow, one for each group.
func (r *Report) WriteGitHub(w io.Writer) error {
	levels := map[Severity]string{SeverityError: "error", SeverityWarning: "warning", SeverityDrift: "notice"}
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	for _, g := range r.Groups() {
		where := strings.TrimSpace(g.Operation + " " + string(g.Side) + " " + g.Pointer)
		text := fmt.Sprintf("%s: %s (%s). %s", where, g.Message, g.often(), g.Hint)
		if _, err := fmt.Fprintf(w, "::%s file=%s,line=%d,title=%s::%s\n", levels[g.Severity], property.Replace(g.File), max(g.Line, 1), property.Replace(g.Rule), data.Replace(text)); err != nil {
			return err
		}
	}
	return nil
}

// WriteCSV writes a line for each finding, under a header. No cell begins as a formula does.
func (r *Report) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	rows := [][]string{{"severity", "rule", "operation", "side", "pointer", "message", "file", "entry", "hint"}}
	for _, f := range r.findings {
		rows = append(rows, []string{string(f.Severity), f.Rule, f.Operation, string(f.Side), f.Pointer, f.Message, f.File, strconv.Itoa(f.Entry), f.Hint})
	}
	for _, row := range rows {
		for i, cell := range row {
			if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
				row[i] = "'" + cell
			}
		}
	}
	return out.WriteAll(rows)
}
