package bento_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	bento "example.com/bento-go/wrapper"
)

// bare sends one request through a retry of its own, below no client.
func bare(t *testing.T, next http.RoundTripper, method, path string, body io.Reader) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://127.0.0.1/api/v1"+path, body)
	require.NoError(t, err)
	if req.Body == http.NoBody {
		req.GetBody = nil // nothing can be sent again without asking anybody
	}
	resp, err := bento.NewRetryTransport(next, bento.RetryPolicy{MinBackoff: 1}).RoundTrip(req)
	if err == nil {
		t.Cleanup(func() { _ = resp.Body.Close() })
	}
	return resp, err
}

// Below a bare client too, what may be sent again is the contract's word.
func TestABareRequestIsRepeatedByTheContract(t *testing.T) {
	t.Parallel()
	for path, attempts := range map[string]int{"/batch/subscribers": 4, "/batch/events": 1, "/batch/emails": 1} {
		s := scripted(t, fail(errReset), fail(errReset), fail(errReset), fail(errReset))
		resp, err := bare(t, s, http.MethodPost, path, strings.NewReader("{}"))
		require.ErrorIs(t, err, errReset)
		assert.Nil(t, resp)
		assert.Len(t, s.seen, attempts, path)
	}
	s := scripted(t, answerJSON(503, ``), answerJSON(200, `{}`))
	_, err := bare(t, s, http.MethodGet, "/fetch/tags", http.NoBody)
	require.NoError(t, err)
	assert.Len(t, s.seen, 2)
}

// The body of an error is closed, and read as it came, its break included.
func TestTheBodyOfAnErrorIsReadAsItCame(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 600)
	body := &closer{Reader: io.MultiReader(strings.NewReader(long), iotest.ErrReader(errReset))}
	resp, err := bare(t, roundTrip(func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 422, Body: body, Request: req}, nil
	}), http.MethodPost, "/batch/events", strings.NewReader("{}"))
	require.NoError(t, err)
	assert.Equal(t, 1, body.closed)
	read, err := io.ReadAll(resp.Body)
	require.ErrorIs(t, err, errReset)
	assert.Equal(t, long, string(read))

	s := scripted(t, answerJSON(422, strings.Repeat("x", 64<<10+1)))
	resp, err = bare(t, s, http.MethodPost, "/batch/events", strings.NewReader("{}"))
	require.NoError(t, err)
	read, err = io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Len(t, read, 64<<10, "the first 64 KiB")
}

// A refusal whose text breaks off is a refusal all the same.
func TestARefusalThatBreaksOffIsNotRepeated(t *testing.T) {
	t.Parallel()
	for _, status := range []int{300, 404} {
		s := scripted(t, func(req *http.Request) (*http.Response, error) {
			resp, err := answerJSON(status, ``)(req)
			resp.Body = io.NopCloser(iotest.ErrReader(io.ErrUnexpectedEOF))
			return resp, err
		})
		_, err := s.client(quick).ListTags(t.Context())
		var e *bento.Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, status, e.StatusCode)
		assert.Len(t, s.seen, 1)
	}
}

// That rejected emails may be sent again changes nothing for others.
func TestRejectedEmailsChangeNothingForOthers(t *testing.T) {
	t.Parallel()
	s := scripted(t, answerJSON(503, ``), answerJSON(200, `{"data":[]}`))
	_, err := s.client(bento.WithRetry(bento.RetryPolicy{RejectedEmails: true, MinBackoff: 1})).ListTags(t.Context())
	require.NoError(t, err)
	s = scripted(t, answerJSON(503, ``), accepted("1"))
	_, err = s.client(bento.WithRetry(bento.RetryPolicy{RejectedEmails: true, MinBackoff: 1})).TrackEvents(t.Context(), events(1))
	require.NoError(t, err)
}

// What was answered once has left, whatever became of the next attempt; a 500 is a doubt like any.
func TestWhatWasAnsweredHasLeft(t *testing.T) {
	t.Parallel()
	result, err := scripted(t, answerJSON(429, ``), fail(errRefused), fail(errRefused), fail(errRefused)).client(quick).TrackEvents(t.Context(), events(1))
	require.ErrorIs(t, err, bento.ErrNetwork)
	assert.Equal(t, [2]int{1, 0}, [2]int{result.Failed, result.NotSent})
	result, err = scripted(t, answerJSON(500, ``)).client(once).TrackEvents(t.Context(), events(1))
	require.ErrorIs(t, err, bento.ErrOutcomeUnknown)
	assert.Equal(t, 1, result.Unknown)
}

// An answer that came while the call was canceled is the answer.
func TestAnAnswerBeatsACancel(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	_, err := unpaced(t, roundTrip(func(req *http.Request) (*http.Response, error) {
		cancel()
		return answerJSON(503, ``)(req)
	})).ListTags(ctx)
	require.ErrorIs(t, err, bento.ErrServer)
	require.NotErrorIs(t, err, bento.ErrCanceled)
}

// A deadline that is far away hinders no retry, and the longest wait that is waited out is.
func TestADeadlineFarAwayHindersNoRetry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		s := scripted(t, answerJSON(503, ``), answerJSON(429, ``, "Retry-After", "120"), answerJSON(200, `{"data":[]}`))
		start := time.Now()
		_, err := s.client().ListTags(ctx)
		require.NoError(t, err)
		assert.InDelta(t, 2*time.Minute, time.Since(start), float64(time.Second))
	})
}

// Transports that are given nothing to send through use net/http's.
func TestTransportsSendThroughTheDefault(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	for _, transport := range []http.RoundTripper{bento.NewPaceTransport(nil, bento.PaceGuarded), bento.NewRetryTransport(nil, bento.RetryPolicy{})} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/api/v1/fetch/tags", nil)
		require.NoError(t, err)
		req.Close = true
		resp, err := transport.RoundTrip(req)
		require.NoError(t, err)
		_ = resp.Body.Close()
		assert.Equal(t, 404, resp.StatusCode)
	}
}
