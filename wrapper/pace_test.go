package bento_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	bento "example.com/bento-go/wrapper"
)

// clock answers everything with an empty list and notes when it was asked.
type clock struct {
	mu sync.Mutex
	at []time.Time
}

func (c *clock) RoundTrip(req *http.Request) (*http.Response, error) {
	c.mu.Lock()
	c.at = append(c.at, time.Now())
	c.mu.Unlock()
	return answerJSON(200, `{"data":[],"results":1,"user_count":1}`)(req)
}

func paced(t *testing.T, transport http.RoundTripper, opts ...bento.Option) *bento.Client {
	t.Helper()
	c, err := bento.New(testConfig(), append([]bento.Option{bento.WithHTTPClient(&http.Client{Transport: transport})}, opts...)...)
	require.NoError(t, err)
	return c
}

func TestTheDefaultPaceIsTheLowerOfTheContractsFigures(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		opts []bento.Option
		want time.Duration // for 61 requests
	}{
		"guarded, by default": {nil, time.Minute},
		"guarded":             {[]bento.Option{bento.WithPace(bento.PaceGuarded)}, time.Minute},
		"documented":          {[]bento.Option{bento.WithPace(bento.PaceDocumented)}, 36 * time.Second},
		"of one's own":        {[]bento.Option{bento.WithPace(bento.PaceOff.With("batch", 1, time.Hour).With("fetch", 600, time.Minute))}, 6 * time.Second},
		"off":                 {[]bento.Option{bento.WithPace(bento.PaceOff)}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := paced(t, &clock{}, tc.opts...)
				start := time.Now()
				for range 61 {
					_, err := c.ListTags(t.Context())
					require.NoError(t, err)
				}
				assert.InDelta(t, tc.want, time.Since(start), float64(tc.want)*0.04)
			})
		})
	}
}

// A client that was held up, by its user or by a store, does not lose the turns of that while, as far as
// it is a quarter of a minute. One that is new has none to make up for, since another may have used them.
func TestAPauseIsMadeUpFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &clock{}
		c := paced(t, server)
		took := func(n int) time.Duration {
			start := time.Now()
			for range n {
				_, err := c.ListTags(t.Context())
				require.NoError(t, err)
			}
			return time.Since(start).Round(time.Second)
		}
		assert.Equal(t, 10*time.Second, took(11), "a new client keeps the interval")
		time.Sleep(time.Minute)
		assert.Zero(t, took(15))
		assert.Equal(t, 10*time.Second, took(10))
		time.Sleep(9 * time.Second)
		assert.Zero(t, took(9), "no more than were missed")
		for pause := range 20 {
			time.Sleep(time.Duration(pause) * time.Second)
			took(20)
		}
		neverMore(t, server, 60, time.Minute)
	})
}

// neverMore looks whether there were more requests than the limit in any window.
func neverMore(t *testing.T, server *clock, limit int, window time.Duration) {
	t.Helper()
	require.Greater(t, len(server.at), limit)
	for i := range server.at[limit:] {
		assert.GreaterOrEqual(t, server.at[i+limit].Sub(server.at[i]), window, "never more than %d in any %v", limit, window)
	}
}

// A request that its caller holds back uses no turn.
func TestATurnThatIsHeldBackIsNotUsed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &clock{}
		c := paced(t, server)
		_, err := c.ListTags(t.Context())
		require.NoError(t, err)
		no := errors.New("not now")
		for range 10 {
			_, err := c.ListTags(t.Context(), bento.WithBeforeSend(func(context.Context) error { return no }))
			require.ErrorIs(t, err, no)
		}
		assert.InDelta(t, 1030*time.Millisecond, time.Since(server.at[0]), float64(10*time.Millisecond), "each waited for its turn, which is one")
		time.Sleep(9 * time.Second)
		for range 80 {
			_, err := c.ListTags(t.Context())
			require.NoError(t, err)
		}
		assert.Equal(t, server.at[1], server.at[9], "what was held back is made up for")
		neverMore(t, server, 60, time.Minute)
		for range 30 { // of an hour
			_, err := c.SiteStats(t.Context(), bento.WithBeforeSend(func(context.Context) error { return no }))
			require.ErrorIs(t, err, no)
		}
		asked := time.Now()
		_, err = c.SiteStats(t.Context())
		require.NoError(t, err)
		assert.Equal(t, asked, time.Now())
	})
}

// Somebody who wants a few numbers gets them at once; whoever wants them all day gets them at
// the pace that the hour allows.
func TestOfAnHourTheFirstQuarterNeedNotWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &clock{}
		c := paced(t, server)
		start := time.Now()
		for range 90 {
			_, err := c.SiteStats(t.Context())
			require.NoError(t, err)
		}
		assert.Equal(t, start, server.at[6])
		assert.Greater(t, server.at[7].Sub(start), 2*time.Minute)
		assert.InDelta(t, 3*time.Hour, time.Since(start), float64(6*time.Minute), "30 an hour")
		neverMore(t, server, 30, time.Hour)
		asked := time.Now()
		_, err := c.ListTags(t.Context())
		require.NoError(t, err)
		assert.Equal(t, asked, time.Now(), "tags have a limit of their own")
	})
}

