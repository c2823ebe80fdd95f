package bento_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/gen"
	bento "example.com/bento-go/wrapper"
)

// bodyOf is the length of the body that holds the events.
func bodyOf(t *testing.T, all ...bento.Event) int {
	t.Helper()
	encoded, err := json.Marshal(gen.TrackEventsBody{Events: all})
	require.NoError(t, err)
	return len(encoded)
}

// A body is as long as is allowed to the byte, and no longer.
func TestABodyMayBeAsLongAsIsAllowed(t *testing.T) {
	t.Parallel()
	pair := numbered(2)
	for _, tc := range []struct {
		records []bento.Event
		bytes   int
		opts    []bento.BatchOption
		want    []int // records of each request
	}{
		{pair, bodyOf(t, pair...), nil, []int{2}},
		{pair, bodyOf(t, pair...) - 1, nil, []int{1, 1}},
		{pair[:1], bodyOf(t, pair[0]), nil, []int{1}},
		{pair[:1], bodyOf(t, pair[0]) - 1, nil, nil},
	} {
		var got []int
		c := unpaced(t, counting(func(types []string) answer { got = append(got, len(types)); return nil }))
		_, err := c.TrackEvents(t.Context(), tc.records, bento.WithBatchBytes(tc.bytes))
		assert.Equal(t, tc.want, got)
		assert.Equal(t, tc.want == nil, err != nil)
	}
	half := func(more int) bento.Event {
		e := event("ari@example.com")
		e.Details = gen.EventDetails{"note": ""}
		e.Details["note"] = strings.Repeat("x", 2<<20-bodyOf(t, e)+more)
		return e
	}
	const glue = len(`{"events":[]}`) - len(`,`) // that the second record shares with the first
	for more, want := range map[int]int{glue: 1, glue + 1: 2} {
		requests := 0
		c := unpaced(t, counting(func([]string) answer { requests++; return nil }))
		_, err := c.TrackEvents(t.Context(), []bento.Event{half(0), half(more)})
		require.NoError(t, err)
		assert.Equal(t, want, requests, "4 MiB, if nobody says otherwise")
	}
}

// The bounds of an option belong to it.
func TestTheBoundsOfAnOptionBelongToIt(t *testing.T) {
	t.Parallel()
	for _, opt := range []bento.BatchOption{
		bento.WithConcurrency(1), bento.WithConcurrency(64), bento.WithBatchBytes(64 << 20), bento.WithHeader("X-A", "tab\tand é"), bento.WithHeader("X-A", "!"),
		bento.WithTimeout(1), bento.WithRetry(bento.RetryPolicy{MaxAttempts: 100}),
	} {
		_, err := scripted(t, accepted("1")).client().TrackEvents(t.Context(), events(1), opt)
		require.NoError(t, err)
	}
	result, err := scripted(t).client().TrackEvents(t.Context(), events(1), bento.WithBatchBytes(1))
	require.ErrorContains(t, err, "more than a request of 1 may hold")
	assert.Equal(t, 1, result.Failed)
	for want, opt := range map[string]bento.BatchOption{
		"65 batches at a time: want 1 to 64": bento.WithConcurrency(65), "67108865: want 1 to 67108864": bento.WithBatchBytes(64<<20 + 1),
		"holds a control character": bento.WithHeader("X-A", "\x7f"), "MaxAttempts is 101: want 1 to 100": bento.WithRetry(bento.RetryPolicy{MaxAttempts: 101}),
		"a negative duration": bento.WithRetry(bento.RetryPolicy{MinBackoff: -1}), "has a negative duration": bento.WithRetry(bento.RetryPolicy{MaxBackoff: -1}),
		"RetryPolicy has a negative duration": bento.WithRetry(bento.RetryPolicy{MaxWait: -1}),
	} {
		_, err := scripted(t).client().TrackEventsSeq(t.Context(), slices.Values(events(1)), opt)
		require.ErrorIs(t, err, bento.ErrInvalid)
		require.ErrorContains(t, err, want)
	}
	_, err = bento.New(testConfig(), bento.WithMaxAnswer(1))
	require.NoError(t, err)
	for _, opt := range []bento.Option{nil, bento.WithTimeout(-1)} {
		_, err = bento.New(testConfig(), opt)
		require.ErrorIs(t, err, bento.ErrInvalid)
	}
}

