package conformance_test

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/conformance"
)

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(name)
	require.NoError(t, err)
	return content
}

func readFrom(r io.Reader, name string) (exchanges []*conformance.Exchange, errs []error) {
	for x, err := range conformance.Read(r, name) {
		if err != nil {
			errs = append(errs, err)
		} else {
			exchanges = append(exchanges, x)
		}
	}
	return exchanges, errs
}

// The same two exchanges, as each tool writes them; the content says which it was.
func TestEveryFormatIsKnownByItsContent(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"chrome.har", "firefox.har", "charles.har", "insomnia.har", "mitmproxy.har", "go-vcr-v3.yaml", "go-vcr-v4.yaml", "exchanges.ndjson"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			content := readFile(t, "testdata/formats/"+name)
			var packed bytes.Buffer
			z := gzip.NewWriter(&packed)
			_, _ = z.Write(content)
			require.NoError(t, z.Close())
			for _, in := range []io.Reader{bytes.NewReader(content), &packed, &oneByte{content}} {
				exchanges, errs := readFrom(in, name)
				require.Empty(t, errs)
				require.Len(t, exchanges, 2)
				track, tags := exchanges[0], exchanges[1]
				assert.Equal(t, "POST", track.Request.Method)
				assert.JSONEq(t, `{"events":[{"type":"$signed_up","email":"ari@example.com"}]}`, string(track.Request.Body))
				assert.JSONEq(t, `{"results":1,"failed":0}`, string(track.Response.Body))
				assert.Equal(t, 1, tags.Source.Entry)
				for _, x := range exchanges {
					verdict := newChecker(t).Check(x)
					assert.Empty(t, verdict.Findings)
					assert.False(t, verdict.Unverifiable)
				}
			}
		})
	}
}

// Chrome leaves credentials out of what it exports, which is no fault of the traffic.
func TestWhatARecorderLeavesOutIsNoFinding(t *testing.T) {
	t.Parallel()
	content := strings.ReplaceAll(string(readFile(t, "testdata/formats/chrome.har")), `"authorization"`, `"x-was-there"`)
	for _, chrome := range []bool{true, false} {
		if !chrome {
			content = strings.Replace(content, "WebInspector", "Other", 1)
		}
		exchanges, errs := readFrom(strings.NewReader(content), "chrome.har")
		require.Empty(t, errs)
		verdict := newChecker(t).Check(exchanges[0])
		if chrome {
			assert.Equal(t, conformance.Unverifiable, verdict.Outcome())
		} else {
			assert.Equal(t, conformance.Violating, verdict.Outcome())
		}
	}
}

// oneByte is a slow pipe.
type oneByte struct{ rest []byte }

func (o *oneByte) Read(p []byte) (int, error) {
	if len(o.rest) == 0 {
		return 0, io.EOF
	}
	p[0] = o.rest[0]
	o.rest = o.rest[1:]
	return 1, nil
}

// broken is a report with a finding of each severity.
func broken(t testing.TB, opts ...conformance.Option) *conformance.Report {
	t.Helper()
	checker, err := conformance.New(opts...)
	require.NoError(t, err)
	report := conformance.NewReport(checker)
	for i := range 3 {
		x := good("POST", "/batch/events", `{"events":[{"type":"$purchase","email":"a@example.com","details":{"password":"canary"}},{"type":"canary"}]}`, `{"results":1,"news":1}`)
		x.Source = conformance.Source{File: "rec,1.har", Entry: i, Offset: int64(100 * i), Line: 1 + 10*i}
		x.Started, x.Duration = time.Date(2026, 6, 10, 9, 30, i, 0, time.UTC), time.Duration(1+i)*7*time.Millisecond
		report.Add(x)
	}
	tags := good("GET", "/fetch/tags", "", `{"data":[]}`)
	tags.Started, tags.Duration = time.Date(2026, 6, 10, 9, 30, 9, 0, time.UTC), 2*time.Second
	report.Add(tags)
	return report
}

