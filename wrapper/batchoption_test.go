package bento_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/gen"
	bento "example.com/bento-go/wrapper"
)

// numbered are events that tell where they stood.
func numbered(n int) []bento.Event {
	all := make([]bento.Event, n)
	for i := range all {
		all[i] = bento.Event{Type: fmt.Sprintf("event_%d", i), Email: "person@example.com"}
	}
	return all
}

// typesOf lists the types of the events of a body.
func typesOf(t testing.TB, body []byte) []string {
	t.Helper()
	var b struct{ Events []gen.Event }
	require.NoError(t, json.Unmarshal(body, &b))
	var types []string
	for _, e := range b.Events {
		types = append(types, e.Type)
	}
	return types
}

// counting accepts what it is sent, and counts it, after answer had its say.
func counting(answer func(types []string) answer) roundTrip {
	return func(req *http.Request) (*http.Response, error) {
		body, _ := io.ReadAll(req.Body)
		var b struct{ Events []gen.Event }
		_ = json.Unmarshal(body, &b)
		types := []string{}
		for _, e := range b.Events {
			types = append(types, e.Type)
		}
		if a := answer(types); a != nil {
			return a(req)
		}
		return accepted(strconv.Itoa(len(types)))(req)
	}
}

func unpaced(t testing.TB, transport http.RoundTripper) *bento.Client {
	t.Helper()
	c, err := bento.New(testConfig(), bento.WithHTTPClient(&http.Client{Transport: transport}), bento.WithPace(bento.PaceOff))
	require.NoError(t, err)
	return c
}

func TestBatchesAreCutByBytesToo(t *testing.T) {
	t.Parallel()
	largest, requests := 0, 0
	c := unpaced(t, roundTrip(func(req *http.Request) (*http.Response, error) {
		body, _ := io.ReadAll(req.Body)
		largest, requests = max(largest, len(body)), requests+1
		return accepted(strconv.Itoa(len(typesOf(t, body))))(req)
	}))
	result, err := c.TrackEvents(t.Context(), numbered(500), bento.WithBatchBytes(2048))
	require.NoError(t, err)
	assert.Equal(t, 500, result.Accepted)
	assert.Equal(t, requests, result.Requests)
	assert.LessOrEqual(t, largest, 2048)
	assert.Greater(t, largest, 1900, "full, as far as whole records go")

	long := numbered(3)
	long[1].Details = gen.EventDetails{"note": strings.Repeat("x", 4096)}
	result, err = c.TrackEvents(t.Context(), long, bento.WithBatchBytes(2048))
	require.ErrorContains(t, err, "more than a request of 2048 may hold")
	assert.Equal(t, 2, result.Accepted)
	assert.Equal(t, 1, result.Problems[0].First)
}

// Batches that are under way together are as many as was asked for, and the result is in order
// whatever the order in which the answers came.
func TestConcurrentBatchesKeepTheirOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var flying, most atomic.Int32
		c := unpaced(t, counting(func(types []string) answer {
			most.Store(max(most.Load(), flying.Add(1)))
			defer flying.Add(-1)
			if types[0] == "event_0" {
				time.Sleep(time.Minute) // the first answer comes last
			}
			time.Sleep(time.Second)
			if types[0] == "event_1000" || types[0] == "event_3000" {
				return answerJSON(422, `{"error":"x"}`)
			}
			return nil
		}))
		var progress []int
		result, err := c.TrackEvents(t.Context(), numbered(4500), bento.WithConcurrency(3), bento.WithProgress(func(r bento.Result) {
			progress = append(progress, r.Accepted+r.Failed)
			assert.Nil(t, r.Problems)
		}))
		require.ErrorIs(t, err, bento.ErrUnprocessable)
		assert.Equal(t, 2500, result.Accepted)
		assert.Equal(t, 2000, result.Failed)
		require.Len(t, result.Problems, 2)
		assert.Equal(t, [2]int{1000, 1999}, [2]int{result.Problems[0].First, result.Problems[0].Last})
		assert.Equal(t, [2]int{3000, 3999}, [2]int{result.Problems[1].First, result.Problems[1].Last})
		assert.EqualValues(t, 3, most.Load())
		assert.Equal(t, []int{1000, 2000, 3000, 4000, 4500}, progress)
	})
}

// What ends a call ends it for what has not left yet; what is under way is waited for.
func TestAnEndLeavesNothingUncounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := unpaced(t, counting(func(types []string) answer {
			time.Sleep(time.Second)
			if types[0] == "event_1000" {
				return answerJSON(401, `{}`)
			}
			return nil
		}))
		for _, concurrency := range []int{1, 2, 4} {
			result, err := c.TrackEvents(t.Context(), numbered(9999), bento.WithConcurrency(concurrency))
			require.ErrorIs(t, err, bento.ErrUnauthorized)
			assert.Equal(t, 9999, result.Read)
			assert.Equal(t, 9999, result.Accepted+result.Failed+result.Unknown+result.NotSent)
			assert.Equal(t, 1000, result.Failed)
			assert.Equal(t, result.Requests*1000, result.Accepted+result.Failed, "concurrency %d", concurrency)
		}
	})
}

