package conformance_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/conformance"
)

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func request(t *testing.T, method, url, body string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	req.SetBasicAuth("pk_canary_publishable", "sk_canary_secret")
	req.Header.Set("User-Agent", "AcmeCRM/1.0")
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Cookie", "session=canary-cookie")
	return req
}

func TestARecordingReadsBackAndHoldsNoSecret(t *testing.T) {
	t.Parallel()
	answer := `{"results":1,"failed":0}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		assert.JSONEq(t, oneEvent, string(body), "the request goes out as it was")
		user, _, _ := req.BasicAuth()
		assert.Equal(t, "pk_canary_publishable", user)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Set-Cookie", "session=canary-cookie")
		w.Header().Set("X-Debug", "sk_canary_secret")
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	var har bytes.Buffer
	recorder := conformance.NewRecorder(nil, &har)
	url := server.URL + "/api/v1/batch/events?site_uuid=canary-site-uuid"
	resp, err := recorder.RoundTrip(request(t, "POST", url, oneEvent))
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, answer, string(body), "the answer comes as it was")
	require.NoError(t, recorder.Close())
	require.NoError(t, recorder.Close(), "once more does no harm")
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()

	assert.NotContains(t, strings.ToLower(har.String()), "canary")
	assert.NotContains(t, har.String(), "cGtfY2FuYXJ5")
	exchanges, errs := readAll(har.String())
	require.Empty(t, errs)
	require.Len(t, exchanges, 1)
	for _, f := range newChecker(t).Check(exchanges[0]).Findings {
		assert.Equal(t, conformance.RuleResponseHeader, f.Rule, "the header that the test plants")
	}
	assert.JSONEq(t, oneEvent, string(exchanges[0].Request.Body))
	assert.Equal(t, answer, string(exchanges[0].Response.Body))
}

// Cookies, and a site that only a body names, are found in what is echoed, too.
func TestASecretOfABodyIsFoundInTheAnswer(t *testing.T) {
	t.Parallel()
	var har bytes.Buffer
	recorder := conformance.NewRecorder(transport(func(req *http.Request) (*http.Response, error) {
		_, _ = io.ReadAll(req.Body)
		resp, err := answering(`{"error":"no canary-site for canary-session, now canary-fresh, canary8c, tracked"}`)(req)
		resp.Header.Add("Set-Cookie", "id=canary-fresh")
		return resp, err
	}), &har)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://app.bentonow.com/api/v1/batch/events", strings.NewReader(`{"site_uuid": "canary-site","events":[]}`))
	require.NoError(t, err)
	req.Header.Set("Cookie", "session=canary-session; short=canary8c; shorter=tracked") // which is a word
	resp, err := recorder.RoundTrip(req)
	require.NoError(t, err)
	_, _ = io.ReadAll(resp.Body)
	require.NoError(t, errors.Join(resp.Body.Close(), recorder.Close()))
	assert.NotContains(t, har.String(), "canary")
	assert.Contains(t, har.String(), "no [redacted] for [redacted], now [redacted], [redacted], tracked")
}

func TestASecretIsFoundWhereverItStands(t *testing.T) {
	t.Parallel()
	echo := transport(func(req *http.Request) (*http.Response, error) {
		text := `{"error":"sk_canary_secret of canary-site-uuid with ` + strings.TrimPrefix(req.Header.Get("Authorization"), "Basic ") + `"}`
		return &http.Response{StatusCode: 400, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(text))}, nil
	})
	var har bytes.Buffer
	recorder := conformance.NewRecorder(echo, &har)
	resp, err := recorder.RoundTrip(request(t, "POST", "https://canary-user:canary-pw@app.bentonow.com/api/v1/x?site_uuid=canary-site-uuid&token=canary&email=canary%40example.com#canary", `{"site_uuid":"canary-site-uuid"}`))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close(), "closed unread")
	require.NoError(t, recorder.Close())
	assert.NotContains(t, har.String(), "canary")
}

func TestABrokenConnectionIsRecordedAsNoAnswer(t *testing.T) {
	t.Parallel()
	var har bytes.Buffer
	recorder := conformance.NewRecorder(transport(func(*http.Request) (*http.Response, error) {
		return nil, errors.New("reset while canary@example.com was sent")
	}), &har)
	_, err := recorder.RoundTrip(request(t, "POST", "https://app.bentonow.com/api/v1/batch/events", oneEvent))
	require.Error(t, err)
	require.NoError(t, recorder.Close())
	assert.NotContains(t, har.String(), "canary")
	exchanges, errs := readAll(har.String())
	require.Empty(t, errs)
	assert.Nil(t, exchanges[0].Response)
}

func TestALargeBodyIsNotRecordedButItsSizeIs(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("x", 11<<20)
	var har bytes.Buffer
	recorder := conformance.NewRecorder(transport(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(large))}, nil
	}), &har)
	resp, err := recorder.RoundTrip(request(t, "GET", "https://app.bentonow.com/api/v1/fetch/tags", ""))
	require.NoError(t, err)
	n, err := io.Copy(io.Discard, resp.Body)
	require.NoError(t, err)
	assert.EqualValues(t, len(large), n)
	require.NoError(t, recorder.Close())
	assert.Less(t, har.Len(), 10_000)
	exchanges, _ := readAll(har.String())
	assert.Equal(t, conformance.BodyMissing, exchanges[0].Response.BodyState)
}

func TestBytesThatAreNoTextSurvive(t *testing.T) {
	t.Parallel()
	var har bytes.Buffer
	recorder := conformance.NewRecorder(transport(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader("\xff\xfe"))}, nil
	}), &har)
	resp, err := recorder.RoundTrip(request(t, "GET", "https://app.bentonow.com/api/v1/fetch/tags", ""))
	require.NoError(t, err)
	_, _ = io.Copy(io.Discard, resp.Body)
	require.NoError(t, recorder.Close())
	exchanges, _ := readAll(har.String())
	assert.Equal(t, "\xff\xfe", string(exchanges[0].Response.Body))
}

// A program that dies leaves what was written; it reads up to there.
func TestARecordingWithoutAnEndIsReadable(t *testing.T) {
	t.Parallel()
	var har bytes.Buffer
	recorder := conformance.NewRecorder(transport(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 503, Body: http.NoBody}, nil
	}), &har)
	for range 3 {
		resp, err := recorder.RoundTrip(request(t, "GET", "https://app.bentonow.com/api/v1/fetch/tags", ""))
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
	}
	exchanges, errs := readAll(har.String())
	assert.Len(t, exchanges, 3)
	require.Len(t, errs, 1)
	require.ErrorContains(t, errs[0], "breaks off")
}

func TestAnEmptyRecordingIsARecording(t *testing.T) {
	t.Parallel()
	var har bytes.Buffer
	require.NoError(t, conformance.NewRecorder(nil, &har).Close())
	exchanges, errs := readAll(har.String())
	assert.Empty(t, exchanges)
	assert.Empty(t, errs)
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestAFullDiskIsToldAtTheEndAndDisturbsNobody(t *testing.T) {
	t.Parallel()
	recorder := conformance.NewRecorder(transport(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
	}), full{})
	resp, err := recorder.RoundTrip(request(t, "GET", "https://app.bentonow.com/api/v1/fetch/tags", ""))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.ErrorContains(t, recorder.Close(), "no space left")
}

func TestARecorderIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	var har bytes.Buffer
	recorder := conformance.NewRecorder(transport(func(req *http.Request) (*http.Response, error) {
		_, _ = io.Copy(io.Discard, req.Body)
		return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(`{}`))}, nil
	}), &har)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			resp, err := recorder.RoundTrip(request(t, "POST", "https://app.bentonow.com/api/v1/batch/events", oneEvent))
			if assert.NoError(t, err) {
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
		})
	}
	wg.Wait()
	require.NoError(t, recorder.Close())
	exchanges, errs := readAll(har.String())
	assert.Empty(t, errs)
	assert.Len(t, exchanges, 20)
}

func TestASecretIsFoundInEverySpelling(t *testing.T) {
	t.Parallel()
	var har bytes.Buffer
	recorder := conformance.NewRecorder(transport(func(req *http.Request) (*http.Response, error) {
		_, _ = io.Copy(io.Discard, req.Body)
		answer := `{"error":"sk_canary\u0026x was refused"}`
		return &http.Response{StatusCode: 400, Header: http.Header{"Content-Type": {"text/sk_canary&x"}}, Body: io.NopCloser(strings.NewReader(answer))}, nil
	}), &har)
	req := request(t, "POST", "https://app.bentonow.com/api/v1/batch/events?sk_canary%26x", `{"site_uuid": "canary-in-body","a":1}`)
	req.SetBasicAuth("pk_canary_publishable", "sk_canary&x")
	resp, err := recorder.RoundTrip(req)
	require.NoError(t, err)
	_, _ = io.Copy(io.Discard, resp.Body)
	require.NoError(t, recorder.Close())
	assert.NotContains(t, har.String(), "canary")
	assert.Contains(t, har.String(), `{\"site_uuid\": \"REDACTED\",\"a\":1}`, "the rest stays")
}

// recordedURL is the URL that a recording has of a GET with these keys.
func recordedURL(t *testing.T, user, password, url string) string {
	t.Helper()
	var har bytes.Buffer
	recorder := conformance.NewRecorder(transport(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody}, nil
	}), &har)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	require.NoError(t, err)
	req.SetBasicAuth(user, password)
	resp, err := recorder.RoundTrip(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.NoError(t, recorder.Close())
	exchanges, errs := readAll(har.String())
	require.Empty(t, errs)
	return exchanges[0].Request.URL
}