// An answer may be as long as is allowed to the byte, and of a longer one no more is kept.
func TestAnAnswerMayBeAsLongAsIsAllowed(t *testing.T) {
	t.Parallel()
	const body = `{"data":[]}`
	for limit, ok := range map[int]bool{len(body): true, len(body) - 1: false, 3: false} {
		for name, do := range map[string]func(*bento.Client, *bento.Response) error{
			"a read": func(c *bento.Client, r *bento.Response) error {
				_, err := c.ListTags(t.Context(), bento.WithResponse(r))
				return err
			},
			"a write": func(c *bento.Client, r *bento.Response) error {
				return c.DeleteTag(t.Context(), "1", "a", bento.WithResponse(r))
			},
		} {
			var raw bento.Response
			err := do(scripted(t, answerJSON(200, body)).client(bento.WithMaxAnswer(int64(limit))), &raw)
			if ok {
				require.NoError(t, err, name)
				continue
			}
			require.ErrorContains(t, err, fmt.Sprintf("larger than %d bytes", limit), name)
			assert.Equal(t, body[:limit+1], string(raw.Body), "%s: one more than is allowed", name)
		}
	}
}

// A slice of valid records is sent though the call is strict.
func TestAStrictCallSendsAGoodSlice(t *testing.T) {
	t.Parallel()
	result, err := scripted(t, accepted("2")).client().TrackEvents(t.Context(), numbered(2), bento.WithStrict())
	require.NoError(t, err)
	assert.Equal(t, 2, result.Accepted)
}

// What was not sent lies where it lay, and nothing is said of what is not there.
func TestProblemsLieWhereTheirRecordsLay(t *testing.T) {
	t.Parallel()
	type span struct{ first, last, failed, notSent int }
	good, bad := event("ari@example.com"), event("")
	for name, tc := range map[string]struct {
		records []bento.Event
		opts    []bento.BatchOption
		seq     bool
		answers []answer
		want    []span
	}{
		"one left over":                  {numbered(1001), nil, false, []answer{answerJSON(401, `{}`)}, []span{{0, 999, 1000, 0}, {1000, 1000, 0, 1}}},
		"nothing left over":              {numbered(1000), nil, false, []answer{answerJSON(401, `{}`)}, []span{{0, 999, 1000, 0}}},
		"strict, all bad":                {[]bento.Event{bad}, []bento.BatchOption{bento.WithStrict()}, false, nil, []span{{0, 0, 1, 0}}},
		"strict, one good":               {[]bento.Event{good, bad}, []bento.BatchOption{bento.WithStrict()}, false, nil, []span{{0, 1, 0, 1}, {1, 1, 1, 0}}},
		"a strict sequence, bad at once": {[]bento.Event{bad}, []bento.BatchOption{bento.WithStrict()}, true, nil, []span{{0, 0, 1, 0}}},
		"a strict sequence, one good":    {[]bento.Event{good, bad}, []bento.BatchOption{bento.WithStrict()}, true, nil, []span{{0, 0, 0, 1}, {1, 1, 1, 0}}},
		"in order":                       {[]bento.Event{good, bad, good}, nil, false, []answer{answerJSON(422, `{}`)}, []span{{0, 2, 2, 0}, {1, 1, 1, 0}}},
	} {
		c := scripted(t, tc.answers...).client(once)
		result, err := c.TrackEvents(t.Context(), tc.records, tc.opts...)
		if tc.seq {
			result, err = scripted(t).client().TrackEventsSeq(t.Context(), slices.Values(tc.records), tc.opts...)
		}
		require.Error(t, err, name)
		var got []span
		for _, p := range result.Problems {
			got = append(got, span{p.First, p.Last, p.Failed, p.NotSent})
		}
		assert.Equal(t, tc.want, got, name)
	}
}

// Bento's counts are believed at their edges: none, all but one, all.
func TestCountsAtTheirEdges(t *testing.T) {
	t.Parallel()
	for body, want := range map[string][3]int{
		`{"results":0,"failed":3}`: {0, 3, 0}, `{"results":2,"failed":1}`: {2, 1, 0}, `{"results":2}`: {2, 0, 1}, `{"results":1,"failed":1}`: {1, 1, 1},
		`{"results":4,"failed":0}`: {0, 0, 3}, `{"results":3,"failed":1}`: {0, 0, 3},
	} {
		result, err := scripted(t, answerJSON(200, body)).client().TrackEvents(t.Context(), events(3))
		require.Error(t, err, body)
		require.Len(t, result.Problems, 1, body)
		assert.Equal(t, want, [3]int{result.Accepted, result.Failed, result.Unknown}, body)
	}
}

