package bento_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/gen"
	bento "example.com/bento-go/wrapper"
)

var (
	errReset   = errors.New("connection reset by peer")
	errRefused = &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
)

// What may be sent again is the contract's word, by operation and by what went wrong.
func TestRetryFollowsTheContract(t *testing.T) {
	t.Parallel()
	keyed := event("ari@example.com")
	keyed.Details = gen.EventDetails{"unique": map[string]any{"key": "order-1"}}
	calls := map[string]func(*bento.Client) error{
		"read": func(c *bento.Client) error { _, err := c.ListTags(context.Background()); return err },
		"import": func(c *bento.Client) error {
			_, err := c.ImportSubscribers(context.Background(), []bento.SubscriberRecord{{Email: "ari@example.com"}})
			return err
		},
		"event": func(c *bento.Client) error { _, err := c.TrackEvents(context.Background(), events(1)); return err },
		"keyed event": func(c *bento.Client) error {
			_, err := c.TrackEvents(context.Background(), []bento.Event{keyed})
			return err
		},
		"email": func(c *bento.Client) error {
			_, err := c.SendEmails(context.Background(), []bento.Email{email()})
			return err
		},
	}
	failures := map[string]answer{
		"400": answerJSON(400, `{}`), "401": answerJSON(401, `{}`), "403": answerJSON(403, `{}`),
		"404": answerJSON(404, `{}`), "422": answerJSON(422, `{}`), "302": respond(302, "", "", "Location", "/"),
		"429": answerJSON(429, `{}`), "500": answerJSON(500, `{}`), "503": answerJSON(503, `{}`),
		"reset": fail(errReset), "refused": fail(errRefused),
	}
	repeated := map[string][]string{
		"read":                        {"429", "500", "503", "reset", "refused"},
		"import":                      {"429", "500", "503", "reset", "refused"},
		"event":                       {"429", "500", "503", "refused"},
		"keyed event":                 {"429", "500", "503", "reset", "refused"},
		"email":                       nil,
		"email, when surely rejected": {"429", "refused"},
	}
	for name, again := range repeated {
		do, policy := calls[name], bento.RetryPolicy{MaxAttempts: 2}
		if do == nil {
			do, policy.RejectedEmails = calls["email"], true
		}
		for failure, answer := range failures {
			t.Run(name+"/"+failure, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s := scripted(t, answer, answer)
					err := do(s.client(bento.WithRetry(policy)))
					require.Error(t, err)
					want := 1
					for _, f := range again {
						if f == failure {
							want = 2
						}
					}
					assert.Len(t, s.seen, want)
					requireNoSecrets(t, fmt.Sprintf("%v %+v %#v", err, err, err))
				})
			})
		}
	}
}

// What a person has to put right is not tried again, whatever its status.
func TestAPermanentFailureIsNotRepeated(t *testing.T) {
	t.Parallel()
	for _, refusal := range []answer{
		answerJSON(500, `{"error":"Author not authorized to send on this account"}`),
		respond(500, "text/plain", "Author not authorized to send on this account"),
	} {
		s := scripted(t, refusal)
		result, err := s.client().ImportSubscribers(t.Context(), []bento.SubscriberRecord{{Email: "ari@example.com"}})
		require.ErrorIs(t, err, bento.ErrForbidden)
		require.ErrorIs(t, err, bento.ErrServer)
		require.ErrorContains(t, err, "A retry will not help")
		require.NotErrorIs(t, err, bento.ErrOutcomeUnknown)
		assert.Equal(t, 1, result.Failed)
		assert.Len(t, s.seen, 1)
	}
}

// A call that has ended takes nothing from the budget of the others, and counts no attempt.
func TestACallThatHasEndedCostsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		c := unpaced(t, roundTrip(func(req *http.Request) (*http.Response, error) { asked++; return answerJSON(503, ``)(req) }))
		over, cancel := context.WithCancel(t.Context())
		cancel()
		for range 50 {
			_, err := c.ListTags(over)
			require.ErrorIs(t, err, bento.ErrCanceled)
			var e *bento.Error
			require.ErrorAs(t, err, &e)
			assert.Zero(t, e.Attempts)
		}
		result, err := c.TrackEvents(over, events(3))
		require.ErrorIs(t, err, bento.ErrCanceled)
		assert.Equal(t, 3, result.NotSent)
		assert.Zero(t, result.Requests)
		assert.Zero(t, asked)
		_, err = c.ListTags(t.Context())
		require.ErrorIs(t, err, bento.ErrServer)
		assert.Equal(t, 4, asked, "the budget is whole")
	})
}

