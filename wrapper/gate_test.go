package bento_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	bento "example.com/bento-go/wrapper"
)

// A moody server refuses the requests whose numbers, from 1, it is given, and notes when each came.
type moodyServer struct {
	clock
	refuse     map[int]bool
	retryAfter string
}

func (s *moodyServer) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := s.clock.RoundTrip(req)
	switch {
	case !s.refuse[len(s.at)]:
		return resp, err
	case s.retryAfter == "":
		return answerJSON(429, ``)(req)
	}
	return answerJSON(429, ``, "Retry-After", s.retryAfter)(req)
}

// asks sends n requests, one after the other, and returns how long it was from each to the next.
func (s *moodyServer) asks(t *testing.T, c *bento.Client, n int) []time.Duration {
	t.Helper()
	for range n {
		_, err := c.ListTags(t.Context(), once.(bento.CallOption))
		if err != nil {
			require.ErrorIs(t, err, bento.ErrRateLimited)
		}
	}
	var gaps []time.Duration
	for i := len(s.at) - n; i < len(s.at); i++ {
		if i > 0 {
			gaps = append(gaps, s.at[i].Sub(s.at[i-1]))
		}
	}
	return gaps
}

// at is the interval of 60 requests a minute at a part of the speed.
func at(speed float64) float64 { return float64(time.Minute) / 60 / 0.97 / speed }

func numbers(n ...int) map[int]bool {
	set := map[int]bool{}
	for _, i := range n {
		set[i] = true
	}
	return set
}

const hair = float64(time.Millisecond)

// A speed that was too high for a window goes down by a twentieth, and by three of them if it was
// found too high again at once.
func TestARefusalSlowsDownToWhatWasTaken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &moodyServer{refuse: numbers(70, 75), retryAfter: "1"}
		c := paced(t, s)
		assert.InDelta(t, at(1), s.asks(t, c, 70)[68], hair)
		gaps := s.asks(t, c, 5)
		assert.InDelta(t, at(1), gaps[0], hair, "its second, not a window")
		assert.InDelta(t, at(0.95), gaps[1], hair)
		gaps = s.asks(t, c, 3)
		assert.InDelta(t, at(0.95*0.85), gaps[1], hair)
	})
}

// Two refusals that lie a window or more apart are no sign that the first step was too small.
func TestARefusalMuchLaterIsAFirstOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &moodyServer{refuse: numbers(70, 150), retryAfter: "1"}
		c := paced(t, s)
		s.asks(t, c, 150)
		gaps := s.asks(t, c, 3)
		assert.InDelta(t, at(0.97*0.95), gaps[2], hair, "0.95, 0.97 after a window, and a twentieth less")
	})
}

// Before a whole window has passed nobody knows what is taken: half is the guess.
func TestARefusalInTheFirstWindowHalvesThePace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &moodyServer{refuse: numbers(50), retryAfter: "1"}
		c := paced(t, s)
		s.asks(t, c, 50)
		assert.InDelta(t, at(0.5), s.asks(t, c, 2)[1], hair)
	})
}

// What was taken is what passed within the last window.
func TestWhatWasTakenLongAgoDoesNotCount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &moodyServer{refuse: numbers(46), retryAfter: "1"}
		c := paced(t, s)
		s.asks(t, c, 1)
		time.Sleep(61 * time.Second)
		s.asks(t, c, 45)
		assert.InDelta(t, at(44.0/60), s.asks(t, c, 2)[1], hair)

		s = &moodyServer{refuse: numbers(11), retryAfter: "1"}
		c = paced(t, s)
		s.asks(t, c, 1)
		time.Sleep(time.Minute)
		s.asks(t, c, 10)
		assert.InDelta(t, at(0.5), s.asks(t, c, 2)[1], hair, "by half at most")
	})
}

// Each window without a refusal speeds up by a fiftieth, and by a tenth after five of them, up to
// the whole speed and no further.
func TestThePaceRecoversStepByStep(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &moodyServer{refuse: numbers(1), retryAfter: "1"}
		c := paced(t, s)
		s.asks(t, c, 1)
		refused := time.Now()
		assert.InDelta(t, at(0.5), s.asks(t, c, 2)[1], hair)
		for window, speed := range []float64{0.52, 0.54, 0.56, 0.58, 0.60, 0.70, 0.80, 0.90, 1, 1, 1} {
			time.Sleep(time.Until(refused.Add(time.Duration(window+1) * time.Minute))) // to the nanosecond
			assert.InDelta(t, at(speed), s.asks(t, c, 20)[18], hair, "window %d; more than a pause makes up for", window+1)
		}
	})
}

