package conformance_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/conformance"
	"example.com/bento-go/internal/needed"
)

// What the page says: the verdict, what was skipped and why, the way to the place of each finding, the operations
// that were asked before those that were not, each in the colour of the worst that was found, and the plots.
func TestThePageIsMadeForReading(t *testing.T) {
	t.Parallel()
	report := mixedReport(t)
	_, main, _ := strings.Cut(pageOf(t, report), "<main>\n")
	main, scripts, _ := strings.Cut(main, "</main>")
	golden(t, "report.html", main)
	_, summary, _ := strings.Cut(scripts, `<script id="summary" type="application/json">`)
	summary, _, _ = strings.Cut(summary, "</script>")
	var forPrograms conformance.Summary
	require.NoError(t, json.Unmarshal([]byte(summary), &forPrograms))
	assert.Equal(t, report.Summary(), forPrograms)
}

func TestThePageNeedsNothingElseAndQuotesNothing(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	report := broken(t)
	x := good("GET", "/fetch/tags", "", `{"data":[]}`)
	x.Request.URL = strings.Replace(x.Request.URL, "?", "?<script>alert(1)</script>=1&", 1)
	x.Source.File = `<img src=x>`
	report.Add(x)
	require.NoError(t, report.WriteHTML(&out))
	html := out.String()
	for _, foreign := range []string{"http://", "https://", ` src="`, "<img", "<script>alert", "canary"} {
		assert.False(t, strings.Contains(html, foreign), foreign) //nolint:testifylint // the page is too long to be printed
	}
	assert.Contains(t, html, "Not conformant")
	assert.Contains(t, html, `<mark>      &#34;email&#34;: ▮</mark>`)
	var empty strings.Builder
	require.NoError(t, conformance.NewReport(newChecker(t)).WriteHTML(&empty))
	assert.Contains(t, empty.String(), "Nothing was checked")
}

// A plot goes from the first moment to the last and, by its logarithm, from the shortest time to the longest, whichever
// came first; what all share is in the middle.
func TestThePlotIsDrawnToScale(t *testing.T) {
	t.Parallel()
	type moment struct {
		at, took time.Duration
		status   int
	}
	const ms = time.Millisecond
	for name, tc := range map[string]struct {
		moments []moment
		points  []string // x, y, colour, title
		axes    []string // high, low, from, to
	}{
		"one": {
			[]moment{{0, 1340 * time.Microsecond, 200}},
			[]string{"500 110 s2 2026-06-10T09:30:00Z: 200 in 1.3ms"},
			[]string{"1.34 ms", "1.34 ms", "2026-06-10 09:30:00", "2026-06-10 09:30:00"},
		},
		"at once and alike": {
			[]moment{{0, 0, 304}, {0, 0, 500}},
			[]string{"500 110 s3 2026-06-10T09:30:00Z: 304 in 0s", "500 110 s5 2026-06-10T09:30:00Z: 500 in 0s"},
			[]string{"0.01 ms", "0.01 ms", "2026-06-10 09:30:00", "2026-06-10 09:30:00"},
		},
		"in any order": {
			[]moment{{time.Hour, 10 * ms, 429}, {0, 1000 * ms, 200}, {4 * time.Hour, ms, 200}, {3 * time.Hour, 20 * ms, 503}},
			[]string{
				"250 146.7 s4 2026-06-10T10:30:00Z: 429 in 10ms", "0 0 s2 2026-06-10T09:30:00Z: 200 in 1s",
				"1000 220 s2 2026-06-10T13:30:00Z: 200 in 1ms", "750 124.6 s5 2026-06-10T12:30:00Z: 503 in 20ms",
			},
			[]string{"1 s", "1 ms", "2026-06-10 09:30:00", "2026-06-10 13:30:00"},
		},
		"close together": {
			[]moment{{0, 1500 * ms, 200}, {200 * ms, 2345 * ms, 200}, {600 * ms, 999 * ms, 200}},
			[]string{
				"0 115.2 s2 2026-06-10T09:30:00Z: 200 in 1.5s", "333.3 0 s2 2026-06-10T09:30:00Z: 200 in 2.345s",
				"1000 220 s2 2026-06-10T09:30:00Z: 200 in 999ms",
			},
			[]string{"2.35 s", "999 ms", "2026-06-10 09:30:00", "2026-06-10 09:30:00"},
		},
	} {
		report := conformance.NewReport(newChecker(t))
		for _, m := range tc.moments {
			x := withStatus(m.status, good("GET", "/fetch/tags", "", ""))
			x.Started, x.Duration = time.Date(2026, 6, 10, 11, 30, 0, 0, time.FixedZone("", 7200)).Add(m.at), m.took
			report.Add(x)
		}
		page := pageOf(t, report)
		assert.Equal(t, tc.points, each(page, `<circle cx="(.*?)" cy="(.*?)" r="4" class="(.*?)"><title>(.*?)</title>`), name)
		assert.Equal(t, tc.axes, each(page, `<span>([-0-9.: ]+(?: m?s)?)</span>`), name)
	}
	assert.NotContains(t, pageOf(t, conformance.NewReport(newChecker(t))), "<svg", "nobody knows when")
}