// A read whose answer breaks off is read again; a write that was answered is not.
func TestAReadThatBreaksOffIsReadAgain(t *testing.T) {
	t.Parallel()
	broken := func(req *http.Request) (*http.Response, error) {
		resp, err := answerJSON(200, `{"data":[`)(req)
		resp.Body = io.NopCloser(io.MultiReader(resp.Body, iotest.ErrReader(io.ErrUnexpectedEOF)))
		return resp, err
	}
	s := scripted(t, broken, answerJSON(200, `{"data":[]}`))
	_, err := s.client(quick).ListTags(t.Context())
	require.NoError(t, err)
	s = scripted(t, broken, broken)
	_, err = s.client(bento.WithRetry(bento.RetryPolicy{MaxAttempts: 2, MinBackoff: 1})).ListTags(t.Context())
	require.ErrorIs(t, err, bento.ErrUnexpectedAnswer)
	assert.Len(t, s.seen, 2)
	s = scripted(t, broken)
	_, err = s.client(quick).ImportSubscribers(t.Context(), []bento.SubscriberRecord{{Email: "ari@example.com"}})
	require.ErrorIs(t, err, bento.ErrUnexpectedAnswer)
	assert.Len(t, s.seen, 1)
}

// In an outage all calls together may repeat no more than the budget allows; a success earns a
// part of a retry back, and a 429 costs nothing.
func TestAnOutageIsNotMultiplied(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		asked, answer := 0, answerJSON(503, ``)
		c := paced(t, roundTrip(func(req *http.Request) (*http.Response, error) { asked++; return answer(req) }), bento.WithPace(bento.PaceOff))
		for range 100 {
			_, err := c.ListTags(t.Context())
			require.ErrorIs(t, err, bento.ErrServer)
		}
		assert.Equal(t, 120, asked, "100 calls and 20 retries")

		asked, answer = 0, answerJSON(429, ``)
		_, err := c.ListTags(t.Context())
		require.ErrorIs(t, err, bento.ErrRateLimited)
		assert.Equal(t, 4, asked)

		answer = answerJSON(200, `{"data":[]}`)
		for range 30 {
			_, err := c.ListTags(t.Context())
			require.NoError(t, err)
		}
		asked, answer = 0, answerJSON(503, ``)
		_, err = c.ListTags(t.Context())
		require.ErrorIs(t, err, bento.ErrServer)
		assert.Equal(t, 4, asked, "30 successes earn three retries")
	})
}

// What may have arrived stays unknown, though the pace held the next attempt back.
func TestALostAnswerIsNotLostToThePaceEither(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := scripted(t, fail(errReset))
		c := paced(t, s, bento.WithPace(bento.PaceOff.With("batch", 1, time.Minute)), quick)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		result, err := c.ImportSubscribers(ctx, []bento.SubscriberRecord{{Email: "ari@example.com"}})
		require.ErrorIs(t, err, bento.ErrOutcomeUnknown)
		require.NotErrorIs(t, err, bento.ErrPaced)
		assert.Equal(t, 1, result.Unknown)
		assert.Len(t, s.seen, 1)
	})
}

// A second attempt whose turn would come too late gives the answer to the first.
func TestAnAnswerIsNotLostToThePace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := scripted(t, answerJSON(429, `{"error":"Too Many Requests"}`))
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err := paced(t, s).ListTags(ctx)
		require.ErrorIs(t, err, bento.ErrRateLimited)
		require.ErrorContains(t, err, "Too Many Requests")
		assert.Len(t, s.seen, 1)
	})
}

func TestRetryWaitsAndSendsTheSameBodyAfresh(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := scripted(t, answerJSON(503, ``), answerJSON(429, `{"error":"Too Many Requests"}`, "Retry-After", "90"), accepted("1"))
		start := time.Now()
		result, err := s.client().TrackEvents(t.Context(), events(1))
		require.NoError(t, err)
		assert.Equal(t, 1, result.Accepted)
		assert.Equal(t, 1, result.Requests)
		require.Len(t, s.seen, 3)
		assert.JSONEq(t, `{"events":[{"type":"$signed_up","email":"person@example.com"}]}`, s.seen[0].body)
		assert.Equal(t, s.seen[0].body, s.seen[2].body)
		waited := time.Since(start)
		assert.GreaterOrEqual(t, waited, 90*time.Second)
		assert.LessOrEqual(t, waited, 91*time.Second, "one jittered wait of at most 1 s before it")
	})
}

func TestRetryAfterComesInSecondsOrAsADate(t *testing.T) {
	t.Parallel()
	for name, header := range map[string]func() string{
		"seconds": func() string { return "90" },
		"date":    func() string { return time.Now().Add(90 * time.Second).UTC().Format(http.TimeFormat) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := scripted(t, answerJSON(429, ``, "Retry-After", header()), answerJSON(200, `{"data":[]}`))
				start := time.Now()
				_, err := s.client().ListTags(t.Context())
				require.NoError(t, err)
				assert.InDelta(t, 90*time.Second, time.Since(start), float64(time.Second))
			})
		})
	}
}

