package conformance

import (
	"encoding/xml"
	"fmt"
	"io"

	"example.com/bento-go/gen"
)

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Failure *junitFailure `xml:"failure"`
	Skipped *struct{}     `xml:"skipped"`
	Out     string        `xml:"system-out,omitempty"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

// WriteJUnit writes the report as JUnit XML: a test case for each operation that keeps the
// contract, one for each group of findings, skipped ones for the operations that nobody called.
// What is less than an error fails no case, but stands in its output.
func (r *Report) WriteJUnit(w io.Writer) error {
	suite := junitSuite{Name: "conformance"}
	broken := map[string]bool{}
	for _, g := range r.Groups() {
		c := junitCase{Class: classOf(g.Operation), Name: fmt.Sprintf("%s %s %s %s", g.Rule, g.Side, g.Pointer, g.Fingerprint)}
		text := fmt.Sprintf("%s (%s)\n%s\nfirst in: %v\n", g.Message, plural(g.Count, "time"), g.Hint, g.Examples)
		if g.Severity == SeverityError {
			broken[g.Operation] = true
			c.Failure = &junitFailure{g.Message, g.Rule, text}
			suite.Failures++
		} else {
			c.Out = string(g.Severity) + ": " + text
		}
		suite.Cases = append(suite.Cases, c)
	}
	for _, op := range gen.Operations() {
		switch seen := r.seen[op.ID]; {
		case seen.Exchanges == 0:
			suite.Skipped++
			suite.Cases = append(suite.Cases, junitCase{Class: op.ID, Name: op.Method + " " + op.Path, Skipped: &struct{}{}})
		case !broken[op.ID]:
			suite.Cases = append(suite.Cases, junitCase{Class: op.ID, Name: op.Method + " " + op.Path})
		}
	}
	suite.Tests = len(suite.Cases)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(junitSuites{Tests: suite.Tests, Failures: suite.Failures, Suites: []junitSuite{suite}}); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func classOf(operation string) string {
	if operation == "" {
		return "(no operation)"
	}
	return operation
}