// A key may be an ordinary word: the contract's own words in a URL are kept, and what may be the key is not.
func TestTheContractsWordsInAURLAreNoSecrets(t *testing.T) {
	t.Parallel()
	const api = "https://app.bentonow.com/api/v1"
	for _, tc := range []struct{ user, password, url, want string }{
		{"publishable", "secret_key", "/fetch/tags?site_uuid=site", "/fetch/tags?site_uuid=REDACTED"},
		{"publishable", "secret_key", "/batch/events?site_uuid=events", "/batch/events?site_uuid=REDACTED"},
		{"publishable", "secret_key", "/fetch/segments/segments?site_uuid=segments", "/fetch/segments/%5Bredacted%5D?site_uuid=REDACTED"},
		{"publishable", "secret_key", "/fetch/segments/my-segments?site_uuid=segments", "/fetch/segments/my-%5Bredacted%5D?site_uuid=REDACTED"},
		{"email", "page", "/fetch/subscribers?site_uuid=canary&email=page&page=2", "/fetch/subscribers?site_uuid=REDACTED&email=redacted%40example.com&page=REDACTED"},
		{"publishable", "tags", "/fetch/tags?site_uuid=x", "/fetch/tags?site_uuid=REDACTED"}, // a path of more than one operation
		{"some/thing", "events", "/batch/events?site_uuid=x", "/batch/events?site_uuid=REDACTED"},
		// Whatever is not the contract's to the letter may be a key.
		{"publishable", "segments/canary", "/fetch/segments/canary?site_uuid=x", "/fetch/%5Bredacted%5D?site_uuid=REDACTED"},
		{"publishable", "secret_key", "/batch/events/x?site_uuid=events", "/batch/%5Bredacted%5D/x?site_uuid=REDACTED"},
		{"publishable", "secret_key", "/batch/events?site_uuid=site&my_site=x&site", "/batch/events?site_uuid=REDACTED&my_[redacted]=REDACTED&REDACTED"},
		{"publishable", "page=canary", "/fetch/tags?site_uuid=x&page=canary", "/fetch/tags?site_uuid=REDACTED&page=REDACTED"},
		{"publishable", "active", "/fetch/tags?site_uuid=x&status=active", "/fetch/tags?site_uuid=REDACTED&status=REDACTED"},
	} {
		assert.Equal(t, api+tc.want, recordedURL(t, tc.user, tc.password, api+tc.url), tc.url)
	}
	assert.Equal(t, "https://elsewhere.example/%5Bredacted%5D?site_uuid=REDACTED",
		recordedURL(t, "publishable", "secret_key", "https://elsewhere.example/events?site_uuid=events"), "of no contract's path")
}