func TestNonsenseInRetryAfterIsNoWait(t *testing.T) {
	t.Parallel()
	for _, header := range []string{"soon", "-5", "1e9", "Mon, 01 Jan 1990 00:00:00 GMT"} {
		synctest.Test(t, func(t *testing.T) {
			s := scripted(t, answerJSON(429, ``, "Retry-After", header), answerJSON(200, `{"data":[]}`))
			start := time.Now()
			_, err := s.client().ListTags(t.Context())
			require.NoError(t, err)
			assert.LessOrEqual(t, time.Since(start), time.Second, header)
		})
	}
}

func TestBackoffGrowsWithJitterUpToItsCap(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const attempts = 12
		answers := make([]answer, attempts)
		var at []time.Time
		for i := range answers {
			answers[i] = func(req *http.Request) (*http.Response, error) {
				at = append(at, time.Now())
				return answerJSON(503, ``)(req)
			}
		}
		s := scripted(t, answers...)
		policy := bento.RetryPolicy{MaxAttempts: attempts, MinBackoff: time.Second, MaxBackoff: 10 * time.Second}
		_, err := s.client(bento.WithRetry(policy)).ListTags(t.Context())
		require.ErrorIs(t, err, bento.ErrServer)
		require.Len(t, at, attempts)
		for i, ceiling := range []time.Duration{1, 2, 4, 8, 10, 10, 10, 10, 10, 10, 10} {
			assert.LessOrEqual(t, at[i+1].Sub(at[i]), ceiling*time.Second)
		}
		assert.NotEqual(t, at[11].Sub(at[10]), at[10].Sub(at[9]), "jittered")
	})
}

func TestAWaitThatWouldOutliveTheDeadlineIsNotBegun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := scripted(t, answerJSON(429, ``, "Retry-After", "60"))
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		start := time.Now()
		_, err := s.client().ListTags(ctx)
		require.ErrorIs(t, err, bento.ErrRateLimited)
		var e *bento.Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, time.Minute, e.RetryAfter)
		assert.Zero(t, time.Since(start))
	})
}

func TestALongerRetryAfterThanMaxWaitIsReturned(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, header := range []string{"3600", "99999999999999999999"} {
			s := scripted(t, answerJSON(429, ``, "Retry-After", header))
			_, err := s.client().ListTags(t.Context())
			require.ErrorIs(t, err, bento.ErrRateLimited)
			require.ErrorContains(t, err, "retry after ")
			assert.Len(t, s.seen, 1)
		}
	})
}

func TestCancellationEndsAWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := scripted(t, answerJSON(429, ``, "Retry-After", "60"))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(5*time.Second, cancel)
		start := time.Now()
		result, err := s.client().TrackEvents(ctx, events(1))
		require.ErrorIs(t, err, context.Canceled)
		require.NotErrorIs(t, err, bento.ErrOutcomeUnknown, "429 said that it was not taken")
		assert.Equal(t, 1, result.Failed)
		assert.Equal(t, 5*time.Second, time.Since(start))
	})
}

func TestAnAttemptIsBoundedInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stall := func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, req.Context().Err()
		}
		s := scripted(t, stall, answerJSON(200, `{"data":[]}`))
		start := time.Now()
		_, err := s.client(bento.WithTimeout(7 * time.Second)).ListTags(t.Context())
		require.NoError(t, err, "a read is repeated after its attempt timed out")
		assert.GreaterOrEqual(t, time.Since(start), 7*time.Second)

		s = scripted(t, stall)
		result, err := s.client(bento.WithTimeout(7*time.Second)).TrackEvents(t.Context(), events(3))
		require.ErrorIs(t, err, bento.ErrTimeout)
		require.ErrorIs(t, err, bento.ErrOutcomeUnknown)
		assert.Equal(t, 3, result.Unknown)
	})
}

func TestABodyThatCannotBeSentAgainIsNot(t *testing.T) {
	t.Parallel()
	s := scripted(t, answerJSON(503, ``))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1/api/v1/batch/events", http.NoBody)
	require.NoError(t, err)
	req.Body = http.MaxBytesReader(nil, http.NoBody, 1) // no GetBody
	resp, err := bento.NewRetryTransport(s, bento.RetryPolicy{}).RoundTrip(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	assert.Equal(t, 503, resp.StatusCode)
	assert.Len(t, s.seen, 1)
}

func TestAnUnknownOperationIsNotRepeated(t *testing.T) {
	t.Parallel()
	s := scripted(t, answerJSON(503, ``))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1/somewhere/else", nil)
	require.NoError(t, err)
	resp, err := bento.NewRetryTransport(s, bento.RetryPolicy{}).RoundTrip(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	assert.Len(t, s.seen, 1)
}

func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{"0", "90", "soon", "-1", "Mon, 01 Jan 1990 00:00:00 GMT", "9223372036854775807"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		header := http.Header{"Retry-After": {value}}
		if d := bento.RetryAfter(header, time.Unix(0, 0)); d < 0 {
			t.Fatalf("%q is a negative wait: %v", value, d)
		}
	})
}
