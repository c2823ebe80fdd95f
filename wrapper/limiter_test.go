package bento_test

import (
	"math"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A limiter says, for each request, whether it is admitted, and if not, when to come back. The
// five shapes are those that servers have.
type limiter interface {
	admit(now time.Time) (ok bool, wait time.Duration)
}

func limiters(limit int) map[string]limiter {
	const window = time.Minute
	rate := float64(limit) / window.Seconds()
	return map[string]limiter{
		"fixed window":    &fixedWindow{limit: limit, window: window},
		"sliding log":     &slidingLog{limit: limit, window: window},
		"sliding counter": &slidingCounter{limit: limit, window: window},
		"token bucket":    &tokenBucket{rate: rate, size: float64(limit), tokens: float64(limit)},
		"leaky bucket":    &tokenBucket{rate: rate, size: 1, tokens: 1},
	}
}

type fixedWindow struct {
	limit  int
	window time.Duration
	start  time.Time
	count  int
}

func (l *fixedWindow) admit(now time.Time) (bool, time.Duration) {
	if start := now.Truncate(l.window); start != l.start {
		l.start, l.count = start, 0
	}
	if l.count >= l.limit {
		return false, l.start.Add(l.window).Sub(now)
	}
	l.count++
	return true, 0
}

type slidingLog struct {
	limit  int
	window time.Duration
	log    []time.Time
}

func (l *slidingLog) admit(now time.Time) (bool, time.Duration) {
	for len(l.log) > 0 && now.Sub(l.log[0]) >= l.window {
		l.log = l.log[1:]
	}
	if len(l.log) >= l.limit {
		return false, l.log[0].Add(l.window).Sub(now)
	}
	l.log = append(l.log, now)
	return true, 0
}

// slidingCounter weighs the window before by how much of it is still within sight.
type slidingCounter struct {
	limit             int
	window            time.Duration
	start             time.Time
	previous, current int
}

func (l *slidingCounter) admit(now time.Time) (bool, time.Duration) {
	if start := now.Truncate(l.window); start != l.start {
		l.previous, l.current = l.current, 0
		if start.Sub(l.start) > l.window {
			l.previous = 0
		}
		l.start = start
	}
	seen := float64(now.Sub(l.start)) / float64(l.window)
	if float64(l.previous)*(1-seen)+float64(l.current)+1 > float64(l.limit) {
		free := 1.0 // the part of this window after which one more fits
		if room := float64(l.limit - l.current - 1); l.previous > 0 && room >= 0 {
			free = 1 - room/float64(l.previous)
		}
		return false, time.Duration((free - seen) * float64(l.window))
	}
	l.current++
	return true, 0
}

// tokenBucket is the leaky bucket too, if it holds one token.
type tokenBucket struct {
	rate, size, tokens float64
	last               time.Time
}

func (l *tokenBucket) admit(now time.Time) (bool, time.Duration) {
	if !l.last.IsZero() {
		l.tokens = math.Min(l.size, l.tokens+now.Sub(l.last).Seconds()*l.rate)
	}
	l.last = now
	if l.tokens < 1 {
		return false, time.Duration((1 - l.tokens) / l.rate * float64(time.Second))
	}
	l.tokens--
	return true, 0
}

// limited is a server behind a limiter.
type limitedServer struct {
	limiter    limiter
	retryAfter bool
	mu         sync.Mutex
	refused    int
}

func (s *limitedServer) RoundTrip(req *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ok, wait := s.limiter.admit(time.Now())
	if ok {
		return answerJSON(200, `{"data":[]}`)(req)
	}
	s.refused++
	if !s.retryAfter {
		return answerJSON(429, ``)(req)
	}
	return answerJSON(429, ``, "Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))(req)
}

// finish sends n requests by some goroutines and returns how long they took, and how many of
// them failed.
func finish(t *testing.T, s *limitedServer, n, goroutines int) (took time.Duration, failed int) {
	t.Helper()
	c := paced(t, s)
	start := time.Now()
	var wg sync.WaitGroup
	var mu sync.Mutex
	for range goroutines {
		wg.Go(func() {
			for range n / goroutines {
				if _, err := c.ListTags(t.Context()); err != nil {
					mu.Lock()
					failed++
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	return time.Since(start), failed
}

// Whatever shape the server's limiter has, nothing is refused and little time is lost.
func TestNoLimiterRefusesThePace(t *testing.T) {
	t.Parallel()
	const n, limit = 500, 60
	for shape := range limiters(limit) {
		for _, goroutines := range []int{1, 8} {
			for _, phase := range []time.Duration{0, 17 * time.Second, 59 * time.Second} {
				synctest.Test(t, func(t *testing.T) {
					time.Sleep(phase)
					s := &limitedServer{limiter: limiters(limit)[shape]}
					took, failed := finish(t, s, n, goroutines)
					assert.Zero(t, s.refused, shape)
					assert.Zero(t, failed, shape)
					assert.LessOrEqual(t, took.Seconds(), 1.03*n/limit*60, "%s, %d goroutines", shape, goroutines)
				})
			}
		}
	}
}

// A server that admits half of what the contract says is found out soon, at the price of few
// refusals and little time; no call fails for it.
func TestALimitThatIsLowerThanSaidIsFoundOut(t *testing.T) {
	t.Parallel()
	const n, limit = 1000, 30
	for shape := range limiters(limit) {
		for _, goroutines := range []int{1, 8} {
			for _, retryAfter := range []bool{true, false} {
				synctest.Test(t, func(t *testing.T) {
					s := &limitedServer{limiter: limiters(limit)[shape], retryAfter: retryAfter}
					took, failed := finish(t, s, n, goroutines)
					t.Logf("%-15s %d goroutines, Retry-After %-5v: %.3f of the ideal time, %d refused", shape, goroutines, retryAfter, took.Minutes()/(n/limit), s.refused)
					assert.Zero(t, failed, shape)
					assert.LessOrEqual(t, s.refused, n*3/100, shape)
					assert.LessOrEqual(t, took.Minutes(), 1.2*n/limit, shape)
				})
			}
		}
	}
}

// After a refusal the pace recovers, in steps, to what it was.
func TestThePaceRecovers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		refuse := true
		c := paced(t, roundTrip(func(req *http.Request) (*http.Response, error) {
			if refuse {
				refuse = false
				return answerJSON(429, ``, "Retry-After", "1")(req)
			}
			return answerJSON(200, `{"data":[]}`)(req)
		}))
		interval := func() time.Duration {
			var start time.Time
			for range 20 { // more than a pause makes up for
				start = time.Now()
				_, err := c.ListTags(t.Context())
				require.NoError(t, err)
			}
			return time.Since(start)
		}
		intervals := []time.Duration{interval()}
		for range 10 {
			time.Sleep(time.Minute)
			intervals = append(intervals, interval())
		}
		assert.InDelta(t, 2*time.Second, intervals[0], float64(100*time.Millisecond), "half the pace")
		for i := range intervals[1:] {
			assert.LessOrEqual(t, intervals[i+1], intervals[i])
		}
		assert.InDelta(t, 1030*time.Millisecond, intervals[10], float64(10*time.Millisecond))
	})
}
