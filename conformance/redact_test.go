package conformance_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/conformance"
)

// A recorded is what a recording holds of one exchange.
type recorded struct {
	Request, Response struct {
		URL     string
		Headers []struct{ Name, Value string }
		Content struct{ Text string }
	}
}

// record records a request to which the answer is given.
func record(t *testing.T, req *http.Request, header http.Header, body string) recorded {
	t.Helper()
	var har bytes.Buffer
	recorder := conformance.NewRecorder(transport(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: header, Body: io.NopCloser(strings.NewReader(body))}, nil
	}), &har)
	resp, err := recorder.RoundTrip(req)
	require.NoError(t, err)
	drainBody(resp.Body)
	require.NoError(t, resp.Body.Close())
	require.NoError(t, recorder.Close())
	var file struct{ Log struct{ Entries []recorded } }
	require.NoError(t, json.Unmarshal(har.Bytes(), &file))
	require.Len(t, file.Log.Entries, 1)
	return file.Log.Entries[0]
}

// Of headers the names are kept, in order, and the values of those that hold nobody's data.
func TestOfHeadersPlainValuesAreKept(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"Accept": "a/b", "Accept-Encoding": "gzip", "Allow": "GET", "Cache-Control": "no-store", "Content-Encoding": "identity", "Content-Length": "2",
		"Content-Type": "application/json", "Date": "today", "Retry-After": "3", "Server": "nginx", "User-Agent": "AcmeCRM/1.0", "Vary": "Accept",
		"X-Request-Id": "1-2", "X-Runtime": "0.1", "Authorization": "Basic [redacted]",
		"Cookie": "[redacted]", "Set-Cookie": "[redacted]", "X-Api-Key": "[redacted]", "Proxy-Authorization": "[redacted]", "Referer": "[redacted]",
	}
	req := request(t, "GET", "https://app.bentonow.com/api/v1/fetch/tags", "")
	answer := http.Header{}
	for name, value := range want {
		if value == "[redacted]" {
			value = "Basic c2VjcmV0" // whatever it is
		}
		answer.Set(name, value)
		if name != "Authorization" {
			req.Header.Set(name, value)
		}
	}
	got := record(t, req, answer, "{}")
	for _, of := range [][]struct{ Name, Value string }{got.Request.Headers, got.Response.Headers} {
		var names []string
		for _, h := range of {
			names = append(names, h.Name)
			assert.Equal(t, want[h.Name], h.Value, h.Name)
		}
		assert.Equal(t, slices.Sorted(maps.Keys(want)), names)
	}
	req.Header = http.Header{"Authorization": {"Bearer c2VjcmV0"}, "Server": {"behind c2VjcmV0"}}
	for _, h := range record(t, req, nil, "{}").Request.Headers {
		assert.NotContains(t, h.Value, "c2VjcmV0", h.Name)
		assert.NotContains(t, h.Value, "Basic", h.Name)
	}
}

// Of a query the names are kept, and the values of those that hold nobody's data.
func TestOfAQueryPlainValuesAreKept(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"page=2":                     "page=2",
		"status=draft&page=1":        "status=draft&page=1",
		"dimension=a":                "dimension=a",
		"revenue_mode=b":             "revenue_mode=b",
		"start_date=2026-01-01":      "start_date=2026-01-01",
		"end_date=2026-01-02":        "end_date=2026-01-02",
		"site_uuid=1234":             "site_uuid=REDACTED",
		"email=ari%40acme.example":   "email=redacted%40example.com",
		"email=":                     "email=",
		"name=Ari":                   "name=REDACTED",
		"name=":                      "name=",
		"just-a-name":                "REDACTED",
		"page=2&&page=3":             "page=2&page=3",
		"&":                          "",
		"page=pk_canary_publishable": "page=REDACTED",
		"sk_canary_secret=1":         "[redacted]=REDACTED",
		"sk_canary_secret=":          "[redacted]=",
	} {
		got := recordedURL(t, "pk_canary_publishable", "sk_canary_secret", "https://app.bentonow.com/api/v1/fetch/tags?"+query)
		_, after, _ := strings.Cut(got, "?")
		assert.Equal(t, want, after, query)
	}
}

// A secret of fewer than four letters is in half of all texts: taking it out would take those along.
func TestASecretIsAtLeastFourLetters(t *testing.T) {
	t.Parallel()
	for password, want := range map[string]string{"abc": `{"x":"abcd"}`, "abcd": `{"x":"[redacted]"}`} {
		req := request(t, "GET", "https://app.bentonow.com/api/v1/fetch/tags", "")
		req.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("user:"+password)))
		got := record(t, req, http.Header{"Content-Type": {"application/json"}}, `{"x":"abcd"}`)
		assert.Equal(t, want, got.Response.Content.Text)
	}
}

// A secret is taken out whole, however JSON, a form or a path would write it.
func TestASecretIsFoundInEachOfItsSpellings(t *testing.T) {
	t.Parallel()
	const secret = `a b"c<d/e`
	for _, spelling := range []string{secret, `a b\"c\u003cd/e`, "a+b%22c%3Cd%2Fe", "a%20b%22c%3Cd%2Fe"} {
		req := request(t, "GET", "https://app.bentonow.com/api/v1/fetch/tags", "")
		req.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("user:"+secret)))
		got := record(t, req, http.Header{"Content-Type": {"text/plain"}}, "<"+spelling+">")
		assert.Equal(t, "<[redacted]>", got.Response.Content.Text, spelling)
	}
}
