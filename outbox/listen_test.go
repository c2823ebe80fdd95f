package outbox_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/outbox"
)

// A hearingStore hears of what other processes put, after it could not for a while.
type hearingStore struct {
	outbox.Store
	failures int
	puts     chan outbox.Lane
}

func (h *hearingStore) Wake(ctx context.Context, wake func(outbox.Lane)) error {
	if h.failures--; h.failures >= 0 {
		return errors.New("no connection")
	}
	for {
		select {
		case lane := <-h.puts:
			wake(lane)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// What another process puts is sent at once, not when the store is asked the next time.
func TestASenderIsWoken(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(s *outbox.Sender, kill func()){
		"until it is killed": func(_ *outbox.Sender, kill func()) { kill() },
		"until it is closed": func(s *outbox.Sender, kill func()) { _ = s.Close(context.Background()); kill() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			simulated(t, "", func(t *testing.T, b *bench) {
				store := &hearingStore{Store: b.store, failures: 3, puts: make(chan outbox.Lane)}
				b.store, b.opts = store, []outbox.Option{outbox.WithLinger(0)}
				s, kill := b.run()
				time.Sleep(time.Minute + 123*time.Millisecond) // in between two questions
				entries, err := outbox.Entries(time.Now(), outbox.Event(signedUp(1)))
				require.NoError(t, err)
				_, err = store.Put(t.Context(), entries)
				require.NoError(t, err)
				synctest.Wait()
				assert.Zero(t, b.total(outbox.Events, outbox.Accepted))
				store.puts <- outbox.Events
				synctest.Wait()
				assert.Equal(t, 1, b.total(outbox.Events, outbox.Accepted))
				end(s, kill)
			})
		})
	}
}
