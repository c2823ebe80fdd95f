package bento_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/gen"
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

// A client that takes over from another goes on where that one was: with the turns that it missed, or
// behind the one that it took just now.
func TestAClientGoesOnWhereAnotherWas(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		ago    time.Duration
		wait   time.Duration
		atOnce int // of those after the wait
	}{
		"an hour ago": {time.Hour, 0, 15}, "three turns ago": {3500 * time.Millisecond, 0, 3}, "a turn ago": {1100 * time.Millisecond, 0, 1},
		"half a turn ago": {515 * time.Millisecond, 515 * time.Millisecond, 1}, "just now": {0, 1030 * time.Millisecond, 1}, "a second to come": {-time.Second, 1030 * time.Millisecond, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				server := &clock{}
				fresh, used := paced(t, server), paced(t, &clock{})
				_, err := used.ListTags(t.Context())
				require.NoError(t, err)
				time.Sleep(time.Hour)
				for _, c := range []*bento.Client{fresh, used} {
					start := time.Now()
					require.NoError(t, c.CountTurns(gen.OpListTags, start.Add(-tc.ago-1030*time.Millisecond), start.Add(-tc.ago)))
					for range 20 {
						_, err := c.ListTags(t.Context())
						require.NoError(t, err)
					}
					if c == fresh {
						assert.InDelta(t, tc.wait, server.at[0].Sub(start), float64(10*time.Millisecond))
						atOnce := 1
						for atOnce < len(server.at) && server.at[atOnce].Equal(server.at[0]) {
							atOnce++
						}
						assert.Equal(t, tc.atOnce, atOnce)
					}
					assert.InDelta(t, 19*time.Second+tc.wait-time.Duration(tc.atOnce-1)*time.Second, time.Since(start), float64(time.Second))
				}
			})
		})
	}
}

// Two that send one after the other ask no more than one would, however the first left.
func TestAClientThatTakesOverAsksNoMoreThanTheLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &clock{}
		start := time.Now()
		for n := range 40 {
			c := paced(t, server)
			time.Sleep(time.Duration(n%4) * 3 * time.Second) // until it is missed
			require.NoError(t, c.CountTurns(gen.OpListTags, server.at...))
			for range 10 + n%25 {
				_, err := c.ListTags(t.Context())
				require.NoError(t, err)
			}
		}
		neverMore(t, server, 60, time.Minute)
		assert.Less(t, time.Since(start), time.Duration(len(server.at))*time.Second*105/100, "and hardly a turn is lost")
	})
}

// What the client took itself is told to it as well, a moment late and rounded, and what others took again and
// again: each turn counts once. Times that are far ahead are another clock's mistake.
func TestATurnCountsOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &clock{}
		c := paced(t, server)
		start := time.Now()
		others := []time.Time{start.Add(-20 * time.Second), start.Add(-20 * time.Second), start.Add(-12 * time.Second), start.Add(time.Hour)}
		for range 50 {
			told := slices.Clone(others)
			for _, at := range server.at {
				told = append(told, at.Add(3*time.Millisecond).Round(0)) // without a reading of the monotonic clock
			}
			require.NoError(t, c.CountTurns(gen.OpListTags, told...))
			_, err := c.ListTags(t.Context())
			require.NoError(t, err)
		}
		assert.Equal(t, start, server.at[10], "what was missed since the last of the others")
		assert.InDelta(t, 50*time.Second-12*time.Second, time.Since(start), float64(3*time.Second))
	})
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

func TestTurnsAreOfAnOperation(t *testing.T) {
	t.Parallel()
	c := paced(t, &clock{}, bento.WithPace(bento.PaceOff))
	require.NoError(t, c.CountTurns(gen.OpListTags, time.Now()))
	require.ErrorContains(t, c.CountTurns("listTag"), `no operation "listTag"`)
	require.Error(t, (&bento.Client{}).CountTurns(gen.OpListTags))
	require.Error(t, (*bento.Client)(nil).CountTurns(gen.OpListTags))
}

// Of an hour, the turns of another count as well.
func TestOfAnHourTheTurnsOfAnotherCount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := paced(t, &clock{})
		start := time.Now()
		require.NoError(t, c.CountTurns(gen.OpGetSiteStats, start.Add(-time.Minute), start.Add(-2*time.Minute), start))
		for range 4 {
			_, err := c.SiteStats(t.Context())
			require.NoError(t, err)
		}
		assert.Equal(t, start, time.Now(), "the first quarter, less what another took")
		_, err := c.SiteStats(t.Context())
		require.NoError(t, err)
		assert.Greater(t, time.Since(start), 2*time.Minute)
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

// A turn that somebody noted while it was held up, and did not use, does not take the turns before it along.
func TestATurnOfAPauseLeavesThoseBeforeItToBeMadeUpFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &clock{}
		c := paced(t, server)
		start := time.Now()
		require.NoError(t, c.CountTurns(gen.OpListTags, start.Add(-11*time.Second), start.Add(-10*time.Second), start.Add(-time.Second)))
		for range 20 {
			_, err := c.ListTags(t.Context())
			require.NoError(t, err)
		}
		assert.Equal(t, start, server.at[7])
		assert.Greater(t, server.at[9], start)
	})
}

// What is told may be in any order; of a time ahead, what is little is now, and what is much is nothing; and a
// turn that is long ago leaves a quarter of a minute to be made up for.
func TestWhatIsToldOfTurns(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		told   []time.Duration // before now
		wait   time.Duration
		atOnce int // of those after the wait
	}{
		"two, one long ago":     {[]time.Duration{time.Second, 50 * time.Second}, 0, 15},
		"the other way round":   {[]time.Duration{50 * time.Second, time.Second}, 0, 15},
		"somewhat ahead":        {[]time.Duration{-14 * time.Second}, 1030 * time.Millisecond, 1},
		"far ahead":             {[]time.Duration{-16 * time.Second}, 0, 1},
		"one of each, shuffled": {[]time.Duration{-16 * time.Second, 3 * time.Second, 8 * time.Second, 5 * time.Second}, 0, 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				server, start := &clock{}, time.Now()
				c := paced(t, server)
				var told []time.Time
				for _, ago := range tc.told {
					told = append(told, start.Add(-ago))
				}
				require.NoError(t, c.CountTurns(gen.OpListTags, told...))
				for range 20 {
					_, err := c.ListTags(t.Context())
					require.NoError(t, err)
				}
				assert.InDelta(t, tc.wait, server.at[0].Sub(start), float64(10*time.Millisecond))
				atOnce := 1
				for server.at[atOnce].Equal(server.at[0]) {
					atOnce++
				}
				assert.Equal(t, tc.atOnce, atOnce)
			})
		})
	}
}

// A pause that Bento asked for is kept, whatever others did, and so is the slower pace after it.
func TestTurnsOfOthersOpenNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := scripted(t, answerJSON(429, ``, "Retry-After", "30"), answerJSON(200, `{"data":[]}`))
		c := paced(t, s, once)
		start := time.Now()
		_, err := c.ListTags(t.Context())
		require.ErrorIs(t, err, bento.ErrRateLimited)
		require.NoError(t, c.CountTurns(gen.OpListTags, start.Add(-20*time.Second), start.Add(-30*time.Second)))
		_, err = c.ListTags(t.Context())
		require.NoError(t, err)
		assert.Equal(t, 30*time.Second, time.Since(start))
	})
}
