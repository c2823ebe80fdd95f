package conformance_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/conformance"
)

func TestWhatIsNotBentosIsSkippedWithAReason(t *testing.T) {
	t.Parallel()
	c := newChecker(t, conformance.WithServer("https://staging.example.com/proxy/api/v1"))
	for url, want := range map[string]string{
		"https://example.com/api/v1/fetch/tags":                             "another host",
		"https://app.bentonow.com.evil.example/api/v1/fetch/tags":           "another host",
		"http://127.0.0.1:8080/":                                            "another host",
		"http://127.0.0.1:8080/api/v1/fetch/tags?site_uuid=x":               "",
		"http://[::1]:8080/api/v1/fetch/tags?site_uuid=x":                   "",
		"https://staging.example.com/proxy/api/v1/fetch/tags?site_uuid=x":   "",
		"/api/v1/fetch/tags?site_uuid=x":                                    "",
		"https://staging.example.com/elsewhere/api/v1/fetch/tags?site_uuid": "",
	} {
		x := good("GET", "/fetch/tags", "", `{"data":[]}`)
		x.Request.URL = url
		verdict := c.Check(x)
		assert.Equal(t, want, verdict.Skipped, url)
		if strings.Contains(url, "elsewhere") {
			assert.NotEmpty(t, verdict.Findings, url)
		} else {
			assert.Empty(t, verdict.Findings, url)
		}
	}
	preflight := good("OPTIONS", "/fetch/tags", "", "")
	assert.Equal(t, "a browser's preflight", c.Check(preflight).Skipped)
	aborted := good("GET", "/fetch/tags", "", "")
	aborted.Response = nil
	assert.Equal(t, "no answer", c.Check(aborted).Skipped)
}

func TestAMissingBodyIsUnverifiableNotClean(t *testing.T) {
	t.Parallel()
	x := good("GET", "/fetch/tags", "", "")
	x.Response.BodyState = conformance.BodyMissing
	verdict := newChecker(t).Check(x)
	assert.True(t, verdict.Unverifiable)
	assert.Empty(t, verdict.Findings)
}

func TestMissingHeadersAreUnverifiableNotWrong(t *testing.T) {
	t.Parallel()
	c := newChecker(t)
	for name, change := range map[string]func(*conformance.Exchange){
		"of the request": func(x *conformance.Exchange) { x.Request.Header = nil },
		"of the answer":  func(x *conformance.Exchange) { x.Response.Header = nil },
		"of an error": func(x *conformance.Exchange) {
			x.Response = &conformance.Response{Status: 403, Body: []byte("<!DOCTYPE html>")}
		},
	} {
		x := good("POST", "/batch/events", oneEvent, `{"results":1}`)
		change(x)
		verdict := c.Check(x)
		assert.True(t, verdict.Unverifiable, name)
		assert.Empty(t, verdict.Findings, name)
	}
	empty := good("GET", "/fetch/tags", "", "")
	empty.Response = &conformance.Response{Status: 503}
	assert.False(t, c.Check(empty).Unverifiable, "nothing came that a header would describe")
	wrong := good("GET", "/fetch/tags", "", `{"data":7}`)
	wrong.Response.Header = nil
	assert.Len(t, c.Check(wrong).Findings, 1, "a success can only be JSON")
}

func TestRulesAreATable(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, r := range conformance.Rules() {
		assert.False(t, names[r.Name], r.Name)
		names[r.Name] = true
		assert.NotEmpty(t, r.Summary, r.Name)
		assert.NotEmpty(t, r.Hint, r.Name)
		assert.Contains(t, []conformance.Severity{"error", "warning", "drift"}, r.Severity, r.Name)
	}
}

func TestACheckerIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	c := newChecker(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				assert.Empty(t, c.Check(good("POST", "/batch/events", oneEvent, `{"results":1}`)).Findings)
			}
		})
	}
	wg.Wait()
}

func TestNothingPanicsTheChecker(t *testing.T) {
	t.Parallel()
	c := newChecker(t)
	for _, x := range []*conformance.Exchange{
		nil, {}, {Response: &conformance.Response{}}, {Request: conformance.Request{URL: "%"}, Response: &conformance.Response{Status: 200}},
		{Request: conformance.Request{URL: "/api/v1/batch/events", Method: "POST"}, Response: &conformance.Response{Status: 200}},
		{Request: conformance.Request{URL: "/api/v1/fetch/tags"}, Response: &conformance.Response{Status: -1}},
	} {
		c.Check(x)
	}
	assert.Empty(t, c.CheckResponse("no such operation", nil))
	x := good("GET", "/fetch/tags", "", "")
	x.Request.URL = "http://127.0.0.1/api/v1/fetch/tags"
	broken := new(conformance.Checker).Check(x) // it has no contract
	require.Len(t, broken.Findings, 1)
	assert.Equal(t, conformance.RuleInternal, broken.Findings[0].Rule)
}

// A request, and an answer, can be judged without the other.
func TestEachHalfIsJudgedAlone(t *testing.T) {
	t.Parallel()
	c := newChecker(t)
	answer := conformance.Response{Status: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(`{}`)}
	require.Len(t, c.CheckResponse("listTags", &answer), 1, "it lacks its data")
	assert.Empty(t, c.CheckResponse("listTags", nil))
	assert.Empty(t, c.CheckResponse("no such operation", &answer))
	for path, want := range map[string]string{"/experimental/validation?email=a@example.com": "validateEmail", "/batch/events": "trackEvents", "/batch/nothing": ""} {
		operation, _ := c.CheckRequest(&good("POST", path, "", "").Request)
		assert.Equal(t, want, operation, path)
	}
	for _, url := range []string{"https://app.bentonow.com/%zz?site_uuid=x", "https://app.bentonow.com/fetch/tags?site_uuid=x"} {
		request := good("GET", "/fetch/tags", "", "").Request
		request.URL = url
		operation, findings := c.CheckRequest(&request)
		assert.Empty(t, operation, url)
		require.Len(t, findings, 1, "the rest of it is in order: %s", url)
		assert.Equal(t, conformance.RulePath, findings[0].Rule, url)
	}
}

func TestWhatWasNotAnsweredIsNotJudged(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]*conformance.Response{"none": nil, "no status": {}} {
		x := good("GET", "/fetch/tags", "", "")
		x.Response = answer
		assert.Equal(t, "no answer", newChecker(t).Check(x).Skipped, name)
	}
}

// What the client takes without a word, the checker tells.
func TestWhatTheClientForgivesIsReported(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"data":null}`: "/data", `{"data":{}}`: "/data", `{}`: "/data",
		`{"data":[{"id":1,"type":"tags","attributes":{"name":"vip"}}]}`:                            "/data/0/id",
		`{"data":[{"id":"1","type":"tags","attributes":{"name":"vip","created_at":"yesterday"}}]}`: "/data/0/attributes/created_at",
	} {
		findings := newChecker(t).Check(good("GET", "/fetch/tags", "", body)).Findings
		require.Len(t, findings, 1, body)
		assert.Equal(t, "response.body.schema", findings[0].Rule)
		assert.Equal(t, want, findings[0].Pointer)
	}
}
