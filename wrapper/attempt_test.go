package bento_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/gen"
	bento "example.com/bento-go/wrapper"
)

// A closer is a body that knows whether it was closed.
type closer struct {
	io.Reader
	err    error
	closed int
}

func (c *closer) Close() error { c.closed++; return c.err }

// The body of an answer is closed once: by its reader, or here if it is a connection that was
// switched to another protocol.
func TestTheBodyOfAnAnswerIsClosedOnce(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 101} {
		body := &closer{Reader: strings.NewReader("{}"), err: errReset}
		transport := bento.NewRetryTransport(roundTrip(func(req *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: status, Body: body, Request: req}, nil
		}), bento.RetryPolicy{MaxAttempts: 1})
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1/api/v1/batch/emails", http.NoBody)
		require.NoError(t, err)
		resp, err := transport.RoundTrip(req)
		require.NoError(t, err)
		if status == 200 {
			assert.Zero(t, body.closed)
			require.ErrorIs(t, resp.Body.Close(), errReset, "what the body says to it")
		}
		assert.Equal(t, 1, body.closed, status)
		_ = resp.Body.Close()
	}
}

// A call that has a limit of time ends the context of an attempt when it is over.
func TestTheContextOfAnAttemptEndsWithIt(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]answer{
		"an error":  fail(errReset),
		"no answer": func(*http.Request) (*http.Response, error) { return nil, nil }, //nolint:nilnil // somebody's transport does
		"an answer": accepted("1"),
	} {
		var attempt context.Context
		c := unpaced(t, roundTrip(func(req *http.Request) (*http.Response, error) {
			attempt = req.Context()
			require.NoError(t, attempt.Err())
			return answer(req)
		}))
		_, _ = c.TrackEvents(t.Context(), events(1))
		require.ErrorIs(t, attempt.Err(), context.Canceled, name)
	}
}

// Of a connection that was switched to another protocol nothing is read: it has no end.
func TestASwitchedConnectionIsNotRead(t *testing.T) {
	t.Parallel()
	reads := 0
	body := &closer{Reader: readerFunc(func([]byte) (int, error) { reads++; return 0, io.EOF })}
	_, err := unpaced(t, roundTrip(func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 101, Body: body, Request: req, Header: http.Header{}}, nil
	})).ListTags(t.Context())
	require.ErrorIs(t, err, bento.ErrUnexpectedAnswer)
	assert.Equal(t, [2]int{0, 1}, [2]int{reads, body.closed})
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// A call that has ended closes the body that it does not send.
func TestACallThatHasEndedClosesItsBody(t *testing.T) {
	t.Parallel()
	body := &closer{Reader: strings.NewReader("{}")}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://127.0.0.1/api/v1/batch/events", body)
	require.NoError(t, err)
	resp, err := bento.NewRetryTransport(scripted(t), bento.RetryPolicy{}).RoundTrip(req)
	require.ErrorIs(t, err, context.Canceled)
	assert.Nil(t, resp)
	assert.Equal(t, 1, body.closed)
}

// A transport that was made with what is out of its range sends nothing, says so, and is not tried again.
func TestATransportThatIsMisusedSendsNothing(t *testing.T) {
	t.Parallel()
	for want, transport := range map[string]http.RoundTripper{
		"no limit family \"letters\"": bento.NewPaceTransport(scripted(t), bento.PaceOff.With("letters", 1, time.Minute)),
		"want at least 1":             bento.NewRetryTransport(bento.NewPaceTransport(scripted(t), bento.PaceGuarded.With("batch", 0, time.Minute)), bento.RetryPolicy{}),
		"MaxAttempts is 101":          bento.NewRetryTransport(scripted(t), bento.RetryPolicy{MaxAttempts: 101}),
	} {
		body := &closer{Reader: strings.NewReader("{}")}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1/api/v1/batch/events", body)
		require.NoError(t, err)
		resp, err := transport.RoundTrip(req)
		require.ErrorIs(t, err, bento.ErrInvalid)
		require.ErrorContains(t, err, want)
		assert.Nil(t, resp)
		assert.Equal(t, 1, body.closed)

		cfg := testConfig()
		c, err := bento.New(cfg, quick, bento.WithHTTPClient(&http.Client{Transport: transport}))
		require.NoError(t, err)
		_, err = c.TrackEvents(t.Context(), numbered(1))
		require.ErrorIs(t, err, bento.ErrInvalid)
		require.NotErrorIs(t, err, bento.ErrNetwork)
	}
}

