package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/memstore"
	bento "example.com/bento-go/wrapper"
)

// However many records of a batch Bento refuses: each of them is found, and no other is failed.
func TestManyPoisonRecordsAreFound(t *testing.T) {
	t.Parallel()
	for _, poison := range []int{5, 20, 100} {
		simulated(t, "", func(t *testing.T, b *bench) {
			s, kill := b.run()
			b.poison(http.StatusUnprocessableEntity)
			items := make([]outbox.Item, 1000)
			for n := range items {
				event := signedUp(n)
				if n%(len(items)/poison) == 7 {
					event.Type = "poison"
				}
				items[n] = outbox.Event(event)
			}
			_, err := s.Enqueue(t.Context(), items...)
			require.NoError(t, err)
			require.NoError(t, b.flush(s, time.Hour))
			kill()
			assert.Equal(t, poison, b.total(outbox.Events, outbox.Failed))
			assert.Equal(t, len(items)-poison, b.total(outbox.Events, outbox.Accepted))
			assert.Equal(t, len(items)-poison, b.server.Counts().Events.Accepted, "each once")
		})
	}
}

// While Bento fails, emails are not thrown into doubt one after the other: one now and then finds out
// whether it is well again.
func TestAnOutageParksFewEmails(t *testing.T) {
	t.Parallel()
	simulated(t, "*=503", func(t *testing.T, b *bench) {
		s, kill := b.run()
		for n := range 200 {
			_, err := s.Enqueue(t.Context(), outbox.Email(letter(n)))
			require.NoError(t, err)
		}
		require.Error(t, b.flush(s, time.Hour))
		assert.LessOrEqual(t, b.states(outbox.Emails)[outbox.Parked], 40)
		b.server.Disarm()
		require.NoError(t, b.flush(s, time.Hour))
		kill()
		assert.Equal(t, 200, b.total(outbox.Emails, outbox.Accepted)+b.total(outbox.Emails, outbox.Parked))
	})
}

// A disk that is full for longer than a lease makes nothing doubtful either.
func TestAFullDiskThatOutlastsTheLease(t *testing.T) {
	t.Parallel()
	simulated(t, "", func(t *testing.T, b *bench) {
		jammed := &jammedStore{Store: b.store}
		b.store = jammed
		s, kill := b.run()
		_, err := s.Enqueue(t.Context(), outbox.Event(signedUp(1)), outbox.Email(letter(1)))
		require.NoError(t, err)
		require.Error(t, b.flush(s, 9*time.Minute))
		jammed.freed.Store(true)
		require.NoError(t, b.flush(s, 2*time.Minute))
		kill()
		assert.Equal(t, 1, b.total(outbox.Emails, outbox.Accepted))
		assert.Equal(t, 1, b.server.Counts().Events.Accepted)
		assert.Zero(t, b.server.Counts().Events.Repeated)
	})
}

// A jammedStore has no room for anything once something is being sent, leases included.
type jammedStore struct {
	outbox.Store
	begun, freed atomic.Bool
}

func (j *jammedStore) jammed() bool { return j.begun.Load() && !j.freed.Load() }

func (j *jammedStore) Begin(ctx context.Context, lease outbox.Lease, ids []int64, now time.Time) error {
	err := j.Store.Begin(ctx, lease, ids, now)
	time.AfterFunc(0, func() { j.begun.Store(true) })
	return err
}

func (j *jammedStore) Acquire(ctx context.Context, lane outbox.Lane, owner string, now time.Time, ttl time.Duration) (outbox.Lease, error) {
	if j.jammed() {
		return outbox.Lease{}, outbox.ErrFull
	}
	return j.Store.Acquire(ctx, lane, owner, now, ttl)
}

func (j *jammedStore) Settle(ctx context.Context, lease outbox.Lease, all []outbox.Verdict, now time.Time) error {
	if !j.freed.Load() {
		return outbox.ErrFull
	}
	return j.Store.Settle(ctx, lease, all, now)
}

// A request that takes longer than the lease keeps it by a beat: nobody else sends meanwhile.
func TestALongRequestKeepsItsLane(t *testing.T) {
	t.Parallel()
	simulated(t, "trackEvents#1=delay:25s", func(t *testing.T, b *bench) {
		first, killFirst := b.run()
		_, err := first.Enqueue(t.Context(), outbox.Event(signedUp(1)))
		require.NoError(t, err)
		time.Sleep(time.Second)
		second, killSecond := b.run()
		require.NoError(t, b.flush(second, 2*time.Minute))
		killFirst()
		killSecond()
		assert.Equal(t, 1, b.total(outbox.Events, outbox.Accepted))
		assert.Equal(t, 1, b.server.Counts().Requests, "the other did not send it, too")
	})
}