// The drafts that Bento refused are counted where they stand, the last one too.
func TestDraftsAreRefusedWhereTheyStand(t *testing.T) {
	t.Parallel()
	answer := `{"results":1,"failed":2,"failures":[{"index":0,"error":"a"},{"index":2,"error":"b"},{"index":3,"error":"c"}]}`
	_, err := scripted(t, answerJSON(200, answer)).client().CreateBroadcasts(t.Context(), make([]bento.BroadcastDraft, 3))
	var partly *bento.BatchError
	require.ErrorAs(t, err, &partly)
	assert.Equal(t, bento.Result{Read: 3, Accepted: 1, Failed: 2, Requests: 1, Problems: partly.Result.Problems}, partly.Result)
	require.Len(t, partly.Result.Problems, 2)
	assert.Equal(t, 2, partly.Result.Problems[1].First)
	require.EqualError(t, err, "bento: createBroadcasts: 1 of 3 records accepted, 2 failed; first: record 0: a")
	_, err = scripted(t, answerJSON(200, `{"results":2,"failures":[{"index":2,"error":"c"}]}`)).client().CreateBroadcasts(t.Context(), make([]bento.BroadcastDraft, 3))
	require.EqualError(t, err, "bento: createBroadcasts: 2 of 3 records accepted, 1 failed; first: record 2: c")
	require.EqualError(t, &bento.BatchError{Operation: "x"}, "bento: x: 0 of 0 records accepted")

	_, err = scripted(t, answerJSON(200, `{"results":1}`)).client().CreateBroadcasts(t.Context(), make([]bento.BroadcastDraft, 3))
	require.ErrorContains(t, err, "2 unknown; first: records 0 to 2: Bento's answer counts fewer")

	_, err = scripted(t, answerJSON(200, `{"results":15}`)).client().CreateBroadcasts(t.Context(), make([]bento.BroadcastDraft, gen.MaxBroadcasts))
	require.NoError(t, err)
	for _, n := range []int{0, gen.MaxBroadcasts + 1} {
		_, err = scripted(t).client().CreateBroadcasts(t.Context(), make([]bento.BroadcastDraft, n))
		require.ErrorContains(t, err, fmt.Sprintf("%d drafts: want 1 to 15", n))
	}
	_, err = scripted(t, answerJSON(401, `{}`)).client().CreateBroadcasts(t.Context(), make([]bento.BroadcastDraft, 1))
	require.ErrorIs(t, err, bento.ErrUnauthorized)
}

// The bisection spends what it may to the last request.
func TestBisectionSpendsWhatItMay(t *testing.T) {
	t.Parallel()
	requests := 0
	c := unpaced(t, counting(func([]string) answer { requests++; return answerJSON(422, `{}`) }))
	_, err := c.TrackEvents(t.Context(), numbered(1000), bento.WithBisection())
	require.Error(t, err)
	assert.Equal(t, 1+bento.MaxBisections, requests)

	requests = 0
	_, err = c.TrackEvents(t.Context(), numbered(33), bento.WithBisection())
	require.Error(t, err)
	assert.Equal(t, 1+64, requests, "each of 33 stands alone")
	bad := unpaced(t, counting(func(types []string) answer {
		if requests++; slices.Contains(types, "event_5") {
			return answerJSON(422, `{}`)
		}
		return nil
	}))
	requests = 0
	_, err = bad.TrackEvents(t.Context(), numbered(8), bento.WithBisection())
	require.Error(t, err)
	assert.Equal(t, 1+3*2, requests, "one of 8 is found in three steps")
	requests = 0
	_, err = c.TrackEvents(t.Context(), numbered(9))
	require.Error(t, err)
	assert.Equal(t, 1, requests, "nobody asked for it")
}

// What a batch brought, its caller sees, and only if something came.
func TestTheRawAnswerIsThatOfTheLastBatch(t *testing.T) {
	t.Parallel()
	var raw bento.Response
	_, err := scripted(t, accepted("1000"), fail(errRefused)).client(once).TrackEvents(t.Context(), numbered(1500), bento.WithResponse(&raw))
	require.ErrorIs(t, err, bento.ErrNetwork)
	assert.Equal(t, 200, raw.StatusCode, "nothing came after it")

	synctest.Test(t, func(t *testing.T) {
		c := unpaced(t, counting(func(types []string) answer {
			if len(types) == 1000 { // the first one is answered last
				time.Sleep(time.Minute)
			}
			return nil
		}))
		_, err := c.TrackEvents(t.Context(), numbered(1500), bento.WithConcurrency(2), bento.WithResponse(&raw))
		require.NoError(t, err)
		assert.JSONEq(t, `{"results":500,"failed":0}`, string(raw.Body))
	})
}

// Of many refusals the bodies of the first are kept.
func TestTheBodiesOfManyRefusalsAreNotKept(t *testing.T) {
	t.Parallel()
	c := unpaced(t, counting(func([]string) answer { return answerJSON(422, `{"error":"x"}`) }))
	for bad := range 2 { // one that is refused here does not count
		all := numbered(103)
		for i := range bad {
			all[i].Email = ""
		}
		result, err := c.TrackEvents(t.Context(), all, bento.WithBatchBytes(bodyOf(t, all[102])))
		require.Error(t, err)
		kept := 0
		for _, p := range result.Problems {
			var e *bento.Error
			require.ErrorAs(t, p, &e)
			if len(e.Body) > 0 {
				kept++
			}
		}
		assert.Equal(t, 101, kept, bad)
	}
}

