// Package sarif_test holds the SARIF that a check writes against the schema of SARIF 2.1.0. It is a
// module of its own, since only it needs that schema.
package sarif_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"example.com/bento-go/conformance"
)

func TestTheReportKeepsTheSchema(t *testing.T) {
	t.Parallel()
	checker, err := conformance.New()
	if err != nil {
		t.Fatal(err)
	}
	report := conformance.NewReport(checker)
	report.Add(&conformance.Exchange{
		Request: conformance.Request{
			Method: "POST", URL: "https://app.bentonow.com/api/v1/batch/events?site_uuid=x&limit=1", Body: []byte(`{"events":[{"type":"$purchase","email":"a"},{}]}`),
			Header: http.Header{"Authorization": {"Basic cGs6c2s="}, "User-Agent": {"curl/8"}, "Content-Type": {"application/json"}},
		},
		Response: &conformance.Response{Status: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(`{"results":1,"new":1}`)},
		Source:   conformance.Source{File: "a recording.har", Entry: 7, Offset: 4711},
	})
	report.AddError(conformance.Source{File: "-"}, http.ErrNoLocation)
	for name, r := range map[string]*conformance.Report{"findings": report, "none": conformance.NewReport(checker)} {
		var out bytes.Buffer
		if err := r.WriteSARIF(&out); err != nil {
			t.Fatal(err)
		}
		parsed, err := sarif.FromBytes(out.Bytes(), sarif.WithStrictValidation())
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out.String())
		}
		strict := json.NewDecoder(&out)
		strict.DisallowUnknownFields()
		if err := strict.Decode(new(sarif.Report)); err != nil {
			t.Fatalf("%s: a member that SARIF does not know: %v", name, err)
		}
		if name == "findings" && len(parsed.Runs[0].Results) < 5 {
			t.Fatalf("%d results", len(parsed.Runs[0].Results))
		}
	}
}