// A server that refuses and names no time is given an eighth of the window, and twice as much
// each time it refuses again, up to the whole.
func TestARefusalWithoutATimeIsWaitedOutInSteps(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &moodyServer{refuse: numbers(1, 2, 3, 4, 5, 6)}
		c := paced(t, s)
		gaps := s.asks(t, c, 6)
		assert.Equal(t, []time.Duration{7500 * time.Millisecond, 15 * time.Second, 30 * time.Second, time.Minute, time.Minute}, gaps)
	})
}

// Of a family by the hour, a refusal halves what need not wait, and what an hour may bring.
func TestARefusalHalvesTheFirstQuarterToo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &moodyServer{refuse: numbers(1), retryAfter: "1"}
		c := paced(t, s, bento.WithPace(bento.PaceOff.With("fetch", 30, time.Hour)))
		s.asks(t, c, 40)
		assert.Equal(t, time.Second, s.at[2].Sub(s.at[0]), "three at once")
		assert.InDelta(t, 2*2*time.Minute, s.at[3].Sub(s.at[2]), float64(10*time.Second))
		for i := range 5 {
			assert.GreaterOrEqual(t, s.at[i+15].Sub(s.at[i]), time.Hour, "15 an hour, not 30")
		}
	})
}

// The window in which a limit counts is taken a hundredth longer.
func TestAnHourIsAHundredthLonger(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &moodyServer{}
		c := paced(t, s, bento.WithPace(bento.PaceOff.With("fetch", 30, time.Hour)))
		s.asks(t, c, 31)
		assert.Equal(t, 3636*time.Second, s.at[30].Sub(s.at[0]))
	})
}

// Who was turned away, and who has had its turn, stands in nobody's way.
func TestTheLineIsOnlyWhoWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &moodyServer{}
		c := paced(t, s)
		s.asks(t, c, 100)
		for range 100 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			_, err := c.ListTags(ctx)
			require.ErrorIs(t, err, bento.ErrPaced)
			cancel()
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err := c.ListTags(ctx)
		require.NoError(t, err)
	})
}

// Whose turn another took, or a refusal put off beyond its deadline, is held back and not sent.
func TestATurnThatIsPutOffIsNotTaken(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		pace     bento.Pace
		refused  bool // the first request, after ten seconds
		deadline time.Duration
		want     string
	}{
		"by another's turn": {
			bento.PaceOff.With("fetch", 4, time.Hour), false, 20 * time.Minute, "of 4 requests an hour to fetch, its turn comes in 15m28s, after the deadline",
		},
		"by a refusal": {
			bento.PaceOff.With("fetch", 1, time.Minute), true, 125 * time.Second, "of 1 requests a minute to fetch, others took their turn before it until the deadline",
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			asked := 0
			c := paced(t, roundTrip(func(req *http.Request) (*http.Response, error) {
				if asked++; asked == 1 && tc.refused {
					time.Sleep(10 * time.Second)
					return answerJSON(429, ``, "Retry-After", "120")(req)
				}
				return answerJSON(200, `{"data":[]}`)(req)
			}), bento.WithPace(tc.pace), once)
			var others sync.WaitGroup
			for range 2 {
				others.Go(func() { _, _ = c.ListTags(t.Context()) })
				synctest.Wait()
				time.Sleep(time.Second)
			}
			ctx, cancel := context.WithTimeout(t.Context(), tc.deadline)
			defer cancel()
			_, err := c.ListTags(ctx)
			require.ErrorIs(t, err, bento.ErrPaced, name)
			require.ErrorContains(t, err, tc.want, name)
			others.Wait()
			assert.Equal(t, 2, asked, name)
		})
	}
}

