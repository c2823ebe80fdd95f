package outbox_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/memstore"
)

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

// A store that hangs ends a Flush soon after its context, or by itself in well under a minute.
func TestAStoreThatHangsEndsAFlush(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := outbox.New(nil, hungStore{memstore.New(1)})
		for _, tc := range []struct{ asked, most time.Duration }{{10 * time.Second, 20 * time.Second}, {time.Hour, 45 * time.Second}} {
			ctx, cancel := context.WithTimeout(t.Context(), tc.asked)
			began := time.Now()
			require.ErrorIs(t, s.Flush(ctx), context.DeadlineExceeded)
			assert.LessOrEqual(t, time.Since(began), tc.most)
			cancel()
		}
	})
}

// A hungStore answers nobody.
type hungStore struct{ outbox.Store }

func (hungStore) Idle(ctx context.Context) (bool, error) { <-ctx.Done(); return false, ctx.Err() }

func (hungStore) Stats(ctx context.Context) (outbox.Stats, error) {
	<-ctx.Done()
	return outbox.Stats{}, ctx.Err()
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

func TestCloseSaysWhatIsLeft(t *testing.T) {
	t.Parallel()
	simulated(t, "trackEvents=503", func(t *testing.T, b *bench) {
		s, _ := b.run()
		_, err := s.Enqueue(t.Context(), outbox.Event(signedUp(1)))
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err = s.Close(ctx)
		var left *outbox.RemainingError
		require.ErrorAs(t, err, &left)
		assert.Equal(t, 1, left.Waiting)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 1, b.states(outbox.Events)[outbox.Queued], "it is in the store")
	})
}
