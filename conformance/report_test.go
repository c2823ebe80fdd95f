package conformance_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/conformance"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// A report of some of everything: what breaks the contract often and once, what only warns or is news, what is
// skipped or cannot be read, operations that were asked often, once and never, and several statuses.
func mixedReport(t *testing.T) *conformance.Report {
	t.Helper()
	report := conformance.NewReport(newChecker(t))
	began := time.Date(2026, 6, 10, 9, 30, 0, 0, time.UTC)
	add := func(entry int, x *conformance.Exchange) {
		x.Source = conformance.Source{File: "recording.har", Entry: entry, Offset: int64(1000 * entry)}
		x.Started, x.Duration = began.Add(time.Duration(entry)*time.Minute), time.Duration(1+entry)*30*time.Millisecond
		report.Add(x)
	}
	add(0, good("POST", "/batch/events", oneEvent, `{"results":1,"failed":0}`))
	for i := range 5 {
		add(1+i, good("POST", "/batch/events", `{"events":[{"type":"x","email":"a@example.com"},{"type":"`+canary+`"}]}`, `{"results":2}`))
	}
	add(6, good("GET", "/fetch/tags?limit=5", "", `{"data":[{"id":"1","type":"tags","colour":"`+canary+`","attributes":{"name":"vip"}}]}`))
	add(7, good("POST", "/batch/events", eventBody(`"fields":{"password":"`+canary+`"}`), `{"results":1}`))
	other := good("GET", "/", "", "")
	other.Request.URL = "https://cdn.example.com/logo.png"
	add(8, other)
	report.AddError(conformance.Source{File: "recording.har", Entry: 9, Offset: 9000}, fmt.Errorf("entry 9: %w", errors.New("no request.url")))
	missing := good("GET", "/fetch/tags", "", "")
	missing.Response.BodyState = conformance.BodyMissing
	add(10, missing)
	add(11, withStatus(429, good("POST", "/batch/events", oneEvent, `{"error":"`+canary+`"}`)))
	add(12, withStatus(503, good("GET", "/fetch/tags", "", "")))
	add(13, good("OPTIONS", "/fetch/tags", "", ""))
	add(14, good("POST", "/batch/subscribers", `{"subscribers":[{"email":"`+canary+`"},{"email":"`+canary+`"}]}`, `{"results":2}`))
	add(15, good("GET", "/experimental/blacklist?domain="+canary+".example", "", `{"query":"x","results":{},"a/b":{"c~d":[1]}}`))
	add(16, good("DELETE", "/nowhere", "", ""))
	return report
}

// golden compares with testdata/name, which -update writes anew.
func golden(t *testing.T, name, got string) {
	t.Helper()
	assert.False(t, strings.Contains(got, canary), "%s quotes the traffic", name) //nolint:testifylint // it is too long to be printed
	name = "testdata/" + name
	if *update {
		require.NoError(t, os.WriteFile(name, []byte(got), 0o600))
	}
	want, err := os.ReadFile(name)
	require.NoError(t, err)
	assert.Equal(t, string(want), got, name)
}

func TestTheTextReportIsMadeForReading(t *testing.T) {
	t.Parallel()
	var plain, coloured bytes.Buffer
	require.NoError(t, mixedReport(t).WriteText(&plain, conformance.TextOptions{}))
	require.NoError(t, mixedReport(t).WriteText(&coloured, conformance.TextOptions{Color: true}))
	golden(t, "report.txt", plain.String())
	for line := range strings.SplitSeq(plain.String(), "\n") {
		assert.LessOrEqual(t, len(line), 80, line)
	}
	assert.NotContains(t, plain.String(), "\x1b")
	assert.Contains(t, coloured.String(), "\x1b[31merror")
}