func TestAnnotationsAndTablesSayTheSame(t *testing.T) {
	t.Parallel()
	report := broken(t)
	written := func(write func(io.Writer) error) string {
		var out strings.Builder
		require.NoError(t, write(&out))
		assert.NotContains(t, out.String(), "canary", "no value of the traffic")
		return out.String()
	}
	annotations := written(report.WriteGitHub)
	assert.Contains(t, annotations, "::error file=rec%2C1.har,line=1,title=request.body.schema::trackEvents request /events/*/email: is required (3 times")
	assert.Contains(t, annotations, "::notice ")
	assert.Equal(t, 5, strings.Count(annotations, "\n"))
	seen := conformance.NewReport(newChecker(t))
	for entry, said := range []string{"is required (in entry 7). ", "is required (2 times, first in entry 7). "} {
		x := good("POST", "/batch/events", `{"events":[{"type":"x"}]}`, `{"results":1,"failed":0}`)
		x.Source.Entry = 7 + entry
		seen.Add(x)
		assert.Contains(t, written(seen.WriteGitHub), said)
	}

	rows, err := csv.NewReader(strings.NewReader(written(report.WriteCSV))).ReadAll()
	require.NoError(t, err)
	assert.Len(t, rows, 16)
	for _, row := range rows {
		for _, cell := range row {
			assert.False(t, strings.HasPrefix(cell, "="), cell)
		}
	}
	assert.Contains(t, written(report.WriteGroupedJSON), `"count": 3`)
}

// In JUnit an operation that nobody called is skipped, one that breaks the contract fails for each way it does, and what
// is less than an error stands in the output of a case that passes.
func TestJUnitHasACaseForEachOperationAndWhatWasFound(t *testing.T) {
	t.Parallel()
	report := mixedReport(t)
	var out strings.Builder
	require.NoError(t, report.WriteJUnit(&out))
	skipped := regexp.MustCompile(`    <testcase classname="\w+" name="[A-Z]+ /[^"]*">\n      <skipped></skipped>\n    </testcase>\n`)
	golden(t, "report.xml", skipped.ReplaceAllString(out.String(), ""))
	operations := report.Coverage().Operations
	assert.Len(t, skipped.FindAllString(out.String(), -1), operations.Total-operations.Seen)
}

// A result of SARIF says which rule it is of, what is wrong, and where the first entry that shows it begins.
func TestSARIFPointsToWhereEachFindingIsFirst(t *testing.T) {
	t.Parallel()
	report := mixedReport(t)
	report.Add(good("GET", "/fetch/tags", "", `[]`))
	report.Add(good("GET", "/fetch/tags", "", `[]`))
	piped, odd := good("GET", "/fetch/fields", "", `[]`), good("GET", "/fetch/segments", "", `[]`)
	piped.Source, odd.Source = conformance.Source{File: "-", Offset: 7}, conformance.Source{File: "a b#1.har"}
	report.Add(piped)
	report.Add(odd)
	var out strings.Builder
	require.NoError(t, report.WriteSARIF(&out))
	assert.NotContains(t, out.String(), canary)
	assert.Contains(t, out.String(), "\n  \"version\": \"2.1.0\",\n", "a person can read it")
	type text struct{ Text string }
	var sarif struct {
		Runs []struct {
			Tool struct {
				Driver struct {
					Name  string
					Rules []struct {
						ID                     string
						ShortDescription, Help text
						DefaultConfiguration   struct{ Level string }
					}
				}
			}
			Results []struct {
				RuleID, Level              string
				Message                    text
				RuleIndex, OccurrenceCount int
				PartialFingerprints        map[string]string
				Locations                  []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           struct{ ByteOffset, ByteLength int }
					}
					LogicalLocations []struct{ FullyQualifiedName string }
				}
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(out.String()), &sarif))
	run := sarif.Runs[0]
	assert.Equal(t, "bento-go conformance", run.Tool.Driver.Name)
	rules := run.Tool.Driver.Rules
	require.Len(t, rules, len(conformance.Rules()))
	levels := map[conformance.Severity]string{"error": "error", "warning": "warning", "drift": "note"}
	for i, rule := range conformance.Rules() {
		assert.Equal(t, []string{rule.Name, rule.Summary, rule.Hint, levels[rule.Severity]},
			[]string{rules[i].ID, rules[i].ShortDescription.Text, rules[i].Help.Text, rules[i].DefaultConfiguration.Level})
	}
	var results []string
	for i, group := range report.Groups() {
		r := run.Results[i]
		assert.Equal(t, r.RuleID, rules[r.RuleIndex].ID)
		assert.Equal(t, map[string]string{"group/v1": group.Fingerprint}, r.PartialFingerprints)
		assert.True(t, strings.HasSuffix(r.Message.Text, ": "+group.Message+". "+group.Hint), r.Message.Text)
		at := r.Locations[0].PhysicalLocation
		assert.Zero(t, at.Region.ByteLength)
		results = append(results, fmt.Sprintf("%s %s x%d %s@%d %v", r.Level, r.RuleID, r.OccurrenceCount, at.ArtifactLocation.URI, at.Region.ByteOffset, r.Locations[0].LogicalLocations))
	}
	assert.Equal(t, []string{
		"error request.body.schema x5 recording.har@1000 [{trackEvents request /events/*/email}]",
		"error response.body.schema x2 stdin@0 [{listTags response }]",
		"error request.query.unknown x1 recording.har@6000 [{listTags request }]",
		"error recording.unreadable x1 recording.har@9000 []",
		"error request.path x1 recording.har@16000 []",
		"error response.body.schema x1 stdin@7 [{listFields response }]",
		"error response.body.schema x1 a%20b%231.har@0 [{listSegments response }]",
		"warning payload.email x2 recording.har@14000 [{importSubscribers request /subscribers/*/email}]",
		"warning payload.secret x1 recording.har@7000 [{trackEvents request /events/*/fields/password}]",
		"note response.body.drift x1 recording.har@6000 [{listTags response /data/*/colour}]",
		"note response.body.drift x1 recording.har@15000 [{checkBlacklist response /a~1b}]",
	}, results)
}

