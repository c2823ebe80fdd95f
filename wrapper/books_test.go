package bento_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	bento "example.com/bento-go/wrapper"
)

// moods are what a bad day's server answers, one of many requests each.
var moods = []answer{
	answerJSON(422, `{}`), answerJSON(503, ``), answerJSON(429, ``, "Retry-After", "3"), fail(errReset), fail(errRefused),
	answerJSON(200, `{"results":17}`), answerJSON(200, `{`), answerJSON(401, ``),
}

// Whatever the server does, whatever was asked for and whenever the time is up: every record that
// was read is counted once, and every problem says why.
func TestTheBooksAlwaysBalance(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		synctest.Test(t, func(t *testing.T) {
			var mu sync.Mutex
			rng := rand.New(rand.NewPCG(seed, 1))
			roll := func(n int) int { mu.Lock(); defer mu.Unlock(); return rng.IntN(n) }
			c := unpaced(t, counting(func([]string) answer {
				time.Sleep(time.Duration(roll(1000)) * time.Millisecond)
				if mood := roll(3 * len(moods)); mood < len(moods) {
					return moods[mood]
				}
				return nil
			}))
			most := 500
			if seed%20 == 0 {
				most = 5000 // more than a batch may have
			}
			all := numbered(1 + roll(most))
			for range roll(5) {
				all[roll(len(all))].Email = ""
			}
			opts := []bento.BatchOption{bento.WithConcurrency(1 + roll(5)), bento.WithBatchBytes(500 + roll(10*most))}
			if roll(2) == 0 {
				opts = append(opts, bento.WithBisection())
			}
			if roll(4) == 0 {
				opts = append(opts, bento.WithStrict())
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+roll(200))*time.Second)
			defer cancel()
			send := func() (*bento.Result, error) { return c.TrackEvents(ctx, all, opts...) }
			if roll(2) == 0 {
				send = func() (*bento.Result, error) { return c.TrackEventsSeq(ctx, slices.Values(all), opts...) }
			}
			r, err := send()
			what := fmt.Sprintf("seed %d: %+v", seed, *r)
			assert.Equal(t, r.Read, r.Accepted+r.Failed+r.Unknown+r.NotSent, what)
			assert.Equal(t, r.Accepted == r.Read, err == nil, what)
			explained := 0
			for _, p := range r.Problems {
				require.Error(t, p.Err, what)
				explained += p.Failed + p.Unknown + p.NotSent
			}
			assert.Equal(t, r.Read-r.Accepted, explained, what)
		})
	}
}
