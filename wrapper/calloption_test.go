package bento_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	bento "example.com/bento-go/wrapper"
)

func TestACallHasAPatienceOfItsOwn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stall := func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, req.Context().Err()
		}
		s := scripted(t, stall, answerJSON(503, ``))
		start := time.Now()
		_, err := s.client().ListTags(t.Context(), bento.WithTimeout(3*time.Second), bento.WithRetry(bento.RetryPolicy{MaxAttempts: 2, MinBackoff: 1}))
		require.ErrorIs(t, err, bento.ErrServer)
		assert.Len(t, s.seen, 2)
		assert.InDelta(t, 3*time.Second, time.Since(start), float64(time.Second))
	})
}

func TestHeadersOfACallGoWithEveryAttempt(t *testing.T) {
	t.Parallel()
	s := scripted(t, answerJSON(503, ``), answerJSON(200, `{"data":[]}`), answerJSON(200, `{"data":[]}`))
	c := s.client(quick)
	_, err := c.ListTags(t.Context(), bento.WithHeader("traceparent", "00-a"), bento.WithHeader("Baggage", "k=v"))
	require.NoError(t, err)
	for _, req := range s.seen[:2] {
		assert.Equal(t, "00-a", req.Header.Get("Traceparent"))
		assert.Equal(t, "k=v", req.Header.Get("Baggage"))
		assert.NotEmpty(t, req.Header.Get("Authorization"))
	}
	_, err = c.ListTags(t.Context())
	require.NoError(t, err)
	assert.Empty(t, s.seen[2].Header.Get("Traceparent"))
}

func TestTheRawAnswerIsReachable(t *testing.T) {
	t.Parallel()
	var raw bento.Response
	s := scripted(t, answerJSON(201, `{"results":1,"failed":0,"news":"!"}`, "X-Limit", "60"), answerJSON(422, `{"error":"x","code":7}`), fail(errRefused))
	c := s.client(once)
	_, err := c.TrackEvents(t.Context(), events(1), bento.WithResponse(&raw))
	require.NoError(t, err)
	assert.Equal(t, 201, raw.StatusCode)
	assert.Equal(t, "60", raw.Header.Get("X-Limit"))
	assert.JSONEq(t, `{"results":1,"failed":0,"news":"!"}`, string(raw.Body))
	_, err = c.ListTags(t.Context(), bento.WithResponse(&raw))
	require.ErrorIs(t, err, bento.ErrUnprocessable)
	assert.JSONEq(t, `{"error":"x","code":7}`, string(raw.Body))
	_, err = c.ListTags(t.Context(), bento.WithResponse(&raw))
	require.ErrorIs(t, err, bento.ErrNetwork)
	assert.Equal(t, 422, raw.StatusCode, "nothing came, nothing changed")
}

// Somebody who knows that a repeat does no harm may say so, and answers for it.
func TestARepeatMayBeDeclaredHarmless(t *testing.T) {
	t.Parallel()
	s := scripted(t, fail(errReset), answerJSON(503, ``), accepted("1"))
	result, err := s.client(quick).SendEmails(t.Context(), []bento.Email{email()}, bento.WithHarmlessRepeat())
	require.NoError(t, err)
	assert.Equal(t, 1, result.Accepted)
	s = scripted(t, fail(errReset), answerJSON(200, `{"data":{"id":"1","type":"tags","attributes":{"name":"a"}}}`))
	_, err = s.client(quick).CreateTag(t.Context(), "a", bento.WithHarmlessRepeat())
	require.NoError(t, err)
	s = scripted(t, fail(errReset))
	_, err = s.client(quick).CreateTag(t.Context(), "a")
	require.ErrorIs(t, err, bento.ErrOutcomeUnknown)
}

// What is to be done before each request is done when its turn has come, and not before.
func TestSomethingIsDoneBeforeEachRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := scripted(t, accepted("1"), answerJSON(503, ``), accepted("1"))
		c := s.client(bento.WithPace(bento.PaceOff.With("batch", 1, time.Minute)), bento.WithRetry(bento.RetryPolicy{MaxAttempts: 2, MinBackoff: 1}))
		var at []time.Duration
		start := time.Now()
		for range 2 {
			_, err := c.TrackEvents(t.Context(), events(1), bento.WithBeforeSend(func(ctx context.Context) error {
				assert.Positive(t, bento.Attempt(ctx))
				at = append(at, time.Since(start).Round(10*time.Second))
				assert.Len(t, s.seen, len(at)-1, "it is not sent yet")
				return nil
			}))
			require.NoError(t, err)
		}
		assert.Equal(t, []time.Duration{0, time.Minute, 2 * time.Minute}, at)
	})
}

