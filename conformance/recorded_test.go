package conformance_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/conformance"
)

// recordingOf sends a request through a recorder, reads the answer, and returns the recording.
func recordingOf(t *testing.T, next transport, req *http.Request) string {
	t.Helper()
	var har bytes.Buffer
	recorder := conformance.NewRecorder(next, &har)
	if resp, err := recorder.RoundTrip(req); err == nil {
		_, _ = io.Copy(io.Discard, resp.Body)
		require.NoError(t, resp.Body.Close())
	}
	require.NoError(t, recorder.Close())
	return har.String()
}

// HAR 1.2 to the letter: what other tools read of it, they find where they look for it.
func TestARecordingIsHARToTheLetter(t *testing.T) {
	t.Parallel()
	const (
		head = `{"log":{"version":"1.2","creator":{"name":"bento-go","version":"1"},"pages":[],"entries":[` + "\n"
		tail = "\n]}}\n"
	)
	for name, tc := range map[string]struct {
		url, body string
		header    http.Header // of the request
		answer    http.Response
		told      string
		want      string
	}{
		"bodies of text": {
			"https://app.bentonow.com/api/v1/fetch/search?page=2&&created_at%5Bgt%5D=canary&status=&=x&site_uuid=canary#top", `{"a":"é"}`,
			http.Header{"Content-Type": {"application/json"}, "Accept": {"b", "a"}, "X-Other": {"canary"}},
			http.Response{StatusCode: 200, Proto: "HTTP/2.0", Header: http.Header{"Content-Type": {"text/plain"}, "Content-Encoding": {"identity"}}}, "ok",
			`{"startedDateTime":"2000-01-01T00:00:00.123Z","time":41.5,` +
				`"request":{"method":"POST","url":"https://app.bentonow.com/api/v1/fetch/search?page=2\u0026created_at%5Bgt%5D=REDACTED\u0026status=\u0026=REDACTED\u0026site_uuid=REDACTED","httpVersion":"HTTP/1.1","cookies":[],` +
				`"headers":[{"name":"Accept","value":"a"},{"name":"Accept","value":"b"},{"name":"Content-Type","value":"application/json"},{"name":"X-Other","value":"[redacted]"}],` +
				`"queryString":[{"name":"page","value":"2"},{"name":"created_at%5Bgt%5D","value":"REDACTED"},{"name":"status","value":""},{"name":"site_uuid","value":"REDACTED"}],` +
				`"postData":{"mimeType":"application/json","text":"{\"a\":\"é\"}"},"headersSize":-1,"bodySize":10},` +
				`"response":{"status":200,"statusText":"OK","httpVersion":"HTTP/2.0","cookies":[],"headers":[{"name":"Content-Encoding","value":"identity"},{"name":"Content-Type","value":"text/plain"}],` +
				`"content":{"size":2,"mimeType":"text/plain","text":"ok"},"redirectURL":"","headersSize":-1,"bodySize":2},` +
				`"cache":{},"timings":{"send":0,"wait":41.5,"receive":0}}`,
		},
		"bodies of a byte": {
			"http://a.example/", "\xff", nil,
			http.Response{StatusCode: 299, Proto: "HTTP/1.1"}, "1",
			`{"startedDateTime":"2000-01-01T00:00:00.123Z","time":41.5,` +
				`"request":{"method":"POST","url":"http://a.example/","httpVersion":"HTTP/1.1","cookies":[],"headers":[],"queryString":[],` +
				`"postData":{"mimeType":"","text":"/w==","encoding":"base64"},"headersSize":-1,"bodySize":1},` +
				`"response":{"status":299,"statusText":"","httpVersion":"HTTP/1.1","cookies":[],"headers":[],` +
				`"content":{"size":1,"mimeType":"","text":"1"},"redirectURL":"","headersSize":-1,"bodySize":1},` +
				`"cache":{},"timings":{"send":0,"wait":41.5,"receive":0}}`,
		},
		"bodies of nothing": {
			"http://a.example/", "", nil,
			http.Response{StatusCode: 204, Proto: "HTTP/1.1", Header: http.Header{"Content-Encoding": {"gzip"}}}, "",
			`{"startedDateTime":"2000-01-01T00:00:00.123Z","time":41.5,` +
				`"request":{"method":"POST","url":"http://a.example/","httpVersion":"HTTP/1.1","cookies":[],"headers":[],"queryString":[],"headersSize":-1,"bodySize":0},` +
				`"response":{"status":204,"statusText":"No Content","httpVersion":"HTTP/1.1","cookies":[],"headers":[{"name":"Content-Encoding","value":"gzip"}],` +
				`"content":{"size":0,"mimeType":""},"redirectURL":"","headersSize":-1,"bodySize":0},` +
				`"cache":{},"timings":{"send":0,"wait":41.5,"receive":0}}`,
		},
		"no answer": {
			"http://a.example/", "x", nil, http.Response{}, "",
			`{"startedDateTime":"2000-01-01T00:00:00.123Z","time":41.5,` +
				`"request":{"method":"POST","url":"http://a.example/","httpVersion":"HTTP/1.1","cookies":[],"headers":[],"queryString":[],` +
				`"postData":{"mimeType":"","text":"x"},"headersSize":-1,"bodySize":1},` +
				`"response":{"status":0,"statusText":"","httpVersion":"","cookies":[],"headers":[],` +
				`"content":{"size":0,"mimeType":""},"redirectURL":"","headersSize":-1,"bodySize":-1,"_error":"connection closed"},` +
				`"cache":{},"timings":{"send":0,"wait":41.5,"receive":0},"comment":"no answer came: connection closed"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(123*time.Millisecond + 999*time.Microsecond)
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, tc.url, strings.NewReader(tc.body))
				require.NoError(t, err)
				req.Header = tc.header
				har := recordingOf(t, func(req *http.Request) (*http.Response, error) {
					_, _ = io.Copy(io.Discard, req.Body)
					time.Sleep(41500*time.Microsecond + 999)
					if tc.answer.StatusCode == 0 {
						return nil, io.ErrUnexpectedEOF
					}
					resp := tc.answer
					resp.Body = io.NopCloser(strings.NewReader(tc.told))
					return &resp, nil
				}, req)
				assert.Equal(t, head+tc.want+tail, har)
			})
		})
	}
}

// A request without a body has none when it reaches the transport either.
func TestARequestWithoutABodyIsSentAsItIs(t *testing.T) {
	t.Parallel()
	for _, body := range []io.ReadCloser{nil, http.NoBody} {
		req := request(t, http.MethodGet, "https://app.bentonow.com/api/v1/fetch/tags", "")
		req.Body = body
		recordingOf(t, func(out *http.Request) (*http.Response, error) {
			assert.Same(t, req, out)
			return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
		}, req)
	}
}

// What cannot be read once more is not sent once more, and what was sent the first time is kept.
func TestABodyThatCannotBeReadAgainSaysSo(t *testing.T) {
	t.Parallel()
	for name, again := range map[string]func() (io.ReadCloser, error){
		"of none": nil, "of an error": func() (io.ReadCloser, error) { return nil, errReset },
	} {
		req := request(t, http.MethodPost, "https://app.bentonow.com/api/v1/batch/events", oneEvent)
		req.GetBody = again
		har := recordingOf(t, func(out *http.Request) (*http.Response, error) {
			_, _ = io.Copy(io.Discard, out.Body)
			assert.Equal(t, again == nil, out.GetBody == nil, name)
			if again != nil {
				_, err := out.GetBody()
				require.ErrorIs(t, err, errReset, name)
			}
			return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
		}, req)
		exchanges, errs := readAll(har)
		require.Empty(t, errs, name)
		assert.JSONEq(t, oneEvent, string(exchanges[0].Request.Body), name)
	}
}

// The first error of writing is the one that is told, however often somebody asks.
func TestTheFirstErrorOfWritingIsTold(t *testing.T) {
	t.Parallel()
	written := 0
	recorder := conformance.NewRecorder(answering(`{"data":[]}`), writing(func() error {
		if written++; written == 2 {
			return errDisk
		} else if written > 2 {
			return errors.New("and then another")
		}
		return nil
	}))
	for range 3 {
		resp, err := recorder.RoundTrip(request(t, http.MethodGet, "https://app.bentonow.com/api/v1/fetch/tags", ""))
		require.NoError(t, err)
		drainBody(resp.Body)
		require.NoError(t, resp.Body.Close())
	}
	for range 2 {
		require.EqualError(t, recorder.Close(), "conformance: recorder: the disk is broken")
	}
	assert.Equal(t, 4, written, "three entries and the end")
}

type writing func() error

func (w writing) Write(p []byte) (int, error) { return len(p), w() }
