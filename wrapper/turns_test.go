package bento_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/gen"
	bento "example.com/bento-go/wrapper"
)

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

func TestTurnsAreOfAnOperation(t *testing.T) {
	t.Parallel()
	c := paced(t, &clock{}, bento.WithPace(bento.PaceOff))
	require.NoError(t, c.CountTurns(gen.OpListTags, time.Now()))
	require.ErrorContains(t, c.CountTurns("listTag"), `no operation "listTag": want one of`)
	require.ErrorContains(t, (&bento.Client{}).CountTurns(gen.OpListTags), "make the one with New")
	require.ErrorContains(t, (*bento.Client)(nil).CountTurns(gen.OpListTags), "make the one with New")
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

func TestALimitOfOneIsALimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := paced(t, &clock{}, bento.WithPace(bento.PaceOff.With("fetch", 1, time.Minute)))
		require.NoError(t, c.CountTurns(gen.OpListTags, time.Now()))
		began := time.Now()
		_, err := c.ListTags(t.Context())
		require.NoError(t, err)
		assert.Greater(t, time.Since(began), time.Minute)
	})
}