// Bars count what took up to so long, the limit included; the highest is as high as may be, and the rarest can be seen.
func TestBarsCountHowLongExchangesTook(t *testing.T) {
	t.Parallel()
	bar := `<div>(\d*)<i style="height: (\d+)px"></i>(.*?)</div>`
	report := conformance.NewReport(newChecker(t))
	for _, limit := range []time.Duration{1, 3, 10, 30, 100, 300, 1000, 3000, 10000} {
		limit *= time.Millisecond
		for _, took := range []time.Duration{limit, limit, limit + time.Microsecond} {
			x := good("GET", "/fetch/tags", "", `{"data":[]}`)
			x.Started, x.Duration = time.Unix(0, 0), took
			report.Add(x)
		}
	}
	assert.Equal(t, []string{
		"2 67 ≤1 ms", "3 100 ≤3", "3 100 ≤10", "3 100 ≤30", "3 100 ≤100", "3 100 ≤300", "3 100 ≤1 s", "3 100 ≤3", "3 100 ≤10", "1 34 more",
	}, each(pageOf(t, report), bar))
	report = conformance.NewReport(newChecker(t))
	x := good("GET", "/fetch/tags", "", `{"data":[]}`)
	x.Started = time.Unix(0, 0)
	report.Add(x)
	assert.Equal(t, "1 100 ≤1 ms", each(pageOf(t, report), bar)[0])
}

func pageOf(t *testing.T, report *conformance.Report) string {
	t.Helper()
	var out strings.Builder
	require.NoError(t, report.WriteHTML(&out))
	return out.String()
}

// each finds a pattern wherever it is, and joins what its groups hold.
func each(page, pattern string) (found []string) {
	for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(page, -1) {
		found = append(found, strings.Join(match[1:], " "))
	}
	return found
}

// The page in a browser, light and dark: its script runs, and a picture of it is kept.
func TestThePageInABrowser(t *testing.T) {
	t.Parallel()
	dir := t.ArtifactDir()
	page := filepath.Join(dir, "report.html")
	f, err := os.Create(page)
	require.NoError(t, err)
	require.NoError(t, broken(t).WriteHTML(f))
	require.NoError(t, f.Close())
	for mode, flag := range map[string]string{"light": "--blink-settings=preferredColorScheme=1", "dark": "--blink-settings=preferredColorScheme=0"} {
		picture := filepath.Join(dir, mode+".png")
		dom := needed.Chromium(t, flag, "--window-size=1200,1700", "--dump-dom", "--screenshot="+picture, "file://"+page)
		assert.Contains(t, dom, `<details data-severity="error" open="">`, "its script opened the first finding")
		assert.Equal(t, 5, strings.Count(dom, "<details "))
		info, err := os.Stat(picture)
		require.NoError(t, err)
		assert.Greater(t, info.Size(), int64(20_000), mode)
	}
}