func TestAStrictCallSendsNothingOfABadSlice(t *testing.T) {
	t.Parallel()
	s := scripted(t)
	bad := numbered(2500)
	bad[1200].Email, bad[2400].Type = "", ""
	result, err := s.client().TrackEvents(t.Context(), bad, bento.WithStrict())
	require.ErrorIs(t, err, bento.ErrInvalid)
	assert.Empty(t, s.seen)
	assert.Equal(t, 2, result.Failed)
	assert.Equal(t, 2498, result.NotSent)
	var at []int
	for _, p := range result.Problems {
		at = append(at, p.First)
	}
	assert.Contains(t, at, 1200)
	assert.Contains(t, at, 2400)

	s = scripted(t, accepted("1000"))
	result, err = s.client().TrackEventsSeq(t.Context(), slices.Values(bad), bento.WithStrict())
	require.ErrorIs(t, err, bento.ErrInvalid)
	assert.Equal(t, [5]int{1201, 1000, 1, 200, 1}, [5]int{result.Read, result.Accepted, result.Failed, result.NotSent, result.Requests})
}

// A batch that is refused for its records is halved until the bad ones stand alone.
func TestBisectionFindsTheBadRecords(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 413, 422} {
		bad := []string{"event_17", "event_1400", "event_1401"}
		c := unpaced(t, counting(func(types []string) answer {
			if slices.ContainsFunc(types, func(kind string) bool { return slices.Contains(bad, kind) }) {
				return answerJSON(status, `{"error":"x"}`)
			}
			return nil
		}))
		result, err := c.TrackEvents(t.Context(), numbered(2000), bento.WithBisection())
		require.Error(t, err)
		assert.Equal(t, 1997, result.Accepted)
		assert.Equal(t, 3, result.Failed)
		var at []int
		for _, p := range result.Problems {
			require.Equal(t, p.First, p.Last)
			at = append(at, p.First)
		}
		assert.Equal(t, []int{17, 1400, 1401}, at)
	}
}

func TestBisectionIsBounded(t *testing.T) {
	t.Parallel()
	requests := 0
	c := unpaced(t, counting(func([]string) answer { requests++; return answerJSON(422, `{}`) }))
	result, err := c.TrackEvents(t.Context(), numbered(1000), bento.WithBisection())
	require.ErrorIs(t, err, bento.ErrUnprocessable)
	assert.Equal(t, 1000, result.Failed)
	assert.LessOrEqual(t, requests, 1+bento.MaxBisections)

	requests = 0
	c = unpaced(t, counting(func(types []string) answer {
		if requests++; requests == 3 {
			return answerJSON(401, `{}`)
		}
		return answerJSON(422, `{}`)
	}))
	result, err = c.TrackEvents(t.Context(), numbered(8), bento.WithBisection())
	require.ErrorIs(t, err, bento.ErrUnauthorized)
	assert.Equal(t, 8, result.Failed+result.NotSent)
	assert.Equal(t, 3, requests)
}

// An endless source is read no further than is sent.
func TestMemoryIsThatOfWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	read, sent := 0, 0
	var source iter.Seq[bento.Event] = func(yield func(bento.Event) bool) {
		for yield(event("ari@example.com")) {
			read++
			assert.LessOrEqual(t, read-sent, 4*1000)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	c := unpaced(t, roundTrip(func(req *http.Request) (*http.Response, error) {
		if sent += 1000; sent == 20_000 {
			cancel()
		}
		return accepted("1000")(req)
	}))
	result, err := c.TrackEventsSeq(ctx, source, bento.WithConcurrency(1))
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, result.Read, result.Accepted+result.Failed+result.Unknown+result.NotSent)
	assert.GreaterOrEqual(t, result.Accepted, 20_000)
}

func TestNonsenseInOptionsIsRefused(t *testing.T) {
	t.Parallel()
	s := scripted(t)
	for _, opt := range []bento.BatchOption{
		bento.WithConcurrency(0), bento.WithConcurrency(65), bento.WithBatchBytes(0), bento.WithBatchBytes(1 << 30), nil,
		bento.WithTimeout(0), bento.WithRetry(bento.RetryPolicy{MaxAttempts: -1}), bento.WithResponse(nil),
		bento.WithHeader("Authorization", "x"), bento.WithHeader("idempotency-key", "x"), bento.WithHeader("", "x"),
		bento.WithHeader("X-Trace", "a\nb"), bento.WithHeader("X Trace", "a"), bento.WithHeader("Authorization ", "a"), bento.WithHeader("accept-encoding", "br"),
		bento.WithBeforeSend(nil),
	} {
		result, err := s.client().TrackEvents(t.Context(), events(3), opt)
		require.ErrorIs(t, err, bento.ErrInvalid)
		assert.Equal(t, 3, result.NotSent)
	}
	_, err := s.client().ListTags(t.Context(), bento.WithTimeout(-1))
	require.ErrorIs(t, err, bento.ErrInvalid)
	_, err = s.client().ListTags(t.Context(), nil)
	require.ErrorIs(t, err, bento.ErrInvalid)
	_, err = bento.New(testConfig(), bento.WithMaxAnswer(0))
	require.ErrorIs(t, err, bento.ErrInvalid)
	assert.Empty(t, s.seen)
}