// Coverage counts what was seen, and names what was not.
func TestCoverageNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	report := conformance.NewReport(newChecker(t))
	report.Add(good("GET", "/fetch/search?tags=vip&created_at[gt]=2024-01-01", "", `{"data":[],"meta":{"page":1}}`))
	report.Add(good("POST", "/batch/events", `{"events":[{"type":"x","email":"nobody"}]}`, `{"results":1}`)) // a warning: judged slowly
	report.Add(good("POST", "/batch/events", `{"events":[{"type":"x","email":"a@example.com","date":"2026-06-10T09:30:00Z"}]}`, `{"results":1}`))
	c := report.Coverage()
	assert.Equal(t, 2, c.Operations.Seen)
	assert.Equal(t, 2, c.Responses.Seen)
	assert.Equal(t, 2, c.Parameters.Seen)
	assert.Equal(t, 8, c.Properties.Seen)
	assert.Len(t, c.Unseen, c.Properties.Total-c.Properties.Seen)
	assert.Contains(t, c.Unseen, "response BatchResult.failed")
	assert.NotContains(t, c.Unseen, "request Event.date")
	for _, op := range c.ByID {
		assert.True(t, slices.IsSorted(op.Missing.Statuses), op.Operation)
		for _, name := range op.Missing.Parameters {
			assert.NotContains(t, op.Path, "{"+name+"}", "a path has all of its parameters, always")
		}
		if op.Operation == "searchSubscribers" {
			assert.Equal(t, []string{"400", "401", "403", "404", "422", "429", "5XX"}, op.Missing.Statuses)
			assert.Equal(t, []string{"page", "tag_names", "tag_ids", "segment_id", "updated_at", "last_event_at", "unsubscribed_at"}, op.Missing.Parameters)
		}
	}
	s := report.Summary()
	assert.Equal(t, 3, s.Conforming)
}

// Of each exchange just what stands in it counts as seen, whichever way it was judged.
func TestCoverageCountsJustWhatIsThere(t *testing.T) {
	t.Parallel()
	all := conformance.NewReport(newChecker(t)).Coverage()
	require.True(t, slices.IsSorted(all.Unseen))
	require.Len(t, all.Unseen, all.Properties.Total, "nothing is seen of nothing")
	const events, answer = `{"events":[{"type":"x","email":"a@example.com","fields":{"plan":"a"}}]}`, `{"results":1}`
	const command = `{"command":[{"command":"add_tag","email":"a@example.com","query":"vip"}]}`
	batch := []string{"request Event.email", "request Event.fields", "request Event.type", "request TrackEventsBody.events", "response BatchResult.results"}
	shaped := []string{"request CommandWithText.command", "request CommandWithText.email", "request CommandWithText.query", "request RunCommandsBody.command", "response BatchResult.results"}
	for name, tc := range map[string]struct {
		exchange   *conformance.Exchange
		properties []string
		operations int
		parameters int
		responses  int
	}{
		"judged at a glance":      {good("POST", "/batch/events", events, answer), batch, 1, 0, 1},
		"judged as a tree":        {good("POST", "/batch/events", strings.Replace(events, "a@example.com", "nobody", 1), answer), batch, 1, 0, 1},
		"a shape, at a glance":    {good("POST", "/fetch/commands", command, answer), shaped, 1, 0, 1},
		"a shape, as a tree":      {good("POST", "/fetch/commands", strings.Replace(command, "a@example.com", "nobody", 1), answer), shaped, 1, 0, 1},
		"half a query":            {good("GET", "/fetch/search?tags=vip&%zz&page=1", "", `{"data":[]}`), []string{"response SubscriberList.data"}, 1, 2, 1},
		"parameters":              {good("GET", "/fetch/search?tags=vip&none=1&page=1", "", `{"data":[]}`), []string{"response SubscriberList.data"}, 1, 2, 1},
		"of no operation":         {good("GET", "/nowhere?tags=vip", "", `{"data":[]}`), nil, 0, 0, 0},
		"a class of statuses":     {withStatus(503, good("GET", "/fetch/tags", "", `{"error":"x"}`)), []string{"response ErrorBody.error"}, 1, 0, 1},
		"a status of no contract": {withStatus(299, good("GET", "/fetch/tags", "", `{"data":[]}`)), nil, 1, 0, 0},
	} {
		report := conformance.NewReport(newChecker(t))
		report.Add(tc.exchange)
		c := report.Coverage()
		seen := slices.DeleteFunc(slices.Clone(all.Unseen), func(name string) bool { return slices.Contains(c.Unseen, name) })
		assert.ElementsMatch(t, tc.properties, seen, name)
		assert.Equal(t, len(tc.properties), c.Properties.Seen, name)
		assert.Equal(t, [3]int{tc.operations, tc.parameters, tc.responses}, [3]int{c.Operations.Seen, c.Parameters.Seen, c.Responses.Seen}, name)
	}
}