// Whoever loses its lane while it sends breaks off, and settles nothing.
func TestALostLaneEndsTheRequest(t *testing.T) {
	t.Parallel()
	simulated(t, "trackEvents#1=delay:29s", func(t *testing.T, b *bench) {
		stolen := &stolenStore{Store: b.store}
		b.store = stolen
		s, kill := b.run()
		_, err := s.Enqueue(t.Context(), outbox.Event(signedUp(1)))
		require.NoError(t, err)
		time.Sleep(time.Second)
		began := time.Now()
		stolen.steal.Store(true)
		for b.states(outbox.Events)[outbox.Sending] == 1 && time.Since(began) < time.Minute {
			time.Sleep(time.Second)
			stolen.steal.Store(time.Since(began) < 15*time.Second)
		}
		assert.Less(t, time.Since(began), 25*time.Second, "it was broken off, and sent again by whoever has the lane")
		kill()
	})
}

// A stolenStore says that another sender has the lane.
type stolenStore struct {
	outbox.Store
	steal atomic.Bool
}

func (s *stolenStore) Acquire(ctx context.Context, lane outbox.Lane, owner string, now time.Time, ttl time.Duration) (outbox.Lease, error) {
	if s.steal.Load() {
		return outbox.Lease{}, outbox.ErrLeased
	}
	return s.Store.Acquire(ctx, lane, owner, now, ttl)
}

// Nothing is sent of which the intent is not noted.
func TestNoIntentNoRequest(t *testing.T) {
	t.Parallel()
	simulated(t, "", func(t *testing.T, b *bench) {
		lost := &lostStore{Store: b.store}
		b.store = lost
		s, kill := b.run()
		_, err := s.Enqueue(t.Context(), outbox.Email(letter(1)))
		require.NoError(t, err)
		require.Error(t, b.flush(s, time.Minute))
		assert.Zero(t, b.server.Counts().Requests)
		lost.found.Store(true)
		require.NoError(t, b.flush(s, time.Minute))
		kill()
		assert.Equal(t, 1, b.server.Counts().Emails.Accepted)
	})
}

type lostStore struct {
	outbox.Store
	found atomic.Bool
}

func (l *lostStore) Begin(ctx context.Context, lease outbox.Lease, ids []int64, now time.Time) error {
	if !l.found.Load() {
		return outbox.ErrLost
	}
	return l.Store.Begin(ctx, lease, ids, now)
}

// A program that runs for minutes at a time forgets what is old, too.
func TestWhatIsOldIsForgottenAtEachStart(t *testing.T) {
	t.Parallel()
	simulated(t, "", func(t *testing.T, b *bench) {
		for n := range 2500 {
			s := outbox.New(nil, b.store)
			_, err := s.Enqueue(t.Context(), outbox.Event(signedUp(n), outbox.Key(strconv.Itoa(n))))
			require.NoError(t, err)
		}
		s, kill := b.run()
		require.NoError(t, b.flush(s, time.Minute))
		kill()
		assert.Equal(t, 2500, b.states(outbox.Events)[outbox.Accepted], "their keys are known")
		time.Sleep(8 * 24 * time.Hour)
		_, kill = b.run()
		time.Sleep(time.Minute)
		kill()
		assert.Zero(t, b.states(outbox.Events)[outbox.Accepted])
	})
}

// Close ends soon after its time, whatever Bento does, and says what is left then.
func TestCloseIsBounded(t *testing.T) {
	t.Parallel()
	simulated(t, "trackEvents=delay:29s", func(t *testing.T, b *bench) {
		s, _ := b.run()
		_, err := s.Enqueue(t.Context(), outbox.Event(signedUp(1)))
		require.NoError(t, err)
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		began := time.Now()
		err = s.Close(ctx)
		var left *outbox.RemainingError
		require.ErrorAs(t, err, &left)
		assert.Equal(t, 1, left.Waiting)
		assert.LessOrEqual(t, time.Since(began), 20*time.Second)
	})
	simulated(t, "trackEvents=delay:12s", func(t *testing.T, b *bench) {
		s, _ := b.run()
		_, err := s.Enqueue(t.Context(), outbox.Event(signedUp(1)))
		require.NoError(t, err)
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		require.NoError(t, s.Close(ctx), "what was in flight finished in the time that is left for it")
	})
}