type stopped struct {
	error
	unsent bool
}

type halted struct{ error }

func (halted) Unsent() bool { return true }

func (s stopped) Unsent() bool     { return s.unsent }
func (s stopped) BlamesBody() bool { return !strings.Contains(s.Error(), "address") }

// What a transport of the user's says it stopped was not sent, and is not tried again.
func TestARequestThatIsStoppedBelowWasNotSent(t *testing.T) {
	t.Parallel()
	s := scripted(t, fail(fmt.Errorf("below: %w", stopped{errors.New("it breaks the contract"), true})))
	result, err := s.client(quick).RunCommands(t.Context(), []bento.Command{bento.AddTag("ari@example.com", "vip")})
	require.ErrorContains(t, err, "it breaks the contract")
	require.ErrorIs(t, err, bento.ErrInvalid)
	require.NotErrorIs(t, err, bento.ErrNetwork)
	assert.Zero(t, result.Unknown)
	assert.Len(t, s.seen, 1)

	poisoned := func(req *http.Request) (*http.Response, error) {
		body, err := io.ReadAll(req.Body)
		require.NoError(t, err)
		if n := strings.Count(string(body), `"type":`); !strings.Contains(string(body), `"event_7"`) {
			return accepted(strconv.Itoa(n))(req)
		}
		return nil, stopped{errors.New("it breaks the contract"), true}
	}
	c, err := bento.New(testConfig(), quick, bento.WithPace(bento.PaceOff), bento.WithHTTPClient(&http.Client{Transport: roundTrip(poisoned)}))
	require.NoError(t, err)
	tracked, err := c.TrackEvents(t.Context(), numbered(10), bento.WithBisection())
	require.ErrorIs(t, err, bento.ErrInvalid)
	assert.Equal(t, [2]int{9, 1}, [2]int{tracked.Accepted, tracked.Failed}, "and is found among the others")
	assert.Equal(t, 3, tracked.Requests, "that were sent; three were stopped")

	for _, why := range []error{stopped{errors.New("the address is wrong"), true}, halted{errors.New("the circuit is open")}} {
		s = scripted(t, fail(why))
		result, err = s.client(quick).TrackEvents(t.Context(), numbered(10), bento.WithBisection())
		require.ErrorIs(t, err, bento.ErrInvalid)
		assert.Equal(t, 10, result.NotSent, "no record is to blame")
		assert.Len(t, s.seen, 1)
	}

	s = scripted(t, fail(fmt.Errorf("a mirror says: %w", bento.ErrInvalid)))
	_, err = s.client(quick).RunCommands(t.Context(), []bento.Command{bento.Subscribe("ari@example.com")})
	require.ErrorIs(t, err, bento.ErrOutcomeUnknown, "it was sent, whatever its error is called")

	s = scripted(t, fail(stopped{errors.New("the answer breaks the contract"), false}))
	result, err = s.client(quick).RunCommands(t.Context(), []bento.Command{bento.Subscribe("ari@example.com")})
	require.ErrorIs(t, err, bento.ErrOutcomeUnknown)
	assert.Equal(t, 1, result.Unknown)
}

// A turn that comes too late is not tried again by whoever stands above the pace.
func TestARetryTransportAboveAPace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := scripted(t, answerJSON(200, "{}"))
		transport := bento.NewRetryTransport(bento.NewPaceTransport(s, bento.PaceOff.With("fetch", 1, time.Minute)), bento.RetryPolicy{})
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		began := time.Now()
		for _, fails := range []bool{false, true} {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1/api/v1/fetch/tags", nil)
			require.NoError(t, err)
			resp, err := transport.RoundTrip(req)
			if err == nil {
				_ = resp.Body.Close()
			}
			assert.Equal(t, fails, err != nil)
		}
		assert.Zero(t, time.Since(began))
	})
}

