package conformance_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/conformance"
)

func answering(body string) transport {
	return func(req *http.Request) (*http.Response, error) {
		if req.Body != nil {
			_, _ = io.Copy(io.Discard, req.Body)
		}
		return &http.Response{
			StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)),
			ContentLength: int64(len(body)), Request: req,
		}, nil
	}
}

func track(t testing.TB, body string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://app.bentonow.com/api/v1/batch/events?site_uuid=x", strings.NewReader(body))
	require.NoError(t, err)
	req.SetBasicAuth("pk", "sk")
	req.Header.Set("User-Agent", "AcmeCRM/1.0")
	req.Header.Set("Content-Type", "application/json")
	return req
}

func TestWhatPassesIsJudgedAndLeftAsItIs(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var verdicts []conformance.Verdict
	live := conformance.NewTransport(answering(`{"results":"one"}`), newChecker(t), conformance.Live{Report: func(v conformance.Verdict) {
		mu.Lock()
		defer mu.Unlock()
		verdicts = append(verdicts, v)
	}})
	resp, err := live.RoundTrip(track(t, `{"events":[]}`))
	require.NoError(t, err)
	assert.Empty(t, verdicts, "nothing is known before the answer was read")
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.JSONEq(t, `{"results":"one"}`, string(body))
	require.Len(t, verdicts, 1)
	assert.Equal(t, "trackEvents", verdicts[0].Operation)
	assert.Len(t, verdicts[0].Findings, 2)

	elsewhere, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://example.com/", nil)
	require.NoError(t, err)
	resp, err = live.RoundTrip(elsewhere)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Len(t, verdicts, 1)
}

func TestWhatBreaksTheContractIsStopped(t *testing.T) {
	t.Parallel()
	sent := 0
	counted := func(body string) transport {
		return func(req *http.Request) (*http.Response, error) { sent++; return answering(body)(req) }
	}
	enforce := conformance.Live{Enforce: true}
	var violation *conformance.ViolationError

	_, err := conformance.NewTransport(counted(`{}`), newChecker(t), enforce).RoundTrip(track(t, `{"events":[{"type":"canary","fields":{"aA":1}}]}`))
	require.ErrorAs(t, err, &violation)
	require.ErrorContains(t, err, "trackEvents breaks the contract: request.body.schema: /events/0/email is required")
	assert.NotContains(t, err.Error(), "canary")
	assert.Zero(t, sent)
	assert.True(t, violation.Unsent())
	assert.True(t, violation.BlamesBody())

	nowhere := track(t, oneEvent)
	nowhere.URL.Path += "/x"
	_, err = conformance.NewTransport(counted(`{}`), newChecker(t), enforce).RoundTrip(nowhere)
	require.ErrorAs(t, err, &violation)
	assert.True(t, violation.Unsent())
	assert.False(t, violation.BlamesBody(), "but the path")

	_, err = conformance.NewTransport(counted(`{"results":"canary"}`), newChecker(t), enforce).RoundTrip(track(t, oneEvent))
	require.ErrorAs(t, err, &violation)
	assert.Equal(t, 1, sent)
	assert.False(t, violation.Unsent(), "the request is on its way")
	assert.False(t, violation.BlamesBody())
	assert.NotContains(t, err.Error(), "canary")

	resp, err := conformance.NewTransport(counted(`{"results":1}`), newChecker(t), enforce).RoundTrip(track(t, oneEvent))
	require.NoError(t, err)
	body, _ := io.ReadAll(resp.Body)
	require.NoError(t, resp.Body.Close())
	assert.JSONEq(t, `{"results":1}`, string(body))

	large := strings.Repeat(" ", 11<<20) + `{"results":1}`
	resp, err = conformance.NewTransport(counted(large), newChecker(t), enforce).RoundTrip(track(t, oneEvent))
	require.NoError(t, err)
	body, _ = io.ReadAll(resp.Body)
	require.NoError(t, resp.Body.Close())
	assert.Len(t, body, len(large), "too large to be judged, and whole all the same")

	failed := errors.New("no route")
	_, err = conformance.NewTransport(transport(func(*http.Request) (*http.Response, error) { return nil, failed }), newChecker(t), enforce).RoundTrip(track(t, oneEvent))
	require.ErrorIs(t, err, failed)
}

// What judging costs a call with small bodies.
func BenchmarkLive(b *testing.B) {
	checker := newChecker(b)
	for name, rt := range map[string]http.RoundTripper{
		"bare":    answering(`{"results":1,"failed":0}`),
		"report":  conformance.NewTransport(answering(`{"results":1,"failed":0}`), checker, conformance.Live{}),
		"enforce": conformance.NewTransport(answering(`{"results":1,"failed":0}`), checker, conformance.Live{Enforce: true}),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				resp, err := rt.RoundTrip(track(b, oneEvent))
				if err != nil {
					b.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
		})
	}
}