// A refusal by Bento of a single record is not one of those that are counted and forgotten.
func TestRefusalsByBentoAreNotForgotten(t *testing.T) {
	t.Parallel()
	c := unpaced(t, counting(func([]string) answer { return answerJSON(422, `{}`) }))
	all := numbered(1200)
	result, err := c.TrackEvents(t.Context(), all, bento.WithBatchBytes(bodyOf(t, all[1199])))
	require.Error(t, err)
	assert.Len(t, result.Problems, result.Requests)
	assert.Greater(t, result.Requests, 1000)
}

// What cannot be sent again is not, and what was said of it is not lost.
func TestAFailureIsNotLostToABodyThatCannotBeSentAgain(t *testing.T) {
	t.Parallel()
	for name, getBody := range map[string]func() (io.ReadCloser, error){
		"it has none": nil, "it fails": func() (io.ReadCloser, error) { return nil, errors.New("gone") },
	} {
		s := scripted(t, fail(errReset))
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1/api/v1/batch/subscribers", strings.NewReader("{}"))
		require.NoError(t, err)
		req.GetBody = getBody
		resp, err := bento.NewRetryTransport(s, bento.RetryPolicy{MinBackoff: 1}).RoundTrip(req)
		require.ErrorIs(t, err, errReset, name)
		assert.Nil(t, resp)
		assert.Len(t, s.seen, 1, name)
	}
}

// The request that somebody else made stays as it was, though it is sent twice.
func TestTheRequestOfTheCallerIsNotChanged(t *testing.T) {
	t.Parallel()
	s := scripted(t, answerJSON(429, ``), accepted("1"))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1/api/v1/batch/subscribers", strings.NewReader("{}"))
	require.NoError(t, err)
	body := req.Body
	resp, err := bento.NewRetryTransport(s, bento.RetryPolicy{MinBackoff: 1}).RoundTrip(req)
	require.NoError(t, err)
	_ = resp.Body.Close()
	assert.True(t, body == req.Body, "its body is the one that it had") //nolint:testifylint // equal ones may be two
	assert.Equal(t, [2]string{"{}", "{}"}, [2]string{s.seen[0].body, s.seen[1].body})
}

// Pages differ if their ids do, however the ids are cut.
func TestPagesAreToldApartByTheirIDs(t *testing.T) {
	t.Parallel()
	s := scripted(t, page("1", "23"), page("12", "3"), page("4", "5"), page())
	var ids []string
	for broadcast, err := range s.client().Broadcasts(t.Context(), bento.BroadcastFilters{}) {
		require.NoError(t, err)
		ids = append(ids, string(broadcast.ID))
	}
	assert.Equal(t, []string{"1", "23", "12", "3", "4", "5"}, ids)
	s = scripted(t, page("1"), answerJSON(401, `{}`), page("2"))
	pages := 0
	for range s.client(once).Broadcasts(t.Context(), bento.BroadcastFilters{}) {
		pages++
	}
	assert.Equal(t, [2]int{2, 2}, [2]int{pages, len(s.seen)}, "an error ends it")
}

// An attempt of a client that was told nothing else ends after half a minute.
func TestAnAttemptEndsAfterHalfAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		_, err := scripted(t, func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, req.Context().Err()
		}).client(once).ListTags(t.Context())
		require.ErrorIs(t, err, bento.ErrTimeout)
		assert.Equal(t, 30*time.Second, time.Since(start))
	})
}

// Connections that wait for reuse are closed, and others are opened when they are needed.
func TestIdleConnectionsAreClosed(t *testing.T) {
	t.Parallel()
	server, opened := watched(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"data":[]}`)
	})
	c := dial(t, server.URL)
	for want := range int32(3) {
		_, err := c.ListTags(t.Context())
		require.NoError(t, err)
		_, err = c.ListTags(t.Context())
		require.NoError(t, err)
		assert.Equal(t, want+1, opened.Load())
		c.CloseIdleConnections()
	}
	scripted(t).client().CloseIdleConnections() // of a transport that has none
	(&bento.Client{}).CloseIdleConnections()
}

// The policy's defaults are what they say.
func TestTheDefaultsOfThePolicyAreWhatTheySay(t *testing.T) {
	t.Parallel()
	p := bento.WithDefaults(bento.RetryPolicy{})
	assert.Equal(t, bento.RetryPolicy{MaxAttempts: 4, MinBackoff: time.Second, MaxBackoff: 30 * time.Second, MaxWait: 2 * time.Minute}, p)
	own := bento.RetryPolicy{MaxAttempts: 1, MinBackoff: 1, MaxBackoff: 1, MaxWait: 1}
	assert.Equal(t, own, bento.WithDefaults(own))
}
