package conformance_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/conformance"
)

func readAll(text string) (exchanges []*conformance.Exchange, errs []error) {
	for x, err := range conformance.ReadHAR(strings.NewReader(text), "file.har") {
		if x != nil && err == nil {
			exchanges = append(exchanges, x)
		}
		if err != nil {
			errs = append(errs, err)
		}
	}
	return exchanges, errs
}

func TestWhatBrowsersWrite(t *testing.T) {
	t.Parallel()
	exchanges, errs := readAll("\ufeff" + `{"log":{"version":"1.2","pages":null,"browser":{"name":"x"},"entries":[
		{"startedDateTime":"2026-06-10T09:30:00.123Z","time":1500.5,"_priority":"High",
		 "request":{"method":"post","url":"https://a.example/","httpVersion":"h2","cookies":null,
		  "headers":[{"name":":authority","value":"a.example"},{"name":"user-agent","value":"AcmeCRM/1.0"}],
		  "postData":{"mimeType":"application/json","text":"{}","params":[]},"bodySize":2},
		 "response":{"status":200,"headers":[{"name":"content-type","value":"application/json"}],
		  "content":{"size":13,"mimeType":"application/json","text":"eyJkYXRhIjpbXX0=","encoding":"base64"}}},
		{"request":{"method":"GET","url":"https://a.example/","headers":null},
		 "response":{"status":200,"content":{"size":2,"text":"{}","encoding":"base64"}}},
		{"request":{"method":"POST","url":"https://a.example/","bodySize":9},
		 "response":{"status":200,"content":{"size":9,"mimeType":"text/html"}}},
		{"request":{"method":"GET","url":"https://a.example/"},"response":{"status":0}},
		{"request":{"method":"GET","url":"https://a.example/"},"response":null}]}}`)
	require.Empty(t, errs)
	require.Len(t, exchanges, 5)
	first := exchanges[0]
	assert.Equal(t, "POST", first.Request.Method)
	assert.Equal(t, "AcmeCRM/1.0", first.Request.Header.Get("User-Agent"))
	assert.Len(t, first.Request.Header, 2, "no pseudo header, and the type of postData")
	assert.JSONEq(t, `{"data":[]}`, string(first.Response.Body), "base64 is decoded")
	assert.Equal(t, int64(1500500), first.Duration.Microseconds())
	assert.Equal(t, "{}", string(exchanges[1].Response.Body), "false base64 is text")
	assert.Nil(t, exchanges[1].Request.Header)
	assert.Equal(t, conformance.BodyMissing, exchanges[2].Request.BodyState)
	assert.Equal(t, conformance.BodyMissing, exchanges[2].Response.BodyState)
	assert.Equal(t, "text/html", exchanges[2].Response.Header.Get("Content-Type"))
	assert.Nil(t, exchanges[3].Response)
	assert.Nil(t, exchanges[4].Response)
}

func FuzzReadHAR(f *testing.F) {
	whole, err := os.ReadFile("testdata/conventions.har")
	require.NoError(f, err)
	f.Add(whole[:2000])
	for _, seed := range []string{"", "{", `{"log":{"entries":[{}]}}`, `{"log":{"entries":[{"request":{"url":"x","headers":[{}]}}]}}`, "\xff"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		ended := false
		for x, err := range conformance.ReadHAR(bytes.NewReader(data), "f") {
			if ended {
				t.Fatal("read on after the end")
			}
			if x == nil && err == nil {
				t.Fatal("neither an exchange nor an error")
			}
			ended = x == nil
		}
	})
}

// What an export leaves out is not known to be empty, and what it writes oddly is read.
func TestWhatAnExportLeavesOutIsMissing(t *testing.T) {
	t.Parallel()
	exchanges, errs := readAll(`{"log":{"entries":[
		{"time":"12.5","request":{"method":"GET","url":"https://a.example/","bodySize":0.0},"response":{"status":200.0,"content":{"size":2.0,"text":"{}"}}},
		{"request":{"method":"POST","url":"https://a.example/","postData":{"mimeType":"application/x-www-form-urlencoded","params":[{"name":"a","value":"b"}]}},"response":{"status":200,"content":null}},
		{"request":{"method":"HEAD","url":"https://a.example/","headers":[{"name":":method","value":"HEAD"}]},"response":{"status":200,"content":{"size":99}}},
		{"request":{"method":"POST","url":"https://a.example/","bodySize":0,"postData":{"mimeType":""}},"response":{"status":503,"content":{"size":0,"mimeType":""}}}]}}`)
	require.Empty(t, errs)
	require.Len(t, exchanges, 4)
	assert.Equal(t, int64(12500), exchanges[0].Duration.Microseconds())
	assert.Equal(t, 200, exchanges[0].Response.Status)
	assert.Nil(t, exchanges[0].Response.Header, "neither headers nor a type")
	assert.Equal(t, conformance.BodyMissing, exchanges[1].Request.BodyState, "params are no body")
	assert.Equal(t, conformance.BodyMissing, exchanges[1].Response.BodyState, "no content is no empty content")
	assert.Nil(t, exchanges[2].Request.Header, "pseudo headers alone are none")
	assert.Equal(t, conformance.BodyKnown, exchanges[2].Response.BodyState, "the size of the body that HEAD does not get")
	assert.Equal(t, conformance.BodyKnown, exchanges[3].Request.BodyState)
	assert.Equal(t, conformance.BodyKnown, exchanges[3].Response.BodyState)
}
