package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/outbox"
	bento "example.com/bento-go/wrapper"
)

// limit is how many requests a minute the senders of these tests may make together.
const limit = 60

// another runs a sender on another machine: its client is its own.
func (b *bench) another() (s *outbox.Sender, kill func()) {
	b.client = b.clientAt(bento.PaceOff.With("batch", limit, time.Minute))
	return b.run()
}

// letters enqueues emails.
func (b *bench) letters(n int) {
	all := make([]outbox.Item, n)
	for i := range all {
		all[i] = outbox.Email(letter(i))
	}
	_, err := outbox.New(nil, b.store).Enqueue(b.t.Context(), all...)
	require.NoError(b.t, err)
}

// halves enqueues people of whom every eighth is refused, and takes the batch along: some 60 requests.
func (b *bench) halves() {
	b.poison(http.StatusUnprocessableEntity)
	var all []outbox.Item
	for n := range 200 {
		name := "Ari"
		if n%8 == 0 {
			name = "poison"
		}
		all = append(all, outbox.Subscriber(bento.SubscriberRecord{Email: fmt.Sprintf("person%d@example.com", n), FirstName: &name}))
	}
	_, err := outbox.New(nil, b.store).Enqueue(b.t.Context(), all...)
	require.NoError(b.t, err)
}

// What a sender is at when it ends it finishes, by the limit of a lane that has nothing to do.
func TestASenderThatEndsFinishesWhatItIsAt(t *testing.T) {
	t.Parallel()
	simulated(t, "", func(t *testing.T, b *bench) {
		b.halves()
		s, kill := b.another()
		time.Sleep(2 * time.Second)
		s.Stop(t.Context())
		kill()
		asked, most := b.asked()
		assert.Greater(t, asked, 40)
		assert.LessOrEqual(t, most, limit)
		assert.Greater(t, b.total(outbox.Subscribers, outbox.Accepted), 30)
		assert.Zero(t, b.states(outbox.Subscribers)[outbox.Sending])
	})
}

// A sender that takes over from one that was killed makes up for the turns that nobody used until its
// lease was over; one that takes over from a sender that gave up its lanes keeps the interval, though it
// have that one's client.
func TestTheTurnsOfOneThatWasKilledAreNotLost(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		killed, sameClient bool
		atOnce             int           // how many requests come at once, then
		wait               time.Duration // before the first of them
	}{
		"killed":                       {true, false, 10, 10500 * time.Millisecond},
		"gave up":                      {false, false, 1, time.Second},
		"gave up, in the same process": {false, true, 1, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			simulated(t, "", func(t *testing.T, b *bench) {
				b.letters(100)
				shared, cut := b.store, &cutStore{Store: b.store}
				b.store = cut
				first, killFirst := b.another()
				time.Sleep(50100 * time.Millisecond)
				before, _ := b.asked()
				if tc.killed {
					cut.off.Store(true)
				} else {
					first.Stop(t.Context())
				}
				ended := b.sent[before-1]
				b.store = shared
				second := b.another
				if tc.sameClient {
					second = b.run
				}
				_, killSecond := second()
				for asked := before; asked == before; asked, _ = b.asked() {
					time.Sleep(10 * time.Millisecond)
				}
				assert.InDelta(t, tc.wait, time.Since(ended), float64(time.Second))
				time.Sleep(500 * time.Millisecond)
				asked, _ := b.asked()
				assert.InDelta(t, tc.atOnce, asked-before, float64(tc.atOnce/4))
				killFirst()
				killSecond()
			})
		})
	}
}