// A refusal of the pace names the limit in words, and the wait to the second.
func TestAPaceIsNamedInWords(t *testing.T) {
	t.Parallel()
	for want, per := range map[string]time.Duration{
		"of 1 requests a second to fetch": time.Second, "of 1 requests a minute to fetch": time.Minute, "of 1 requests a day to fetch": 24 * time.Hour,
		"of 1 requests in 48s to fetch, its turn comes in 49s,": 48 * time.Second,
	} {
		synctest.Test(t, func(t *testing.T) {
			c := paced(t, &clock{}, bento.WithPace(bento.PaceOff.With("fetch", 1, per)))
			_, err := c.ListTags(t.Context())
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			defer cancel()
			_, err = c.ListTags(ctx)
			require.ErrorContains(t, err, want)
		})
	}
}

// A request that is held back has its body closed, by a transport that somebody built alone.
func TestARequestThatIsHeldBackHasItsBodyClosed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		transport := bento.NewPaceTransport(&clock{}, bento.PaceOff.With("batch", 1, time.Hour))
		for _, closed := range []int{0, 1} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			body := &closer{Reader: http.NoBody}
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://127.0.0.1/api/v1/batch/events", body)
			require.NoError(t, err)
			resp, err := transport.RoundTrip(req)
			assert.Equal(t, closed == 0, err == nil)
			if err == nil {
				_ = resp.Body.Close()
			}
			assert.Equal(t, closed, body.closed)
			cancel()
		}
	})
}

// usedUp is a client that has no turn left for a batch within an hour, and a context of a second.
func usedUp(t *testing.T) (*bento.Client, context.Context) {
	t.Helper()
	c := paced(t, &clock{}, bento.WithPace(bento.PaceOff.With("batch", 1, time.Hour)))
	_, err := c.ImportSubscribers(t.Context(), []bento.SubscriberRecord{{Email: "ari@example.com"}})
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	t.Cleanup(cancel)
	return c, ctx
}

// A batch that is held back was not sent.
func TestABatchThatIsHeldBackWasNotSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, ctx := usedUp(t)
		result, err := c.TrackEvents(ctx, events(3))
		require.ErrorIs(t, err, bento.ErrPaced)
		assert.Equal(t, 3, result.NotSent)
	})
}

// What the contract does not know, and what has no limit, is sent at once.
func TestWhatHasNoLimitIsSentAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, tc := range []struct {
			pace bento.Pace
			path string
		}{{bento.PaceGuarded, "/elsewhere"}, {bento.PaceOff.With("batch", 1, time.Hour), "/api/v1/fetch/tags"}} {
			transport := bento.NewPaceTransport(&clock{}, tc.pace)
			start := time.Now()
			for range 5 {
				req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1"+tc.path, nil)
				require.NoError(t, err)
				resp, err := transport.RoundTrip(req)
				require.NoError(t, err)
				_ = resp.Body.Close()
			}
			assert.Zero(t, time.Since(start))
		}
		s := scripted(t, answerJSON(429, ``, "Retry-After", "30"), answerJSON(200, `{"data":[]}`))
		c := s.client(once)
		start := time.Now()
		_, err := c.ListTags(t.Context())
		require.ErrorIs(t, err, bento.ErrRateLimited)
		_, err = c.ListTags(t.Context())
		require.NoError(t, err)
		assert.Zero(t, time.Since(start), "whoever switched the pace off answers for it")
	})
}

// However many records were refused here, what ends the call is remembered.
func TestWhatIsHeldBackIsNotForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, ctx := usedUp(t)
		_, err := c.TrackEvents(ctx, append(make([]bento.Event, 1500), event("ari@example.com")))
		require.ErrorIs(t, err, bento.ErrPaced)
	})
}

// A pace of one's own is at most a month's.
func TestAPaceOfOnesOwnHasItsBounds(t *testing.T) {
	t.Parallel()
	month := 31 * 24 * time.Hour
	_, err := bento.New(testConfig(), bento.WithPace(bento.PaceOff.With("fetch", 1, month)))
	require.NoError(t, err)
	for _, pace := range []bento.Pace{bento.PaceOff.With("fetch", 1, month+1), bento.PaceOff.With("fetch", 1, -1), bento.PaceOff.With("fetch", -1, 1)} {
		_, err = bento.New(testConfig(), bento.WithPace(pace))
		require.ErrorContains(t, err, "want at least 1, in at most 744h0m0s")
	}
}
