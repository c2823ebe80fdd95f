package outbox_test

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/outbox"
	bento "example.com/bento-go/wrapper"
)

// A record that Bento refuses is found among the others, and kept as failed.
func TestAPoisonRecordIsFound(t *testing.T) {
	t.Parallel()
	simulated(t, "", func(t *testing.T, b *bench) {
		s, kill := b.run()
		b.poison(http.StatusUnprocessableEntity)
		items := []outbox.Item{outbox.Event(bento.Event{Type: "poison", Email: "ari@example.com"})}
		for n := range 99 {
			items = append(items, outbox.Event(signedUp(n)))
		}
		receipts, err := s.Enqueue(t.Context(), items...)
		require.NoError(t, err)
		require.NoError(t, b.flush(s, time.Hour))
		kill()
		assert.Equal(t, map[outbox.State]int{outbox.Failed: 1}, b.states(outbox.Events))
		assert.Equal(t, 99, b.total(outbox.Events, outbox.Accepted))
		failed, err := b.store.Query(t.Context(), outbox.Filter{State: outbox.Failed}, 2)
		require.NoError(t, err)
		assert.Equal(t, receipts[0].ID, failed[0].ID)
		assert.Contains(t, failed[0].Reason, "422")
		assert.NotContains(t, failed[0].Reason, "ari@")
	})
}

// A record on which Bento itself fails is found, too, and keeps the others no longer than that takes.
func TestARecordThatBreaksBentoIsFound(t *testing.T) {
	t.Parallel()
	simulated(t, "", func(t *testing.T, b *bench) {
		s, kill := b.run()
		b.poison(http.StatusInternalServerError)
		items := make([]outbox.Item, 100)
		for n := range items {
			items[n] = outbox.Subscriber(bento.SubscriberRecord{Email: fmt.Sprintf("person%d@example.com", n)})
		}
		first := "poison"
		items[37] = outbox.Subscriber(bento.SubscriberRecord{Email: "ari@example.com", FirstName: &first})
		receipts, err := s.Enqueue(t.Context(), items...)
		require.NoError(t, err)
		var others atomic.Int64
		go func() { // other people come meanwhile
			for n := range 600 {
				time.Sleep(10 * time.Second)
				if _, err := s.Enqueue(t.Context(), outbox.Subscriber(bento.SubscriberRecord{Email: fmt.Sprintf("other%d@example.com", n)})); err != nil {
					return
				}
				others.Add(1)
			}
		}()
		time.Sleep(2 * time.Hour)
		require.NoError(t, b.flush(s, time.Hour))
		kill()
		assert.Equal(t, 99+int(others.Load()), b.total(outbox.Subscribers, outbox.Accepted))
		failed, err := b.store.Query(t.Context(), outbox.Filter{State: outbox.Failed}, 2)
		require.NoError(t, err)
		require.Len(t, failed, 1)
		assert.Equal(t, receipts[37].ID, failed[0].ID)
		assert.Contains(t, failed[0].Reason, "Bento fails on this record")
	})
}

// However often a record was tried in vain, it is not given up while no other arrives either.
func TestAnOutageFailsNothing(t *testing.T) {
	t.Parallel()
	simulated(t, "*=500", func(t *testing.T, b *bench) {
		s, kill := b.run()
		for n := range 30 {
			_, err := s.Enqueue(t.Context(), outbox.Event(signedUp(n)))
			require.NoError(t, err)
			time.Sleep(5 * time.Minute)
		}
		b.server.Disarm()
		require.NoError(t, b.flush(s, time.Hour))
		kill()
		assert.Equal(t, 30, b.total(outbox.Events, outbox.Accepted))
		assert.Zero(t, b.total(outbox.Events, outbox.Failed))
	})
}

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