// However often lanes change hands, and by whatever, their senders together keep to the limit, and waste
// little of it.
func TestALimitIsKeptByOneAfterTheOther(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(b *bench){
		"senders that end, one after the other": func(b *bench) {
			for range 8 {
				s, kill := b.another()
				time.Sleep(5 * time.Second)
				s.Stop(b.t.Context())
				kill()
			}
		},
		"senders that end, while the next waits": func(b *bench) {
			s, kill := b.another()
			for range 30 {
				next, killNext := b.another()
				time.Sleep(3 * time.Second)
				s.Stop(b.t.Context())
				kill()
				s, kill = next, killNext
			}
			s.Stop(b.t.Context())
			kill()
		},
		"senders that are killed": func(b *bench) {
			shared := b.store
			for range 4 {
				cut := &cutStore{Store: shared}
				b.store = cut
				_, kill := b.another()
				time.Sleep(25 * time.Second)
				cut.off.Store(true)
				defer kill()
			}
			b.store = shared
		},
		"one that comes back": func(b *bench) {
			shared := b.store
			cut := &cutStore{Store: shared}
			b.store = cut
			_, kill := b.another()
			defer kill()
			time.Sleep(20 * time.Second)
			b.store = shared
			second, killSecond := b.another()
			cut.off.Store(true)
			time.Sleep(12 * time.Second)
			cut.off.Store(false)
			time.Sleep(time.Minute)
			second.Stop(b.t.Context())
			killSecond()
			time.Sleep(90 * time.Second)
		},
		"one that is suspended, and wakes with a batch": func(b *bench) {
			shared := b.store
			frozen := &frozenStore{Store: shared}
			b.store = frozen
			_, kill := b.another()
			defer kill()
			time.Sleep(22 * time.Second)
			frozen.off.Store(true)
			b.store = shared
			second, killSecond := b.another()
			time.Sleep(25 * time.Second)
			frozen.off.Store(false)
			time.Sleep(2 * time.Second)
			second.Stop(b.t.Context())
			killSecond()
			time.Sleep(90 * time.Second)
		},
		"one that sends batches by halves, and ends": func(b *bench) {
			b.halves()
			defer b.poison(0)
			s, kill := b.another()
			time.Sleep(2 * time.Second)
			_, killNext := b.another()
			s.Stop(b.t.Context())
			kill()
			time.Sleep(time.Minute)
			killNext()
		},
		"one that sends by halves, and loses the lane that leads": func(b *bench) {
			b.halves()
			defer b.poison(0)
			shared := b.store
			deaf := &deafStore{Store: shared}
			b.store = deaf
			_, kill := b.another()
			defer kill()
			time.Sleep(2 * time.Second)
			deaf.off.Store(true)
			b.store = shared
			_, killNext := b.another()
			time.Sleep(80 * time.Second)
			killNext()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			simulated(t, "", func(t *testing.T, b *bench) {
				b.letters(500)
				began := time.Now()
				change(b)
				_, kill := b.another()
				time.Sleep(70 * time.Second)
				kill()
				all, most := b.asked()
				assert.LessOrEqual(t, most, limit)
				assert.Greater(t, all, int(time.Since(began).Minutes()*limit*2/3))
			})
		})
	}
}

// What a store does not know keeps nobody from sending, and one that cannot be asked keeps the lane from
// nobody.
func TestASenderThatCannotLearnWhatIsUsed(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]struct {
		err  error
		want int // of requests in the first minute
	}{
		"the store is damaged": {outbox.ErrDamaged, limit - 5},
		"it does not answer":   {errors.New("no answer"), 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			simulated(t, "", func(t *testing.T, b *bench) {
				b.letters(200)
				shared := b.store
				lease, err := shared.Acquire(t.Context(), outbox.Events, "somebody", time.Now(), time.Minute)
				require.NoError(t, err)
				require.NoError(t, shared.Release(t.Context(), lease))
				b.store = ignorantStore{shared, of.err}
				_, kill := b.another()
				time.Sleep(time.Minute)
				all, most := b.asked()
				assert.LessOrEqual(t, most, limit)
				assert.GreaterOrEqual(t, all, of.want)
				if of.want == 0 {
					assert.Zero(t, all)
					b.store = shared
					_, killHealthy := b.another()
					time.Sleep(time.Minute)
					all, _ := b.asked()
					assert.Greater(t, all, limit/2, "another has the lane")
					killHealthy()
				}
				kill()
			})
		})
	}
}

// An ignorantStore does not say when entries of people were begun.
type ignorantStore struct {
	outbox.Store
	err error
}

func (s ignorantStore) Begun(ctx context.Context, lanes ...outbox.Lane) ([]time.Time, error) {
	if slices.Contains(lanes, outbox.Subscribers) {
		return nil, s.err
	}
	return s.Store.Begun(ctx, lanes...)
}

// A frozenStore is that of a process that stands still while it is off, whatever it was about to do.
type frozenStore struct {
	outbox.Store
	off atomic.Bool
}

func (s *frozenStore) thaw() {
	for s.off.Load() {
		time.Sleep(5 * time.Millisecond)
	}
}

func (s *frozenStore) Acquire(ctx context.Context, lane outbox.Lane, owner string, now time.Time, ttl time.Duration) (outbox.Lease, error) {
	s.thaw()
	return s.Store.Acquire(ctx, lane, owner, time.Now(), ttl)
}

func (s *frozenStore) Next(ctx context.Context, lease outbox.Lease, most int, now time.Time) ([]outbox.Entry, time.Time, error) {
	defer s.thaw()
	return s.Store.Next(ctx, lease, most, now)
}

// A deafStore extends no lease of the lane that leads while it is off.
type deafStore struct {
	outbox.Store
	off atomic.Bool
}

func (s *deafStore) Acquire(ctx context.Context, lane outbox.Lane, owner string, now time.Time, ttl time.Duration) (outbox.Lease, error) {
	if lane == outbox.Events && s.off.Load() {
		return outbox.Lease{}, errors.New("no answer")
	}
	return s.Store.Acquire(ctx, lane, owner, now, ttl)
}
