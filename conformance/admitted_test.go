package conformance_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/conformance"
)

// What the contract says works beside its canonical form.
func TestWhatIsAdmittedIsClean(t *testing.T) {
	t.Parallel()
	latin := good("POST", "/data_deletion_requests", "data_deletion_request[email]=a@example.com", `{"status":"queued"}`)
	latin.Request.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=iso-8859-1")
	latin.Response.Status = 202
	withFragment := good("GET", "/fetch/search", "", `{"data":[]}`)
	withFragment.Request.URL += "&page=1#top"
	found := `{"data":{"id":"1","type":"visitors","attributes":{"uuid":"u","email":"a@example.com"}}}`
	for name, x := range map[string]*conformance.Exchange{
		"a form in Latin-1":       latin,
		"a single command":        good("POST", "/fetch/commands", `{"command":{"command":"add_tag","email":"a@example.com","query":"vip"}}`, `{"results":1}`),
		"a command without query": good("POST", "/fetch/commands", `{"command":[{"command":"subscribe","email":"a@example.com","query":null}]}`, `{"results":1}`),
		"inputs in the query":     good("POST", "/experimental/jesses_ruleset?email=a@example.com&block_free_providers=true", "", `{"valid":true}`),
		"filters in the body":     good("GET", "/fetch/search", `{"created_at":{"gt":"2024-01-01"}}`, `{"data":[]}`),
		"somebody by uuid":        good("GET", "/fetch/subscribers?uuid=u", "", found),
		"the head of a list":      good("HEAD", "/fetch/tags", "", ""),
		"a fragment":              withFragment,
		"nobody, as {}":           good("GET", "/fetch/subscribers?uuid=u", "", `{}`),
		"fields of every kind":    good("POST", "/batch/events", eventBody(`"fields":{"a":"x","b":1.5,"c":true,"d":null}`), `{"results":1}`),
	} {
		assert.Empty(t, newChecker(t).Check(x).Findings, name)
	}
	for _, body := range []string{
		`{"error":"x"}`, `{"message":"x"}`, `{"errors":"x"}`, `{"errors":{"email":"x"}}`, `{"errors":{"email":["x"]}}`, `{"errors":[{"field":"email","message":"x"}]}`, ``,
	} {
		x := good("GET", "/fetch/tags", "", body)
		x.Response.Status = 422
		assert.Empty(t, newChecker(t).Check(x).Findings, body)
	}
}

func TestWhatIsRightIsNotFound(t *testing.T) {
	t.Parallel()
	post := good("POST", "/batch/events", oneEvent, `{"results":1,"failed":0}`)
	for name, change := range map[string]func(*conformance.Exchange){
		"upper-case host":        func(x *conformance.Exchange) { x.Request.URL = strings.Replace(x.Request.URL, "app.", "APP.", 1) },
		"explicit port":          func(x *conformance.Exchange) { x.Request.URL = strings.Replace(x.Request.URL, ".com/", ".com:443/", 1) },
		"redacted auth":          func(x *conformance.Exchange) { x.Request.Header.Set("Authorization", "REDACTED") },
		"redacted credentials":   func(x *conformance.Exchange) { x.Request.Header.Set("Authorization", "Basic [redacted]") },
		"filtered auth":          func(x *conformance.Exchange) { x.Request.Header.Set("Authorization", "[FILTERED]") },
		"credentials as stars":   func(x *conformance.Exchange) { x.Request.Header.Set("Authorization", "Basic ****") },
		"credentials as crosses": func(x *conformance.Exchange) { x.Request.Header.Set("Authorization", "Basic xxxx") },
		"redacted site": func(x *conformance.Exchange) {
			x.Request.URL = "https://app.bentonow.com/api/v1/batch/events?site_uuid=REDACTED"
		},
		"no headers recorded": func(x *conformance.Exchange) { x.Request.Header = nil },
		"charset in capitals": func(x *conformance.Exchange) { x.Request.Header.Set("Content-Type", "application/json; charset=UTF-8") },
		"plus in the address": func(x *conformance.Exchange) {
			x.Request.Body = []byte(strings.Replace(oneEvent, "ari@", "a+b.c'd@", 1))
		},
		"international domain": func(x *conformance.Exchange) {
			x.Request.Body = []byte(strings.Replace(oneEvent, "example.com", "bücher.example", 1))
		},
		"null fields":          func(x *conformance.Exchange) { x.Request.Body = []byte(eventBody(`"fields":null,"details":null`)) },
		"error without a body": func(x *conformance.Exchange) { x.Response.Status = 503; x.Response.Body = nil },
		"HTML for an error": func(x *conformance.Exchange) {
			x.Response.Status = 403
			x.Response.Header.Set("Content-Type", "text/html; charset=UTF-8")
		},
		"the largest integer": func(x *conformance.Exchange) { x.Response.Body = []byte(`{"results":9223372036854775807}`) },
		"a value that is no price": func(x *conformance.Exchange) {
			x.Request.Body = []byte(eventBody(`"details":{"value":{"plan":"pro"}}`))
		},
		"a purchase in escapes": func(x *conformance.Exchange) {
			x.Request.Body = []byte(`{"events":[{"type":"$purchase","email":"a@example.com","details":{"\u0075nique":{"key":"a"},"value":{"amount":1}}}]}`)
		},
		"big number in details": func(x *conformance.Exchange) {
			x.Request.Body = []byte(eventBody(`"details":{"order_id":12345678901234567890}`))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := *post
			x.Request.Header = post.Request.Header.Clone()
			response := *post.Response
			response.Header = post.Response.Header.Clone()
			x.Response = &response
			change(&x)
			verdict := newChecker(t).Check(&x)
			assert.Empty(t, verdict.Skipped)
			assert.Empty(t, verdict.Findings)
			assert.Equal(t, "trackEvents", verdict.Operation)
		})
	}
}

func TestTheConventionsByExample(t *testing.T) {
	t.Parallel()
	f, err := os.Open("testdata/conventions.har")
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	report := conformance.NewReport(newChecker(t))
	for x, err := range conformance.ReadHAR(f, f.Name()) {
		require.NoError(t, err)
		verdict := report.Add(x)
		assert.Empty(t, verdict.Findings, "entry %d", x.Source.Entry)
	}
	s := report.Summary()
	assert.Equal(t, conformance.Summary{Entries: 16, Checked: 16, Conforming: 16}, s)
	assert.Equal(t, conformance.OperationCount{Total: 44, Seen: 7}, report.Coverage().Operations)
}

func TestWhatOnlySoundsLikeASecretIsNone(t *testing.T) {
	t.Parallel()
	for _, member := range []string{`"passport":"x"`, `"secretary":"x"`, `"note":"bearer of news"`, `"note":"task_live_streaming1"`, `"api_key":null`} {
		assert.Empty(t, newChecker(t).Check(good("POST", "/batch/events", eventBody(`"details":{`+member+`}`), `{"results":1}`)).Findings, member)
	}
}