func withStatus(status int, x *conformance.Exchange) *conformance.Exchange {
	x.Response.Status = status
	return x
}

// What is known counts no more, at whatever index and in whichever file it is found, and whichever report the
// baseline was.
func TestABaselineLeavesWhatIsNew(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]func(*conformance.Report, io.Writer) error{
		"each finding": (*conformance.Report).WriteJSON, "grouped": (*conformance.Report).WriteGroupedJSON,
	} {
		var before bytes.Buffer
		require.NoError(t, write(broken(t), &before))
		known, err := conformance.ReadBaseline(&before)
		require.NoError(t, err, name)
		report := conformance.NewReport(newChecker(t))
		report.Accept(known)
		report.Add(good("POST", "/batch/events", `{"events":[{"type":"a","email":"a@example.com"},{"type":"b","email":"a@example.com"},{"type":"c"}]}`, `{"results":1}`))
		assert.Equal(t, conformance.Summary{Entries: 1, Checked: 1, Violating: 1, Known: 1}, report.Summary(), name)
		var text strings.Builder
		require.NoError(t, report.WriteText(&text, conformance.TextOptions{}))
		assert.Contains(t, text.String(), "conformant: 0 errors, 0 warnings, 0 drift; 1 known\n", name)
		assert.Contains(t, pageOf(t, report), "; 1 known findings left out<", name)
		report.Add(good("POST", "/batch/events", `{"events":[{"email":"a@example.com"}]}`, `{"results":1}`))
		assert.Equal(t, 1, report.Summary().Errors, name)
	}
}

// A baseline that could not be read in full would let pass what is new, or fail what is known: it is none.
func TestABaselineIsAWholeReport(t *testing.T) {
	t.Parallel()
	for _, other := range []string{``, `[]`, `{}`, `{"findings":null}`, `{"findings":[`, `{"findings":[{}`, `{"findings":[{"rule":7}]}`, `{"findings":{}}`} {
		_, err := conformance.ReadBaseline(strings.NewReader(other))
		require.ErrorContains(t, err, "write one with --format json", other)
	}
	known, err := conformance.ReadBaseline(strings.NewReader(`{"findings":[]}`))
	require.NoError(t, err)
	assert.Empty(t, known)
}

func TestValuesAreShownOnlyIfAskedFor(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	require.NoError(t, broken(t, conformance.WithValues()).WriteText(&out, conformance.TextOptions{}))
	assert.Contains(t, out.String(), `here: "canary"`)
}

func FuzzRead(f *testing.F) {
	for _, name := range []string{"chrome.har", "go-vcr-v4.yaml", "exchanges.ndjson"} {
		f.Add(readFile(f, "testdata/formats/"+name))
	}
	checker := newChecker(f)
	f.Fuzz(func(t *testing.T, content []byte) {
		for _, read := range []func(io.Reader, string) (exchanges []*conformance.Exchange, errs []error){readFrom} {
			exchanges, _ := read(bytes.NewReader(content), "f")
			for _, x := range exchanges {
				for _, finding := range checker.Check(x).Findings {
					if finding.Rule == conformance.RuleInternal {
						t.Fatal("the checker panicked")
					}
				}
			}
		}
	})
}