// net/http sends a request once more when an idle connection proves dead; the recording holds
// what was sent then.
func TestARequestThatTheTransportSendsAgainIsRecorded(t *testing.T) {
	t.Parallel()
	var har bytes.Buffer
	recorder := conformance.NewRecorder(transport(func(req *http.Request) (*http.Response, error) {
		_, _ = io.CopyN(io.Discard, req.Body, 5)
		again, err := req.GetBody()
		if err != nil {
			return nil, err
		}
		_, _ = io.Copy(io.Discard, again)
		return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
	}), &har)
	resp, err := recorder.RoundTrip(request(t, "POST", "https://app.bentonow.com/api/v1/batch/events", oneEvent))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.NoError(t, recorder.Close())
	exchanges, _ := readAll(har.String())
	assert.JSONEq(t, oneEvent, string(exchanges[0].Request.Body))
}

// A reader that fails after its text.
type breaksOff struct{ io.Reader }

func (b breaksOff) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		err = syscall.ECONNRESET
	}
	return n, err
}

// Half a body would be judged as if somebody had sent it so.
func TestAHalfBodyIsLeftOut(t *testing.T) {
	t.Parallel()
	const answer = `{"results":1}`
	for name, tc := range map[string]struct {
		body   io.Reader
		length int64
		ask    func(*http.Request) // what the transport does with the request
		read   func(io.Reader)
		asked  conformance.BodyState
		told   conformance.BodyState
	}{
		"read to the end":      {strings.NewReader(answer), -1, drain, drainBody, conformance.BodyKnown, conformance.BodyKnown},
		"closed unread":        {strings.NewReader(answer), -1, drain, nil, conformance.BodyKnown, conformance.BodyMissing},
		"closed half read":     {strings.NewReader(answer), 13, drain, take(5), conformance.BodyKnown, conformance.BodyMissing},
		"closed at its length": {strings.NewReader(answer), 13, drain, take(13), conformance.BodyKnown, conformance.BodyKnown},
		"closed at its value":  {strings.NewReader(answer + "\n"), -1, drain, take(13), conformance.BodyKnown, conformance.BodyKnown},
		"broke off":            {breaksOff{strings.NewReader(answer[:5])}, -1, drain, drainBody, conformance.BodyKnown, conformance.BodyMissing},
		"broke off at its end": {breaksOff{strings.NewReader(answer)}, -1, drain, drainBody, conformance.BodyKnown, conformance.BodyMissing},
		"answered early":       {strings.NewReader(answer), -1, func(*http.Request) {}, drainBody, conformance.BodyMissing, conformance.BodyKnown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var har bytes.Buffer
			recorder := conformance.NewRecorder(transport(func(req *http.Request) (*http.Response, error) {
				tc.ask(req)
				return &http.Response{
					StatusCode: 200, ContentLength: tc.length, Body: io.NopCloser(tc.body),
					Header: http.Header{"Content-Type": {"application/json"}},
				}, nil
			}), &har)
			resp, err := recorder.RoundTrip(request(t, "POST", "https://app.bentonow.com/api/v1/batch/events?site_uuid=canary-site", oneEvent))
			require.NoError(t, err)
			if tc.read != nil {
				tc.read(resp.Body)
			}
			require.NoError(t, resp.Body.Close())
			require.NoError(t, recorder.Close())
			exchanges, errs := readAll(har.String())
			require.Empty(t, errs)
			require.Len(t, exchanges, 1)
			assert.Equal(t, tc.asked, exchanges[0].Request.BodyState)
			assert.Equal(t, tc.told, exchanges[0].Response.BodyState)
			for _, f := range newChecker(t).Check(exchanges[0]).Findings {
				assert.Equal(t, conformance.RuleResponseHeader, f.Rule, "the header that the test plants")
			}
			assert.Equal(t, strings.HasPrefix(name, "broke off"), strings.Contains(har.String(), `"comment":"the answer broke off: connection reset"`))
		})
	}
}