func TestAllGoroutinesShareThePaceInTheOrderTheyCame(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &clock{}
		c := paced(t, server)
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				_, err := c.ListTags(t.Context())
				assert.NoError(t, err)
			})
		}
		wg.Wait()
		for i := range server.at[1:] {
			assert.GreaterOrEqual(t, server.at[i+1].Sub(server.at[i]), time.Second)
		}
	})
}

func TestA429PausesTheWholeFamilyWithinBounds(t *testing.T) {
	t.Parallel()
	for retryAfter, want := range map[string]time.Duration{"30": 30 * time.Second, "999999999": 2 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			s := scripted(t, answerJSON(429, ``, "Retry-After", retryAfter), answerJSON(200, `{"data":[]}`))
			c := paced(t, s, once)
			start := time.Now()
			_, err := c.ListTags(t.Context())
			require.ErrorIs(t, err, bento.ErrRateLimited)
			_, err = c.ListTags(t.Context())
			require.NoError(t, err)
			assert.Equal(t, want, time.Since(start), retryAfter)
		})
	}
}

func TestATurnThatComesTooLateIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &clock{}
		c := paced(t, server)
		for range 7 {
			_, err := c.SiteStats(t.Context())
			require.NoError(t, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		_, err := c.SiteStats(ctx)
		require.ErrorIs(t, err, bento.ErrPaced)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "of 30 requests an hour to stats, its turn comes in 2m4s, after the deadline")
		require.ErrorContains(t, err, "Nothing was sent")
		var e *bento.Error
		require.ErrorAs(t, err, &e)
		assert.Zero(t, e.Attempts)
		assert.InDelta(t, 124*time.Second, e.RetryAfter, float64(time.Second))
		assert.Len(t, server.at, 7)
		assert.Zero(t, time.Since(start))

		cancelled, stop := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, stop)
		_, err = c.SiteStats(cancelled)
		require.ErrorIs(t, err, context.Canceled)
		assert.Equal(t, time.Second, time.Since(start))
	})
}

// A deadline that is over has nothing to do with others, nor with the pace.
func TestACallThatComesTooLateDidNotWait(t *testing.T) {
	t.Parallel()
	server := &clock{}
	c := paced(t, server)
	over, cancel := context.WithTimeout(t.Context(), -time.Second)
	defer cancel()
	_, err := c.SiteStats(over)
	require.ErrorIs(t, err, bento.ErrTimeout)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NotErrorIs(t, err, bento.ErrPaced)
	assert.Empty(t, server.at)
}

// Whoever waits behind others is held back, or canceled, and never takes the blame for its input.
func TestAWaitBehindOthersEndsAsWhatItIs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := paced(t, &clock{}, bento.WithPace(bento.PaceOff.With("fetch", 1, time.Minute)))
		_, err := c.ListTags(t.Context())
		require.NoError(t, err)
		var first sync.WaitGroup
		first.Go(func() { _, _ = c.ListTags(t.Context()) })
		synctest.Wait()
		deadline, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		_, err = c.ListTags(deadline)
		require.ErrorIs(t, err, bento.ErrPaced)
		require.NotErrorIs(t, err, bento.ErrInvalid)
		require.ErrorContains(t, err, "after the deadline")

		canceled, stop := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, stop)
		_, err = c.ListTags(canceled)
		require.ErrorIs(t, err, bento.ErrCanceled)
		require.NotErrorIs(t, err, bento.ErrInvalid)
		first.Wait()
	})
}

// A cancel while a batch waits for its turn ends the call; nothing of it failed, nothing was sent.
func TestACancelInLineEndsTheBatchCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &clock{}
		c := paced(t, server, bento.WithPace(bento.PaceOff.With("batch", 1, time.Hour*24)))
		_, err := c.ImportSubscribers(t.Context(), []bento.SubscriberRecord{{Email: "ari@example.com"}})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, cancel)
		result, err := c.TrackEvents(ctx, events(5000))
		require.ErrorIs(t, err, bento.ErrCanceled)
		require.NotErrorIs(t, err, bento.ErrInvalid)
		assert.Equal(t, [3]int{5000, 5000, 0}, [3]int{result.Read, result.NotSent, result.Requests})
		assert.Len(t, server.at, 1)
	})
}

// Somebody whose turn would come too late behind others need not wait in line to learn it.
func TestALineThatIsTooLongIsNotJoined(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := paced(t, &clock{}) // 58.2 a minute
		var line sync.WaitGroup
		for range 30 {
			line.Go(func() { _, err := c.ListTags(t.Context()); assert.NoError(t, err) })
		}
		synctest.Wait()
		start := time.Now()
		for seconds, want := range map[time.Duration]error{10: bento.ErrPaced, 60: nil} {
			line.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), seconds*time.Second)
				defer cancel()
				_, err := c.ListTags(ctx)
				require.ErrorIs(t, err, want)
				if want != nil {
					assert.Equal(t, start, time.Now(), "at once")
				}
			})
		}
		line.Wait()
	})
}

func TestThereIsNoOtherPace(t *testing.T) {
	t.Parallel()
	for _, pace := range []bento.Pace{
		bento.PaceOff.With("bath", 1, time.Minute), bento.PaceOff.With("batch", 0, time.Minute), bento.PaceOff.With("batch", 1, 0),
	} {
		_, err := bento.New(testConfig(), bento.WithPace(pace))
		require.ErrorIs(t, err, bento.ErrInvalid)
	}
}
