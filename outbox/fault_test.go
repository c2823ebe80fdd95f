package outbox_test

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/outbox"
	bento "example.com/bento-go/wrapper"
)

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

// A store takes most of the lease to say what is due, and the turn comes after what is left of it: the
// lease is extended before that.
func TestAStoreThatIsSlowToAnswerLosesNoLane(t *testing.T) {
	t.Parallel()
	simulated(t, "", func(t *testing.T, b *bench) {
		b.client = b.clientAt(bento.PaceOff.With("batch", 5, time.Minute))
		slow := &slowReader{Store: b.store}
		b.store = slow
		s, kill := b.run()
		_, killOther := b.run() // that takes the lane as soon as it may
		for n := range 200 {
			_, err := s.Enqueue(t.Context(), outbox.Event(signedUp(n)))
			require.NoError(t, err)
			time.Sleep(5 * time.Second)
		}
		require.NoError(t, b.flush(s, 10*time.Minute))
		kill()
		killOther()
		assert.Zero(t, slow.late.Load(), "intents that came when the lease was over")
	})
}

// A slowReader takes three to six seconds of ten to say what is due.
type slowReader struct {
	outbox.Store
	asked, late atomic.Int32
}

func (s *slowReader) Begin(ctx context.Context, lease outbox.Lease, ids []int64, now time.Time) error {
	err := s.Store.Begin(ctx, lease, ids, now)
	if err != nil {
		s.late.Add(1)
	}
	return err
}

func (s *slowReader) Next(ctx context.Context, lease outbox.Lease, most int, now time.Time) ([]outbox.Entry, time.Time, error) {
	time.Sleep(3*time.Second + time.Duration(s.asked.Add(1)%16)*200*time.Millisecond)
	return s.Store.Next(ctx, lease, most, now)
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

// A store that has no room for a verdict is asked again until it has: nothing becomes doubtful by it.
func TestAFullDiskMakesNothingDoubtful(t *testing.T) {
	t.Parallel()
	simulated(t, "", func(t *testing.T, b *bench) {
		full := &fullStore{Store: b.store}
		full.until.Store(time.Now().Add(10 * time.Minute).UnixNano())
		b.store = full
		s, kill := b.run()
		_, err := s.Enqueue(t.Context(), outbox.Event(signedUp(1)), outbox.Email(letter(1)))
		require.NoError(t, err)
		require.Error(t, b.flush(s, 9*time.Minute))
		require.NoError(t, b.flush(s, 2*time.Minute))
		kill()
		assert.Equal(t, 1, b.total(outbox.Emails, outbox.Accepted))
		assert.Equal(t, 1, b.total(outbox.Events, outbox.Accepted))
		assert.Equal(t, 2, b.server.Counts().Requests, "each was sent once")
	})
}

type fullStore struct {
	outbox.Store
	until atomic.Int64
}

func (f *fullStore) Settle(ctx context.Context, lease outbox.Lease, all []outbox.Verdict, now time.Time) error {
	if now.UnixNano() < f.until.Load() {
		return outbox.ErrFull
	}
	return f.Store.Settle(ctx, lease, all, now)
}

// A store that fails does not end the sender.
func TestAStoreThatFailsForAWhile(t *testing.T) {
	t.Parallel()
	simulated(t, "", func(t *testing.T, b *bench) {
		flaky := &flakyStore{Store: b.store}
		b.store = flaky
		s, kill := b.run()
		_, err := s.Enqueue(t.Context(), outbox.Event(signedUp(1)), outbox.Email(letter(1)))
		require.NoError(t, err)
		require.NoError(t, b.flush(s, time.Hour))
		kill()
		assert.Equal(t, 1, b.total(outbox.Events, outbox.Accepted))
		assert.Equal(t, 1, b.server.Counts().Emails.Accepted)
	})
}

type flakyStore struct {
	outbox.Store
	calls atomic.Uint32
}

func (f *flakyStore) Next(ctx context.Context, lease outbox.Lease, most int, now time.Time) ([]outbox.Entry, time.Time, error) {
	if n := f.calls.Add(1); n*2654435761>>16%3 == 0 { // now and then: not in step with any lane
		return nil, time.Time{}, errors.New("disk I/O error")
	}
	return f.Store.Next(ctx, lease, most, now)
}
