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
