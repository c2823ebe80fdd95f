package conformance_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"example.com/bento-go/conformance"
)

func FuzzCheck(f *testing.F) {
	c := newChecker(f)
	for _, body := range []string{oneEvent, `{"events":[1e400]}`, `[]`, `null`, "\xff", `{"events":[{"type":"x","email":"a","fields":{"A B":1}}]}`} {
		f.Add([]byte(body), "site_uuid=x&page=1")
	}
	f.Fuzz(func(t *testing.T, body []byte, query string) {
		x := good("POST", "/batch/events", "", "")
		x.Request.URL = "/api/v1/batch/events?" + query
		x.Request.Body, x.Response.Body = body, body
		for _, finding := range c.Check(x).Findings {
			if finding.Rule == conformance.RuleInternal {
				t.Fatal("the checker failed")
			}
			if _, err := json.Marshal(finding); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// A body is refused for its encoding if and only if it is not JSON in UTF-8; a key given twice,
// too deep a nest and half a character are what encoding/json lets pass.
func FuzzStrictJSON(f *testing.F) {
	c := newChecker(f)
	for _, body := range []string{oneEvent, oneEvent + "{}", `{"a":1,"a":2}`, "\xff", `"\ud800"`, "[[[]]]", "\ufeff{}", "{", "1e400", "-0", "01", " null "} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) == 0 {
			return
		}
		message := ""
		for _, finding := range c.Check(good("POST", "/batch/events", string(body), `{"results":1}`)).Findings {
			if finding.Rule == conformance.RuleRequestEncoding {
				message = finding.Message
			}
		}
		valid := json.Valid(body) && utf8.Valid(body)
		beyond := strings.Contains(message, "twice") || strings.Contains(message, "deeper") || strings.Contains(message, "half a character")
		if valid != (message == "") && (!valid || !beyond) {
			t.Fatalf("%q: valid %v, yet the checker says %q", body, valid, message)
		}
	})
}