func TestNothingIsDoneBeforeARequestThatIsGivenUp(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := scripted(t).client().SubscriberByEmail(ctx, "ari@example.com", bento.WithBeforeSend(func(context.Context) error {
		t.Error("it is noted as sent")
		return nil
	}))
	require.ErrorIs(t, err, context.Canceled)
}

func TestWhatIsKeptBackIsNotSent(t *testing.T) {
	t.Parallel()
	errMine := errors.New("the journal is full")
	for name, refusals := range map[string]int{"the first": 0, "a repeat": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := scripted(t, answerJSON(429, ``))
			asked := 0
			result, err := s.client(quick).SendEmails(t.Context(), []bento.Email{email()}, bento.WithRetry(bento.RetryPolicy{RejectedEmails: true, MaxAttempts: 3, MinBackoff: 1}),
				bento.WithBeforeSend(func(context.Context) error {
					if asked++; asked > refusals {
						return errMine
					}
					return nil
				}))
			assert.Len(t, s.seen, refusals)
			assert.Equal(t, refusals+1, asked)
			if refusals > 0 {
				require.ErrorIs(t, err, bento.ErrRateLimited, "the answer that came says more")
				return
			}
			require.ErrorIs(t, err, bento.ErrCanceled)
			require.ErrorIs(t, err, errMine)
			require.ErrorContains(t, err, "kept back: the journal is full")
			assert.Equal(t, 1, result.NotSent)
		})
	}
}

// Whatever the error says with which somebody keeps a request back: it was kept back.
func TestWhatIsKeptBackIsCanceled(t *testing.T) {
	t.Parallel()
	for _, why := range []error{
		fmt.Errorf("note: %w", bento.ErrInvalid), stopped{errors.New("note"), true}, &url.Error{Op: "Post", URL: "http://journal.internal", Err: io.EOF}, bento.ErrOutcomeUnknown, bento.ErrUnprocessable,
	} {
		calls := 0
		keep := bento.WithBeforeSend(func(context.Context) error { calls++; return why })
		_, err := scripted(t).client(quick).ListTags(t.Context(), keep)
		require.ErrorIs(t, err, bento.ErrCanceled)
		require.ErrorIs(t, err, why)
		result, err := scripted(t).client(quick).TrackEvents(t.Context(), numbered(2500), keep, bento.WithBisection())
		require.ErrorIs(t, err, bento.ErrCanceled)
		assert.Equal(t, 2500, result.NotSent, why)
		assert.Equal(t, 2, calls, "and the call ends")
	}
}

func TestErrorsNameTheRequestOfTheServer(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{"X-Request-Id": "req-1", "CF-Ray": "8a1-FRA"} {
		_, err := scripted(t, answerJSON(500, `{}`, header, want)).client(once).ListTags(t.Context())
		var e *bento.Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, want, e.RequestID)
		require.ErrorContains(t, err, "request "+want)
	}
}

// PHP writes an empty object as an empty list.
func TestAnEmptyListIsAnEmptyAnswer(t *testing.T) {
	t.Parallel()
	tags, err := scripted(t, answerJSON(200, ` []`)).client().ListTags(t.Context())
	require.NoError(t, err)
	assert.Empty(t, tags)
	nobody, err := scripted(t, answerJSON(200, `[]`)).client().SubscriberByEmail(t.Context(), "ari@example.com")
	require.NoError(t, err)
	assert.Nil(t, nobody)
	where, err := scripted(t, answerJSON(200, `[]`)).client().Geolocate(t.Context(), "192.0.2.1")
	require.NoError(t, err)
	assert.Empty(t, where)
	_, err = scripted(t, answerJSON(200, `[]`)).client().SiteStats(t.Context())
	require.ErrorContains(t, err, "no member user_count")
}

func TestALargerAnswerCanBeAllowed(t *testing.T) {
	t.Parallel()
	_, err := scripted(t, answerJSON(200, `{"data":[]}`)).client(bento.WithMaxAnswer(5)).ListTags(t.Context())
	require.ErrorContains(t, err, "larger than 5 bytes")
	_, err = scripted(t, answerJSON(200, `{"data":[]}`)).client(bento.WithMaxAnswer(11)).ListTags(t.Context())
	require.NoError(t, err)
}

// The raw answer names the site and people; printing it does not.
func TestARawAnswerPrintsNothingOfItself(t *testing.T) {
	t.Parallel()
	r := bento.Response{StatusCode: 301, Header: http.Header{"Location": {"https://canary.example/?email=canary"}}, Body: []byte("canary")}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		assert.Equal(t, "bento.Response(301, 6 bytes)", fmt.Sprintf(format, r))
		assert.NotContains(t, fmt.Sprintf(format, &r), "canary")
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "response", r)
	assert.NotContains(t, log.String(), "canary")
}
