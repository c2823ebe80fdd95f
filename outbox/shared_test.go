package outbox_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/outbox"
	bento "example.com/bento-go/wrapper"
)

// Two senders share a store: each lane is one's at a time, and the other takes over.
func TestTwoSendersShareAStore(t *testing.T) {
	t.Parallel()
	simulated(t, "", func(t *testing.T, b *bench) {
		first, killFirst := b.run()
		second, killSecond := b.run()
		for n := range 50 {
			_, err := []*outbox.Sender{first, second}[n%2].Enqueue(t.Context(), outbox.Email(letter(n)))
			require.NoError(t, err)
			if n == 25 {
				killFirst()
			}
		}
		require.NoError(t, b.flush(second, time.Hour))
		killSecond()
		states := b.states(outbox.Emails)
		assert.Equal(t, 50, b.total(outbox.Emails, outbox.Accepted)+states[outbox.Parked])
		assert.Zero(t, b.server.Counts().Emails.Repeated)
	})
}

// Lanes that share a limit are one sender's: two would use it twice.
func TestLanesThatShareALimitStayTogether(t *testing.T) {
	t.Parallel()
	simulated(t, "", func(t *testing.T, b *bench) {
		other, err := b.store.Acquire(t.Context(), outbox.Events, "another", time.Now(), time.Minute)
		require.NoError(t, err)
		s, kill := b.run()
		_, err = s.Enqueue(t.Context(), outbox.Email(letter(1)), outbox.Command(bento.AddTag("ari@example.com", "vip")))
		require.NoError(t, err)
		time.Sleep(30 * time.Second)
		assert.Equal(t, 1, b.total(outbox.Commands, outbox.Accepted), "they have a limit of their own")
		assert.Zero(t, b.total(outbox.Emails, outbox.Accepted))
		require.NoError(t, b.store.Release(t.Context(), other))
		time.Sleep(10 * time.Second)
		assert.Equal(t, 1, b.total(outbox.Emails, outbox.Accepted))
		kill()
	})
}

// A sender that takes over from one that was killed makes up for the turns that nobody used until its
// lease was over; one that takes over from a sender that gave up its lanes keeps the interval.
func TestTheTurnsOfOneThatWasKilledAreNotLost(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		killed bool
		atOnce int           // how many requests come at once, then
		wait   time.Duration // before the first of them, at least
	}{"killed": {true, 9, 9 * time.Second}, "gave up": {false, 1, time.Second}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			simulated(t, "", func(t *testing.T, b *bench) {
				letters := make([]outbox.Item, 50)
				for n := range letters {
					letters[n] = outbox.Email(letter(n))
				}
				_, err := outbox.New(nil, b.store).Enqueue(t.Context(), letters...)
				require.NoError(t, err)
				b.client = b.clientAt(bento.PaceOff.With("batch", 60, time.Minute))
				shared, cut := b.store, &cutStore{Store: b.store}
				b.store = cut
				first, killFirst := b.run()
				time.Sleep(5100 * time.Millisecond)
				sent := b.server.Counts().Requests
				if tc.killed {
					cut.off.Store(true)
				} else {
					first.Stop(t.Context())
				}
				ended := b.server.Exchanges()[sent-1].At
				b.store, b.client = shared, b.clientAt(bento.PaceOff.With("batch", 60, time.Minute))
				_, killSecond := b.run()
				for b.server.Counts().Requests == sent {
					time.Sleep(10 * time.Millisecond)
				}
				assert.GreaterOrEqual(t, time.Since(ended), tc.wait)
				time.Sleep(500 * time.Millisecond)
				assert.InDelta(t, tc.atOnce, b.server.Counts().Requests-sent, float64(tc.atOnce/4))
				killFirst()
				killSecond()
			})
		})
	}
}

// However often lanes change hands, and by whatever, their senders together keep to the limit.
func TestALimitIsKeptByOneAfterTheOther(t *testing.T) {
	t.Parallel()
	const limit = 60
	another := func(b *bench) (s *outbox.Sender, kill func()) { // on another machine
		b.client = b.clientAt(bento.PaceOff.With("batch", limit, time.Minute))
		return b.run()
	}
	for name, change := range map[string]func(t *testing.T, b *bench){
		"senders that end, one after the other": func(_ *testing.T, b *bench) {
			for range 8 {
				s, kill := another(b)
				time.Sleep(5 * time.Second)
				s.Stop(b.t.Context())
				kill()
			}
		},
		"senders that are killed": func(_ *testing.T, b *bench) {
			shared := b.store
			for range 4 {
				cut := &cutStore{Store: shared}
				b.store = cut
				_, kill := another(b)
				time.Sleep(25 * time.Second)
				cut.off.Store(true)
				defer kill()
			}
			b.store = shared
		},
		"one that comes back": func(_ *testing.T, b *bench) {
			shared := b.store
			cut := &cutStore{Store: shared}
			b.store = cut
			_, kill := another(b)
			defer kill()
			time.Sleep(20 * time.Second)
			b.store = shared
			second, killSecond := another(b)
			cut.off.Store(true)
			time.Sleep(12 * time.Second)
			cut.off.Store(false)
			time.Sleep(time.Minute)
			second.Stop(b.t.Context())
			killSecond()
			time.Sleep(90 * time.Second)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			simulated(t, "", func(t *testing.T, b *bench) {
				letters := make([]outbox.Item, 500)
				for n := range letters {
					letters[n] = outbox.Email(letter(n))
				}
				_, err := outbox.New(nil, b.store).Enqueue(t.Context(), letters...)
				require.NoError(t, err)
				change(t, b)
				_, kill := another(b)
				time.Sleep(70 * time.Second)
				kill()
				all, most := b.server.Exchanges(), 0
				for first, last := 0, 0; last < len(all); last++ {
					for all[last].At.Sub(all[first].At) >= time.Minute {
						first++
					}
					most = max(most, last-first+1)
				}
				assert.Greater(t, most, limit/2)
				assert.LessOrEqual(t, most, limit)
			})
		})
	}
}
