package outbox_test

import (
	"cmp"
	"context"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/outbox"
	bento "example.com/bento-go/wrapper"
)

// An email waits for its turn when its sender is cut off from the store: it was not begun, and another
// sends it.
func TestASenderThatIsCutOffSendsNothingLater(t *testing.T) {
	t.Parallel()
	simulated(t, "", func(t *testing.T, b *bench) {
		slow, fast, shared := bento.PaceOff.With("batch", 1, time.Minute), b.client, b.store
		b.client = b.clientAt(slow)
		cut := &cutStore{Store: shared}
		b.store = cut
		first, killFirst := b.run()
		for n := range 2 {
			_, err := first.Enqueue(t.Context(), outbox.Email(letter(n)))
			require.NoError(t, err)
		}
		time.Sleep(time.Second)
		cut.off.Store(true)
		b.client, b.store = fast, shared
		_, killSecond := b.run()
		time.Sleep(15 * time.Second)
		assert.Equal(t, 2, b.server.Counts().Emails.Accepted)
		assert.Equal(t, 2, b.total(outbox.Emails, outbox.Accepted), "none is in doubt")
		time.Sleep(3 * time.Minute)
		cut.off.Store(false)
		time.Sleep(3 * time.Minute)
		assert.Equal(t, 2, b.server.Counts().Emails.Accepted, "the first sender sent nothing more")
		killFirst()
		killSecond()
	})
}

// Who pauses a lane finds nothing of it sent later, though it was taken to be sent and waited for its turn.
func TestAPauseHoldsWhatWaitsForItsTurn(t *testing.T) {
	t.Parallel()
	simulated(t, "", func(t *testing.T, b *bench) {
		b.client = b.clientAt(bento.PaceOff.With("batch", 1, time.Minute))
		s, kill := b.run()
		_, err := s.Enqueue(t.Context(), outbox.Email(letter(1)), outbox.Email(letter(2)))
		require.NoError(t, err)
		time.Sleep(10 * time.Second)
		require.NoError(t, s.Pause(t.Context(), outbox.Emails, "the template is wrong"))
		time.Sleep(5 * time.Minute)
		assert.Equal(t, 1, b.server.Counts().Emails.Accepted)
		assert.Equal(t, 1, b.states(outbox.Emails)[outbox.Queued])
		require.NoError(t, s.Resume(t.Context(), outbox.Emails))
		require.NoError(t, b.flush(s, 2*time.Minute))
		kill()
	})
}

// A pause comes when the store has begun an email, and has not said so: it was not sent, and is not in doubt.
func TestAPauseBetweenBeginAndItsAnswer(t *testing.T) {
	t.Parallel()
	simulated(t, "", func(t *testing.T, b *bench) {
		b.store = &hastyStore{Store: b.store}
		s, kill := b.run()
		_, err := s.Enqueue(t.Context(), outbox.Email(letter(1)))
		require.NoError(t, err)
		time.Sleep(10 * time.Second)
		assert.Zero(t, b.server.Counts().Emails.Accepted)
		require.NoError(t, s.Resume(t.Context(), outbox.Emails))
		require.NoError(t, b.flush(s, time.Minute))
		kill()
		assert.Equal(t, 1, b.server.Counts().Emails.Accepted)
	})
}

// A hastyStore is paused by somebody while its first answer to Begin is lost.
type hastyStore struct {
	outbox.Store
	once sync.Once
}

func (s *hastyStore) Begin(ctx context.Context, lease outbox.Lease, ids []int64, now time.Time) (err error) {
	err = s.Store.Begin(ctx, lease, ids, now)
	s.once.Do(func() { err = cmp.Or(err, s.Pause(ctx, lease.Lane, "the template is wrong"), outbox.ErrPaused) })
	return err
}

// An email was held back by a pause, and is sent after it. What became of that cannot be noted: that it
// was not sent the first time says nothing of the second.
func TestAnEmailThatWasHeldBackOnceMayBeInDoubtLater(t *testing.T) {
	t.Parallel()
	simulated(t, "", func(t *testing.T, b *bench) {
		b.client = b.clientAt(bento.PaceOff.With("batch", 1, time.Minute))
		forgetful := &forgetfulStore{Store: b.store}
		b.store = forgetful
		s, kill := b.run()
		_, err := s.Enqueue(t.Context(), outbox.Email(letter(1)), outbox.Email(letter(2)))
		require.NoError(t, err)
		time.Sleep(10 * time.Second)
		require.NoError(t, s.Pause(t.Context(), outbox.Emails, "the template is wrong"))
		time.Sleep(2 * time.Minute)
		forgetful.forget.Store(true)
		require.NoError(t, s.Resume(t.Context(), outbox.Emails))
		require.NoError(t, b.flush(s, 10*time.Minute))
		kill()
		assert.False(t, forgetful.forget.Load())
		assert.Equal(t, 2, b.server.Counts().Emails.Accepted, "neither is sent twice")
		assert.Equal(t, 1, b.states(outbox.Emails)[outbox.Parked])
	})
}