// A transport that names no request in its answer is no reason to fail.
func TestAnAnswerNeedNotNameItsRequest(t *testing.T) {
	t.Parallel()
	_, err := unpaced(t, roundTrip(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(`{"data":[]}`))}, nil
	})).ListTags(t.Context())
	require.NoError(t, err)
	var named *http.Request
	transport := bento.NewRetryTransport(roundTrip(func(req *http.Request) (*http.Response, error) {
		named = req
		other := req.Clone(req.Context())
		other.Header.Set("X-Other", "1")
		return &http.Response{StatusCode: 200, Body: http.NoBody, Request: other}, nil
	}), bento.RetryPolicy{})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1/api/v1/fetch/tags", nil)
	require.NoError(t, err)
	resp, err := transport.RoundTrip(req)
	require.NoError(t, err)
	_ = resp.Body.Close()
	assert.NotSame(t, named, resp.Request)
	assert.Equal(t, "1", resp.Request.Header.Get("X-Other"), "the one that the transport says")
}

// Whether a request has left is known by what the transport reports, and doubted if it reports
// nothing, unless it says that it never connected.
func TestWhatHasLeftIsToldByTheTransport(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		report  func(*httptrace.ClientTrace)
		err     error
		unknown bool
	}{
		"it reports nothing":                    {func(*httptrace.ClientTrace) {}, errReset, true},
		"it reports nothing, and never dialled": {func(*httptrace.ClientTrace) {}, errRefused, false},
		"it reports nothing, and was reading":   {func(*httptrace.ClientTrace) {}, &net.OpError{Op: "read", Err: errReset}, true},
		"it asked for a connection":             {func(trace *httptrace.ClientTrace) { trace.GetConn("x") }, errReset, false},
		"it wrote a part of the header":         {func(trace *httptrace.ClientTrace) { trace.GetConn("x"); trace.WroteHeaderField("Host", nil) }, errRefused, true},
		"it wrote the header":                   {func(trace *httptrace.ClientTrace) { trace.GetConn("x"); trace.WroteHeaders() }, errRefused, true},
	} {
		result, err := unpaced(t, roundTrip(func(req *http.Request) (*http.Response, error) {
			tc.report(httptrace.ContextClientTrace(req.Context()))
			return nil, tc.err
		})).TrackEvents(t.Context(), events(1), once.(bento.BatchOption))
		require.ErrorIs(t, err, bento.ErrNetwork)
		assert.Equal(t, tc.unknown, errors.Is(err, bento.ErrOutcomeUnknown), name)
		assert.Equal(t, tc.unknown, result.Unknown == 1, name)
	}
}

// A transport that gives neither an answer nor an error may have sent.
func TestATransportThatSaysNothingMayHaveSent(t *testing.T) {
	t.Parallel()
	s := scripted(t, func(*http.Request) (*http.Response, error) { return nil, nil }) //nolint:nilnil // somebody's transport does
	result, err := s.client(once).TrackEvents(t.Context(), events(2))
	require.ErrorIs(t, err, bento.ErrOutcomeUnknown)
	assert.Equal(t, 2, result.Unknown)
}

// A transport sees which attempt of its call a request is.
func TestAnAttemptKnowsItsNumber(t *testing.T) {
	t.Parallel()
	var numbers []int
	c := unpaced(t, roundTrip(func(req *http.Request) (*http.Response, error) {
		numbers = append(numbers, bento.Attempt(req.Context()))
		return answerJSON(503, ``)(req)
	}))
	_, err := c.ListTags(t.Context(), quick.(bento.CallOption))
	require.ErrorContains(t, err, "after 4 attempts")
	assert.Equal(t, []int{1, 2, 3, 4}, numbers)
	assert.Zero(t, bento.Attempt(t.Context()))
	_, err = scripted(t, answerJSON(503, ``)).client(once).ListTags(t.Context())
	assert.NotContains(t, err.Error(), "attempts")
	_, err = scripted(t, answerJSON(503, ``), answerJSON(401, ``)).client(quick).ListTags(t.Context())
	require.ErrorContains(t, err, "after 2 attempts")
}

// The text of a failure on the way holds neither the address that was asked nor what it was
// asked with.
func TestAFailureOnTheWayNamesNoURL(t *testing.T) {
	t.Parallel()
	for _, cause := range []error{
		fmt.Errorf("dialling with %s for canary@example.com", testSecret), &url.Error{Op: "Get", URL: "http://10.0.0.1/?x=" + testSite, Err: errReset}, errReset,
	} {
		_, err := scripted(t, fail(cause)).client(once).SubscriberByEmail(t.Context(), "canary@example.com")
		require.ErrorIs(t, err, bento.ErrNetwork)
		require.ErrorContains(t, err, "Check the address, the network and any proxy")
		text := fmt.Sprintf("%v %+v %#v", err, err, err)
		requireNoSecrets(t, text)
		assert.NotContains(t, text, "http://")
	}
	_, err := scripted(t, fail(errReset)).client(once).ListTags(t.Context())
	require.ErrorContains(t, err, "bento: listTags: connection reset by peer. Check")
	odd := &url.Error{Op: "Get", URL: "canary@example.com"}
	_, err = scripted(t, fail(odd)).client(once).ListTags(t.Context())
	require.ErrorIs(t, err, bento.ErrNetwork, "a wrapper around nothing")
	var handedOut *url.Error
	require.NotErrorAs(t, err, &handedOut)
}