func drain(req *http.Request) { drainBody(req.Body) }

func drainBody(body io.Reader) { _, _ = io.Copy(io.Discard, body) }

func take(n int) func(io.Reader) {
	return func(body io.Reader) { _, _ = io.ReadFull(body, make([]byte, n)) }
}

// An error is recorded by its kind; its text may quote anything.
func TestAnErrorIsRecordedByItsKind(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]error{
		"canceled":                context.Canceled,
		"timeout":                 context.DeadlineExceeded,
		"name not resolved":       &net.DNSError{Err: "canary", Name: "canary.example"},
		"connection refused":      &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)},
		"connection reset":        syscall.EPIPE,
		"connection closed":       io.ErrUnexpectedEOF,
		"certificate not trusted": &tls.CertificateVerificationError{Err: errors.New("canary")},
		"other":                   errors.New("canary@example.com"),
	} {
		var har bytes.Buffer
		recorder := conformance.NewRecorder(transport(func(*http.Request) (*http.Response, error) {
			return nil, fmt.Errorf("canary: %w", err)
		}), &har)
		_, got := recorder.RoundTrip(request(t, "GET", "https://app.bentonow.com/api/v1/fetch/tags", ""))
		require.ErrorIs(t, got, err)
		require.NoError(t, recorder.Close())
		assert.Contains(t, har.String(), `"comment":"no answer came: `+want+`"`)
		assert.Contains(t, har.String(), `"_error":"`+want+`"`)
		assert.NotContains(t, har.String(), "canary")
	}
}