// Close before, beside and after Run: nothing is begun, and nothing is left behind.
func TestCloseAndRunInAnyOrder(t *testing.T) {
	t.Parallel()
	simulated(t, "", func(t *testing.T, b *bench) {
		for range 100 {
			s := outbox.New(b.client, b.store)
			ended := make(chan error)
			go func() { ended <- s.Run(t.Context()) }()
			require.NoError(t, s.Close(t.Context()))
			require.NoError(t, <-ended)
		}
	})
}

// A store that cannot be asked now and then does not end a Flush.
func TestFlushGoesOn(t *testing.T) {
	t.Parallel()
	simulated(t, "trackEvents#1=delay:20s", func(t *testing.T, b *bench) {
		b.store = &blindStore{Store: b.store}
		s, kill := b.run()
		_, err := s.Enqueue(t.Context(), outbox.Event(signedUp(1)))
		require.NoError(t, err)
		require.NoError(t, b.flush(s, time.Hour))
		kill()
		assert.Equal(t, 1, b.server.Counts().Events.Accepted)
	})
	require.ErrorIs(t, outbox.New(nil, closed()).Flush(t.Context()), outbox.ErrClosed)
}

func closed() outbox.Store {
	s := memstore.New(1)
	_ = s.Close()
	return s
}

type blindStore struct {
	outbox.Store
	looks atomic.Int64
}

func (b *blindStore) Idle(ctx context.Context) (bool, error) {
	if b.looks.Add(1)%3 != 0 {
		return false, errors.New("disk I/O error")
	}
	return b.Store.Idle(ctx)
}

// Where Bento takes a batch but for some of it, those whose repeat is harmless are found.
func TestWhatIsRefusedAmongOthersIsFound(t *testing.T) {
	t.Parallel()
	simulated(t, "", func(t *testing.T, b *bench) {
		s, kill := b.run()
		b.poison(http.StatusOK)
		first := "poison"
		var items []outbox.Item
		for n := range 50 {
			items = append(items, outbox.Subscriber(bento.SubscriberRecord{Email: fmt.Sprintf("person%d@example.com", n)}))
		}
		items[20] = outbox.Subscriber(bento.SubscriberRecord{Email: "ari@example.com", FirstName: &first})
		receipts, err := s.Enqueue(t.Context(), items...)
		require.NoError(t, err)
		require.NoError(t, b.flush(s, time.Hour))
		kill()
		failed, err := b.store.Query(t.Context(), outbox.Filter{State: outbox.Failed}, 2)
		require.NoError(t, err)
		require.Len(t, failed, 1)
		assert.Equal(t, receipts[20].ID, failed[0].ID)
		assert.Equal(t, 49, b.total(outbox.Subscribers, outbox.Accepted))
	})
}

// Senders whose store takes longer to settle what was left in flight than a lease lasts do not take the
// lane from one another for ever.
func TestASlowStoreIsRecovered(t *testing.T) {
	t.Parallel()
	simulated(t, "", func(t *testing.T, b *bench) {
		s := outbox.New(nil, b.store)
		items := make([]outbox.Item, 1000)
		for n := range items {
			items[n] = outbox.Event(signedUp(n))
		}
		receipts, err := s.Enqueue(t.Context(), items...)
		require.NoError(t, err)
		lease, err := b.store.Acquire(t.Context(), outbox.Events, "who died", time.Now(), time.Second)
		require.NoError(t, err)
		ids := make([]int64, len(receipts))
		for i, r := range receipts {
			ids[i] = r.ID
		}
		require.NoError(t, b.store.Begin(t.Context(), lease, ids, time.Now()))
		b.store = &slowStore{Store: b.store}
		first, killFirst := b.run()
		_, killSecond := b.run()
		require.NoError(t, b.flush(first, time.Hour))
		killFirst()
		killSecond()
		assert.Equal(t, 1000, b.total(outbox.Events, outbox.Accepted))
	})
}

// A slowStore takes a fortieth of a second to requeue an entry, and lets others have the lane meanwhile.
type slowStore struct{ outbox.Store }

func (s *slowStore) Settle(ctx context.Context, lease outbox.Lease, all []outbox.Verdict, now time.Time) error {
	if all[0].State == outbox.Queued {
		time.Sleep(time.Duration(len(all)) * time.Second / 40)
	}
	return s.Store.Settle(ctx, lease, all, now)
}
