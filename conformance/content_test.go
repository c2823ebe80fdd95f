package conformance_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"example.com/bento-go/conformance"
)

// said is what a checker says of an exchange, a finding a line.
func said(checker *conformance.Checker, x *conformance.Exchange) string {
	var lines []string
	for _, f := range checker.Check(x).Findings {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %s: %s", f.Rule, f.Pointer, f.Message)))
	}
	return strings.Join(lines, "\n")
}

// What is no JSON is said to be none by its reason, and never quoted; what is, is judged as such.
func TestWhyABodyIsNotJSON(t *testing.T) {
	t.Parallel()
	checker := newChecker(t)
	nested := func(open, end string, n int) string {
		return `{"results":"one","x":` + strings.Repeat(open, n) + "1" + strings.Repeat(end, n) + `}`
	}
	for body, want := range map[string]string{
		" ":                            "breaks off in the middle of the JSON",
		`{"results":`:                  "breaks off in the middle of the JSON",
		`{"results":"canary`:           "breaks off in the middle of the JSON",
		`{"results":[1`:                "breaks off in the middle of the JSON",
		`{"results":"one",}`:           "is not JSON",
		`{"results":[1,]}`:             "is not JSON",
		`{"results":canary}`:           "is not JSON",
		`{canary:1}`:                   "is not JSON",
		`{"results":1}}`:               "has bytes after the JSON value",
		`{"results":1,"results":2}`:    "holds a key twice",
		"{\"results\":\"canary\xff\"}": "is not UTF-8",
		`{"results":"canary\udc00"}`:   `escapes half a character, such as \ud800 alone`,
		nested("[", "]", 199):          "",
		nested(`{"y":`, "}", 199):      "",
		nested("[", "]", 200):          "nests deeper than 200 levels",
		nested(`{"y":`, "}", 200):      "nests deeper than 200 levels",
	} {
		got := said(checker, good("POST", "/batch/events", oneEvent, body))
		if want == "" {
			assert.Contains(t, got, "response.body.schema /results: ", "%.60s", body)
			assert.NotContains(t, got, "the body", "%.60s", body)
			continue
		}
		assert.Equal(t, "response.body.encoding : the body "+want, got, "%.60s", body)
	}
}

// A form nests by brackets, as Rails has it. Names come in any order, so that each is asked often.
func TestWhatAFormSays(t *testing.T) {
	t.Parallel()
	checker := newChecker(t)
	const email = "data_deletion_request[email]=a@example.com"
	for body, want := range map[string]string{
		email: "", "site_uuid=x&" + email: "", strings.ReplaceAll(email, "[", "%5B"): "",
		"data_deletion_request[email]=canary":   "payload.email /data_deletion_request/email: an email address is malformed",
		email + "&data_deletion_request[a]=1":   "request.body.schema /data_deletion_request/a: is not in the contract",
		email + "&" + email:                     "request.body.encoding : the body holds a key twice",
		email + "&data_deletion_request=canary": "request.body.encoding : the body holds a key twice",
		"data_deletion_request[]=canary":        "request.body.encoding : the body is not a form",
		"data_deletion_request[email=canary":    "request.body.encoding : the body is not a form",
		email + "&canary=%zz":                   "request.body.encoding : the body is not a form",
		"data_deletion_request=canary":          "request.body.schema /data_deletion_request: want an object",
		"site_uuid=x":                           "request.body.schema /data_deletion_request: is required",
	} {
		for range 20 {
			x := good("POST", "/data_deletion_requests", body, `{"status":"queued"}`)
			x.Request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			x.Response.Status = 202
			if !assert.Equal(t, want, said(checker, x), body) {
				break
			}
		}
	}
}

// What somebody named is judged however deep it stands, and whatever it stands in.
func TestNamesAreJudgedHoweverDeepTheyStand(t *testing.T) {
	t.Parallel()
	for details, want := range map[string]string{
		`{"a":{"b":{"api_key":"canary"}}}`:          "payload.secret /events/0/details/a/b/api_key",
		`{"a":[7,{"b":1},{"c":[{"apiKey":true}]}]}`: "payload.field-name /events/0/details/a/2/c/0/apiKey\npayload.secret /events/0/details/a/2/c/0/apiKey",
		`{"a":{"b/c":{}}}`:                          "payload.field-name /events/0/details/a/b~1c",
	} {
		x := good("POST", "/batch/events", eventBody(`"details":`+details), `{"results":1}`)
		var places []string
		for _, f := range newChecker(t).Check(x).Findings {
			places = append(places, f.Rule+" "+f.Pointer)
		}
		assert.Equal(t, want, strings.Join(places, "\n"), details)
	}
}