// A forgetfulStore does not note verdicts, once.
type forgetfulStore struct {
	outbox.Store
	forget atomic.Bool
}

func (s *forgetfulStore) Settle(ctx context.Context, lease outbox.Lease, all []outbox.Verdict, now time.Time) error {
	if s.forget.CompareAndSwap(true, false) {
		return outbox.ErrDamaged
	}
	return s.Store.Settle(ctx, lease, all, now)
}

// A store notes an intent, and its answer is lost: the sender knows that it sent nothing.
func TestAnIntentOfWhichNothingWasSentIsNoDoubt(t *testing.T) {
	t.Parallel()
	simulated(t, "", func(t *testing.T, b *bench) {
		muffled := &muffledStore{Store: b.store}
		b.store = muffled
		s, kill := b.run()
		_, err := s.Enqueue(t.Context(), outbox.Email(letter(1)))
		require.NoError(t, err)
		require.NoError(t, b.flush(s, time.Minute))
		kill()
		assert.True(t, muffled.once.Load())
		assert.Equal(t, 1, b.server.Counts().Emails.Accepted)
		assert.Zero(t, b.states(outbox.Emails)[outbox.Parked])
	})
}

// A muffledStore notes the first intent, and does not say so.
type muffledStore struct {
	outbox.Store
	once atomic.Bool
}

func (s *muffledStore) Begin(ctx context.Context, lease outbox.Lease, ids []int64, now time.Time) error {
	err := s.Store.Begin(ctx, lease, ids, now)
	if s.once.CompareAndSwap(false, true) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// A store that has noted an intent says so when the lease is over. Another sender found the email in
// doubt meanwhile, and a person had it sent again: it must not go out after that.
func TestAnIntentThatIsConfirmedTooLateSendsNothing(t *testing.T) {
	t.Parallel()
	simulated(t, "", func(t *testing.T, b *bench) {
		shared := b.store
		b.store = &lateStore{Store: shared}
		first, killFirst := b.run()
		receipts, err := first.Enqueue(t.Context(), outbox.Email(letter(1)))
		require.NoError(t, err)
		time.Sleep(time.Second)
		b.store = shared
		second, killSecond := b.run()
		time.Sleep(15 * time.Second)
		assert.Equal(t, 1, b.states(outbox.Emails)[outbox.Parked], "it is in doubt")
		require.NoError(t, second.Resend(t.Context(), "ari", "not in Bento's log", receipts[0].ID))
		time.Sleep(time.Minute)
		assert.Equal(t, 1, b.server.Counts().Emails.Accepted)
		assert.Equal(t, 1, b.server.Counts().Requests)
		killFirst()
		killSecond()
	})
}

// A lateStore notes an intent, and answers half a minute later; it extends no lease meanwhile.
type lateStore struct {
	outbox.Store
	late atomic.Bool
}

func (s *lateStore) Begin(ctx context.Context, lease outbox.Lease, ids []int64, now time.Time) error {
	err := s.Store.Begin(ctx, lease, ids, now)
	if s.late.CompareAndSwap(false, true) {
		time.Sleep(30 * time.Second)
	}
	return err
}

func (s *lateStore) Acquire(ctx context.Context, lane outbox.Lane, owner string, now time.Time, ttl time.Duration) (outbox.Lease, error) {
	if s.late.Load() {
		<-ctx.Done()
		return outbox.Lease{}, ctx.Err()
	}
	return s.Store.Acquire(ctx, lane, owner, now, ttl)
}

// A cutStore does not answer while it is off.
type cutStore struct {
	outbox.Store
	off atomic.Bool
}

func (s *cutStore) Acquire(ctx context.Context, lane outbox.Lane, owner string, now time.Time, ttl time.Duration) (outbox.Lease, error) {
	if s.off.Load() {
		<-ctx.Done()
		return outbox.Lease{}, ctx.Err()
	}
	return s.Store.Acquire(ctx, lane, owner, now, ttl)
}

func (s *cutStore) Release(ctx context.Context, lease outbox.Lease) error {
	if s.off.Load() {
		return context.DeadlineExceeded
	}
	return s.Store.Release(ctx, lease)
}

func (s *cutStore) Begin(ctx context.Context, lease outbox.Lease, ids []int64, now time.Time) error {
	if s.off.Load() {
		<-ctx.Done()
		return ctx.Err()
	}
	return s.Store.Begin(ctx, lease, ids, now)
}

func (s *cutStore) Settle(ctx context.Context, lease outbox.Lease, all []outbox.Verdict, now time.Time) error {
	if s.off.Load() {
		<-ctx.Done()
		return ctx.Err()
	}
	return s.Store.Settle(ctx, lease, all, now)
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