// Lines are as full as the width allows, and no word is lost or broken, however narrow they are.
func TestLinesAreAsFullAsTheWidthAllows(t *testing.T) {
	t.Parallel()
	report := mixedReport(t)
	written := func(width int) []string {
		var out strings.Builder
		require.NoError(t, report.WriteText(&out, conformance.TextOptions{Width: width}))
		found, _, _ := strings.Cut(out.String(), "not conformant")
		return strings.Split(found, "\n")
	}
	assert.Equal(t, written(80), written(0))
	unbroken := written(1000)
	for width := 1; width <= 120; width++ {
		lines := written(width)
		for _, whole := range unbroken {
			require.NotEmpty(t, lines)
			paragraph, last := lines[0], lines[0]
			for lines = lines[1:]; paragraph != whole; lines = lines[1:] {
				require.True(t, strings.HasPrefix(whole, paragraph+" "), "%q in %q", paragraph, whole)
				more := strings.TrimLeft(lines[0], " ")
				word, rest, _ := strings.Cut(more, " ")
				require.Greater(t, len(last)+1+len(word), width, "%q has room for %q", last, word)
				require.True(t, len(lines[0]) <= width || rest == "", lines[0])
				paragraph, last = paragraph+" "+more, lines[0]
			}
		}
	}
}

// What a file is called neither steers the terminal nor breaks a line that would fit without it.
func TestTheNameOfAFileIsShownAsItMayBe(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		"\x1b[31mred\n":            "\n        in ?[31mred?:0\n",
		strings.Repeat("f", 67):    "\n        in " + strings.Repeat("f", 67) + ":0\n",          // 80 columns
		strings.Repeat("f", 68):    "\n        in\n        " + strings.Repeat("f", 68) + ":0\n", // 81 would be
		strings.Repeat("f", 1_000): "\n        in\n        " + strings.Repeat("f", 1_000) + ":0\n",
	} {
		report := conformance.NewReport(newChecker(t))
		report.AddError(conformance.Source{File: file}, io.EOF)
		var out strings.Builder
		require.NoError(t, report.WriteText(&out, conformance.TextOptions{}))
		assert.Contains(t, out.String(), want)
	}
}

// The first thing that a reader looks for, in words and in colour.
func TestTheVerdictIsTheSameOnPaperAndPage(t *testing.T) {
	t.Parallel()
	right := good("POST", "/batch/events", oneEvent, `{"results":1}`)
	warned := good("POST", "/batch/events", strings.Replace(oneEvent, "ari@", "@", 1), `{"results":1}`)
	wrong := good("POST", "/batch/events", `{"events":[{"type":"x"}]}`, `{"results":1}`)
	for name, tc := range map[string]struct {
		traffic []*conformance.Exchange
		text    string
		page    string
	}{
		"nothing":      {nil, "\x1b[33mnothing was checked\x1b[0m: 0 errors, 0 warnings, 0 drift\n", `<h1 class="warning">Nothing was checked</h1>`},
		"only skipped": {[]*conformance.Exchange{good("OPTIONS", "/", "", "")}, "\x1b[33mnothing was checked\x1b[0m", `<h1 class="warning">Nothing was checked</h1>`},
		"right":        {[]*conformance.Exchange{right}, "\x1b[32mconformant\x1b[0m: 0 errors, 0 warnings, 0 drift\n", `<h1 class="fine">Conformant</h1>`},
		"a warning":    {[]*conformance.Exchange{right, warned}, "\x1b[32mconformant\x1b[0m: 0 errors, 1 warning, 0 drift\n", `<h1 class="fine">Conformant</h1>`},
		"an error":     {[]*conformance.Exchange{right, wrong}, "\x1b[31mnot conformant\x1b[0m: 1 error, 0 warnings, 0 drift\n", `<h1 class="error">Not conformant</h1>`},
	} {
		report := conformance.NewReport(newChecker(t))
		for _, x := range tc.traffic {
			report.Add(x)
		}
		var text, page strings.Builder
		require.NoError(t, report.WriteText(&text, conformance.TextOptions{Color: true}))
		require.NoError(t, report.WriteHTML(&page))
		assert.Contains(t, text.String(), tc.text, name)
		assert.Contains(t, page.String(), tc.page, name)
		assert.NotContains(t, text.String(), "in part only", name)
	}
}