// The waits between attempts are random below a ceiling that doubles, whatever their number.
func TestBackoffDoublesItsCeiling(t *testing.T) {
	t.Parallel()
	longest := func(p bento.RetryPolicy, n int) (d time.Duration) {
		for range 300 {
			d = max(d, bento.Backoff(p, n))
		}
		return d
	}
	p := bento.RetryPolicy{MinBackoff: time.Second, MaxBackoff: 10 * time.Second}
	for n, ceiling := range map[int]time.Duration{1: 1, 2: 2, 3: 4, 4: 8, 5: 10, 99: 10} {
		found := longest(p, n)
		assert.LessOrEqual(t, found, ceiling*time.Second, n)
		assert.Greater(t, found, ceiling*time.Second*9/10, n)
	}
	assert.LessOrEqual(t, longest(bento.RetryPolicy{MinBackoff: time.Hour, MaxBackoff: time.Second}, 1), time.Second)
}

// A Retry-After that is a date is read by the clock of the server that wrote it.
func TestADateIsReadByTheClockThatWroteIt(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 6, 10, 9, 30, 0, 0, time.UTC)
	date := func(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }
	for _, tc := range []struct {
		header http.Header
		want   time.Duration
	}{
		{http.Header{"Retry-After": {date(time.Minute)}}, time.Minute},
		{http.Header{"Retry-After": {date(time.Minute)}, "Date": {date(-time.Hour)}}, time.Hour + time.Minute},
		{http.Header{"Retry-After": {date(time.Minute)}, "Date": {"yesterday"}}, time.Minute},
		{http.Header{"Retry-After": {" 7 "}}, 7 * time.Second},
		{http.Header{"Retry-After": {"2147483648"}}, 2147483647 * time.Second},
		{http.Header{"Retry-After": {date(-time.Minute)}}, 0},
		{http.Header{}, 0},
	} {
		assert.Equal(t, tc.want, bento.RetryAfter(tc.header, now), tc.header)
	}
}

// The budget of retries is whole at first, never more than whole, and is spent one by one.
func TestTheBudgetIsNeverMoreThanWhole(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		asked, answer := 0, answerJSON(200, `{"data":[]}`)
		c := unpaced(t, roundTrip(func(req *http.Request) (*http.Response, error) { asked++; return answer(req) }))
		ask := func(n int) int {
			asked = 0
			for range n {
				_, _ = c.ListTags(t.Context(), quick.(bento.CallOption))
			}
			return asked
		}
		ask(100)
		answer = answerJSON(503, ``)
		assert.Equal(t, 120, ask(100))
		answer = answerJSON(200, `{"data":[]}`)
		ask(10)
		answer = answerJSON(503, ``)
		assert.Equal(t, 11, ask(10), "ten successes are worth one retry")
		answer = answerJSON(400, ``)
		ask(50)
		answer = answerJSON(503, ``)
		assert.Equal(t, 10, ask(10), "refusals are worth none")
	})
}

// What a call may repeat, its batch must be in all its records.
func TestABatchIsRepeatedOnlyIfAllOfItMayBe(t *testing.T) {
	t.Parallel()
	keyed := event("ari@example.com")
	keyed.Details = gen.EventDetails{"unique": map[string]any{"key": "order-1"}}
	for name, batch := range map[string][]bento.Event{
		"the last one not": {keyed, event("bo@example.com")}, "the first one not": {event("bo@example.com"), keyed},
	} {
		s := scripted(t, fail(errReset))
		result, err := s.client(quick).TrackEvents(t.Context(), batch)
		require.ErrorIs(t, err, bento.ErrOutcomeUnknown, name)
		assert.Equal(t, 2, result.Unknown, name)
		assert.Len(t, s.seen, 1, name)
	}
}
