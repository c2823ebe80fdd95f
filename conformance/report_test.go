package conformance_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/conformance"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// A report of some of everything.
func mixedReport(t *testing.T) *conformance.Report {
	t.Helper()
	report := conformance.NewReport(newChecker(t))
	add := func(entry int, x *conformance.Exchange) {
		x.Source = conformance.Source{File: "recording.har", Entry: entry}
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
	report.AddError(conformance.Source{File: "recording.har", Entry: 9}, errors.New("no request.url"))
	missing := good("GET", "/fetch/tags", "", "")
	missing.Response.BodyState = conformance.BodyMissing
	add(10, missing)
	return report
}

func TestTheTextReportIsMadeForReading(t *testing.T) {
	t.Parallel()
	var plain, coloured bytes.Buffer
	require.NoError(t, mixedReport(t).WriteText(&plain, conformance.TextOptions{}))
	require.NoError(t, mixedReport(t).WriteText(&coloured, conformance.TextOptions{Color: true}))
	if *update {
		require.NoError(t, os.WriteFile("testdata/report.txt", plain.Bytes(), 0o600))
	}
	golden, err := os.ReadFile("testdata/report.txt")
	require.NoError(t, err)
	assert.Equal(t, string(golden), plain.String())
	for line := range strings.SplitSeq(plain.String(), "\n") {
		assert.LessOrEqual(t, len(line), 80, line)
	}
	assert.NotContains(t, plain.String(), "\x1b")
	assert.Contains(t, coloured.String(), "\x1b[31merror")
	assert.NotContains(t, plain.String(), canary)
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
		"entries": 11, "checked": 9, "skipped": 1, "errors": 7, "warnings": 1, "drift": 1, "unverifiable": 1, "conforming": 2, "violating": 6,
	}, report.Summary)
	require.Len(t, report.Findings, 9)
	for _, f := range report.Findings {
		for _, member := range []string{"rule", "severity", "operation", "file", "entry", "side", "pointer", "message", "hint", "count"} {
			assert.Contains(t, f, member)
		}
		assert.InDelta(t, 1, f["count"], 0, "every finding is listed by itself")
	}
	assert.Equal(t, "/events/1/email", report.Findings[0]["pointer"])
	assert.InDelta(t, 1, report.Findings[0]["entry"], 0, "entries count from 0")
	assert.Equal(t, map[string]int{"total": len(report.Coverage.ByOperation), "seen": 2}, report.Coverage.Operations)
}

func TestAnEmptyReportListsNoFindings(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, conformance.NewReport(newChecker(t)).WriteJSON(&out))
	assert.Contains(t, out.String(), `"findings": []`)
}