// Who adds an exchange is told what was found, and the report counts it: what breaks the contract as
// violating, though a part be missing, and what is clean as far as one can see as neither.
func TestAddReturnsTheVerdictThatItCounts(t *testing.T) {
	t.Parallel()
	partly := func(x *conformance.Exchange) *conformance.Exchange {
		x.Response.BodyState = conformance.BodyMissing
		return x
	}
	const bare = `{"events":[{"type":"x"}]}`
	for outcome, tc := range map[conformance.Outcome]struct {
		exchange *conformance.Exchange
		want     conformance.Summary
	}{
		conformance.Conforming:   {good("POST", "/batch/events", oneEvent, `{"results":1}`), conformance.Summary{Entries: 1, Checked: 1, Conforming: 1}},
		conformance.Violating:    {partly(good("POST", "/batch/events", bare, "")), conformance.Summary{Entries: 1, Checked: 1, Violating: 1, Errors: 1, Unverifiable: 1}},
		conformance.Unverifiable: {partly(good("POST", "/batch/events", oneEvent, "")), conformance.Summary{Entries: 1, Checked: 1, Unverifiable: 1}},
		conformance.Skipped:      {good("OPTIONS", "/batch/events", bare, ""), conformance.Summary{Entries: 1, Skipped: 1}},
	} {
		report := conformance.NewReport(newChecker(t))
		verdict := report.Add(tc.exchange)
		assert.Equal(t, outcome, verdict.Outcome())
		assert.Equal(t, report.Findings(), append([]conformance.Finding{}, verdict.Findings...), outcome)
		assert.Equal(t, tc.want, report.Summary(), outcome)
	}
}

// A recording that is wrong throughout fills no memory, and its errors are counted all the same.
func TestAReportCountsMoreThanItRemembers(t *testing.T) {
	t.Parallel()
	report := conformance.NewReport(newChecker(t))
	for range 100_001 {
		report.AddError(conformance.Source{}, io.EOF)
	}
	assert.Equal(t, 100_001, report.Summary().Errors)
	assert.Len(t, report.Findings(), 100_000)
}

// An error is found and remembered behind however many warnings, of its body and of others.
func TestWarningsHideNoError(t *testing.T) {
	t.Parallel()
	fields := `"fields":{"A":1,"B":1,"C":1,"D":1,"E":1,"F":1}`
	events := strings.Repeat(`{"type":"x","email":"ari@example.com",`+fields+`},`, 999)
	report := conformance.NewReport(newChecker(t))
	report.Add(good("POST", "/batch/events", oneEvent, `{"results":1,"news":1}`))
	require.Equal(t, 1, report.Summary().Drift)
	for range 20 {
		report.Add(good("POST", "/batch/events", `{"events":[`+events+`{"type":"x","email":"ari@example.com"}]}`, `{"results":1000}`))
	}
	require.Zero(t, report.Summary().Errors)
	require.Equal(t, 100_000, report.Summary().Warnings)
	verdict := report.Add(good("POST", "/batch/events", `{"events":[`+events+`{"type":"x","email":"ari@example.com","timestamp":1}]}`, `{"results":1000}`))
	assert.Equal(t, conformance.Violating, verdict.Outcome())
	all := report.Findings()
	require.Len(t, all, 100_001, "all others, too, have a bound")
	assert.Equal(t, "/events/999/timestamp", all[100_000].Pointer)
}

// Outsiders read this; members may come, none may go or change its name.
func TestTheJSONReportKeepsItsShape(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, mixedReport(t).WriteJSON(&out))
	assert.NotContains(t, out.String(), canary)
	var report struct {
		Summary  map[string]int
		Findings []map[string]any
		Coverage struct {
			Operations  map[string]int
			ByOperation []map[string]any `json:"by_operation"`
		}
	}
	require.NoError(t, json.Unmarshal(out.Bytes(), &report))
	assert.Equal(t, map[string]int{
		"entries": 17, "checked": 14, "skipped": 2, "errors": 8, "warnings": 3, "drift": 2, "unverifiable": 1, "conforming": 6, "violating": 7,
	}, report.Summary)
	require.Len(t, report.Findings, 13)
	for _, f := range report.Findings {
		for _, member := range []string{"rule", "severity", "operation", "file", "entry", "side", "pointer", "message", "hint", "count"} {
			assert.Contains(t, f, member)
		}
		assert.InDelta(t, 1, f["count"], 0, "every finding is listed by itself")
	}
	assert.Equal(t, "/events/1/email", report.Findings[0]["pointer"])
	assert.InDelta(t, 1, report.Findings[0]["entry"], 0, "entries count from 0")
	assert.Equal(t, map[string]int{"total": len(report.Coverage.ByOperation), "seen": 4}, report.Coverage.Operations)
}

func TestAnEmptyReportListsNoFindings(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, conformance.NewReport(newChecker(t)).WriteJSON(&out))
	assert.Contains(t, out.String(), `"findings": []`)
}