// Keys cannot be found in compressed bytes, so that these are not kept.
func TestACompressedBodyIsLeftOut(t *testing.T) {
	t.Parallel()
	const packed = "\x1f\x8b sk_canary_secret"
	var har bytes.Buffer
	recorder := conformance.NewRecorder(transport(func(*http.Request) (*http.Response, error) {
		header := http.Header{"Content-Type": {"application/json"}, "Content-Encoding": {"gzip"}}
		return &http.Response{StatusCode: 200, Header: header, Body: io.NopCloser(strings.NewReader(packed))}, nil
	}), &har)
	resp, err := recorder.RoundTrip(request(t, "GET", "https://app.bentonow.com/api/v1/fetch/tags?site_uuid=x", ""))
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Equal(t, packed, string(body), "the answer comes as it was")
	require.NoError(t, recorder.Close())
	exchanges, _ := readAll(har.String())
	assert.Equal(t, conformance.BodyMissing, exchanges[0].Response.BodyState)
	for _, f := range newChecker(t).Check(exchanges[0]).Findings {
		assert.Equal(t, conformance.RuleResponseHeader, f.Rule, "the header that the test plants")
	}
}

func TestATransportMayAnswerWithoutABody(t *testing.T) {
	t.Parallel()
	var har bytes.Buffer
	recorder := conformance.NewRecorder(transport(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 503}, nil
	}), &har)
	resp, err := recorder.RoundTrip(request(t, "GET", "https://app.bentonow.com/api/v1/fetch/tags", ""))
	require.NoError(t, err)
	assert.Nil(t, resp.Body, "the answer comes as it was")
	require.NoError(t, recorder.Close())
	exchanges, _ := readAll(har.String())
	assert.Equal(t, 503, exchanges[0].Response.Status)
	assert.Equal(t, conformance.BodyKnown, exchanges[0].Response.BodyState)
}
