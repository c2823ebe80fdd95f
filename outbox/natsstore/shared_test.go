package natsstore_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/natsstore"
)

func event(key string) outbox.Entry {
	return outbox.Entry{Lane: outbox.Events, Policy: outbox.AtLeastOnce, Key: key, Record: []byte(`{"type":"x","email":"ari@example.com"}`), Enqueued: time.Now()}
}

func put(t *testing.T, s outbox.Store, entries ...outbox.Entry) []int64 {
	t.Helper()
	results, err := s.Put(t.Context(), entries)
	require.NoError(t, err)
	ids := make([]int64, len(results))
	for i, r := range results {
		ids[i] = r.ID
	}
	return ids
}

func acquire(t *testing.T, s outbox.Store, owner string, now time.Time) outbox.Lease {
	t.Helper()
	lease, err := s.Acquire(t.Context(), outbox.Events, owner, now, time.Minute)
	require.NoError(t, err)
	return lease
}

func idsOf(entries []outbox.Entry) (ids []int64) {
	for _, e := range entries {
		ids = append(ids, e.ID)
	}
	return ids
}

func verdicts(state outbox.State, ids ...int64) (all []outbox.Verdict) {
	for _, id := range ids {
		all = append(all, outbox.Verdict{ID: id, State: state, Reason: "because"})
	}
	return all
}

// jetstreamOf is the server's, for who looks at it from outside.
func jetstreamOf(t *testing.T) jetstream.JetStream {
	t.Helper()
	conn, err := nats.Connect(url(t))
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	require.NoError(t, err)
	return js
}

// Machines that put one key at once keep it once, and all learn the same ID; entries with other keys of
// the same calls are kept.
func TestMachinesThatPutOneKeyAtOnce(t *testing.T) {
	t.Parallel()
	const machines, keys = 4, 25
	name := fresh()
	var all sync.WaitGroup
	var mu sync.Mutex
	firsts, ids := map[string]int{}, map[string]map[int64]bool{}
	for m := range machines {
		s := open(t, name)
		all.Go(func() {
			for n := range keys {
				key := fmt.Sprint("key/", n)
				results, err := s.Put(context.Background(), []outbox.Entry{event(key), event(""), event(fmt.Sprint(key, "/", m))})
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				if !results[0].Duplicate {
					firsts[key]++
				}
				if ids[key] == nil {
					ids[key] = map[int64]bool{}
				}
				ids[key][results[0].ID] = true
				mu.Unlock()
				assert.False(t, results[2].Duplicate)
			}
		})
	}
	all.Wait()
	for n := range keys {
		key := fmt.Sprint("key/", n)
		assert.Equal(t, 1, firsts[key], key)
		assert.Len(t, ids[key], 1, key)
	}
	stats, err := open(t, name).Stats(t.Context())
	require.NoError(t, err)
	assert.Equal(t, keys+2*keys*machines, stats.Waiting())
}

// Of machines that want a lane at once, one gets it.
func TestMachinesThatWantALaneAtOnce(t *testing.T) {
	t.Parallel()
	name, now := fresh(), time.Now()
	var stores []*natsstore.Store
	for range 4 {
		stores = append(stores, open(t, name))
	}
	for round := range 10 {
		var all sync.WaitGroup
		var got atomic.Int64
		for i, s := range stores {
			all.Go(func() {
				_, err := s.Acquire(context.Background(), outbox.Events, fmt.Sprint("machine ", i), now, time.Second)
				if err == nil {
					got.Add(1)
				} else {
					assert.ErrorIs(t, err, outbox.ErrLeased)
				}
			})
		}
		all.Wait()
		assert.EqualValues(t, 1, got.Load(), "round %d", round)
		now = now.Add(time.Hour)
	}
}

// A sender that stalled, on a machine that was cut off, say, does not know that another has the lane:
// nothing it does then has an effect, though by what it knows it might.
func TestASenderThatStalledIsKeptOut(t *testing.T) {
	t.Parallel()
	name, now := fresh(), time.Now()
	mine, yours := open(t, name), open(t, name)
	ids := put(t, mine, event(""), event(""), event(""))
	lease := acquire(t, mine, "me", now)
	due, _, err := mine.Next(t.Context(), lease, 1, now)
	require.NoError(t, err)
	require.Equal(t, ids[:1], idsOf(due))
	require.NoError(t, mine.Begin(t.Context(), lease, ids[:1], now))

	later := now.Add(2 * time.Minute)
	other := acquire(t, yours, "you", later)
	require.ErrorIs(t, mine.Begin(t.Context(), lease, ids[1:2], now), outbox.ErrLost, "its clock stalled, too")
	require.ErrorIs(t, mine.Settle(t.Context(), lease, verdicts(outbox.Accepted, ids[0]), now), outbox.ErrLost)
	left, err := yours.Recover(t.Context(), other, 10)
	require.NoError(t, err)
	assert.Equal(t, ids[:1], idsOf(left))
	require.NoError(t, yours.Settle(t.Context(), other, verdicts(outbox.Parked, ids[0]), later))
	due, _, err = yours.Next(t.Context(), other, 10, later)
	require.NoError(t, err)
	assert.Equal(t, ids[1:], idsOf(due))
}

// A machine sees what another has decided, paused or put, however much it knew before.
func TestAMachineSeesWhatAnotherDid(t *testing.T) {
	t.Parallel()
	name, now := fresh(), time.Now()
	mine, yours := open(t, name), open(t, name)
	ids := put(t, mine, event(""), event(""))
	lease := acquire(t, mine, "me", now)
	_, _, err := mine.Next(t.Context(), lease, 10, now)
	require.NoError(t, err)
	require.NoError(t, mine.Begin(t.Context(), lease, ids, now))
	require.NoError(t, mine.Settle(t.Context(), lease, verdicts(outbox.Parked, ids...), now))
	require.NoError(t, yours.Decide(t.Context(), ids[:1], outbox.Decision{To: outbox.Queued, By: "ari", Reason: "not in the log"}, now))
	due, _, err := mine.Next(t.Context(), lease, 10, now)
	require.NoError(t, err)
	assert.Equal(t, ids[:1], idsOf(due))
	require.NoError(t, yours.Pause(t.Context(), outbox.Events, "a holiday"))
	due, _, err = mine.Next(t.Context(), lease, 10, now)
	require.NoError(t, err)
	assert.Empty(t, due)
	require.NoError(t, mine.Pause(t.Context(), outbox.Events, ""))
	due, _, err = yours.Next(t.Context(), lease, 10, now)
	require.NoError(t, err)
	assert.Equal(t, ids[:1], idsOf(due), "a lease is good on any machine")
}

// A sender is killed after what became of a batch is noted, and before the messages are removed:
// another finds it all noted, and removes them.
func TestACrashBeforeWhatIsDeliveredIsRemoved(t *testing.T) {
	t.Parallel()
	name, now := fresh(), time.Now()
	mine := open(t, name)
	late := event("")
	late.NotBefore = now.Add(-time.Minute)
	ids := put(t, mine, event(""), late, event("a"), event(""), event(""))
	lease := acquire(t, mine, "me", now)
	due, _, err := mine.Next(t.Context(), lease, 10, now)
	require.NoError(t, err)
	require.Len(t, due, 5)
	require.NoError(t, mine.Begin(t.Context(), lease, ids[:4], now))
	crash := errors.New("the end")
	mine.CrashAfterCommit(crash)
	all := append(verdicts(outbox.Accepted, ids[:3]...), verdicts(outbox.Failed, ids[3])...)
	require.ErrorIs(t, mine.Settle(t.Context(), lease, all, now), crash)
	require.NoError(t, mine.Close())

	yours := open(t, name)
	stats, err := yours.Stats(t.Context())
	require.NoError(t, err)
	assert.Equal(t, map[outbox.State]int{outbox.Queued: 1, outbox.Accepted: 1, outbox.Failed: 1}, stats.Lanes[outbox.Events].States)
	now = now.Add(time.Hour)
	other := acquire(t, yours, "you", now)
	left, err := yours.Recover(t.Context(), other, 10)
	require.NoError(t, err)
	assert.Empty(t, left)
	due, _, err = yours.Next(t.Context(), other, 10, now)
	require.NoError(t, err)
	assert.Equal(t, ids[4:], idsOf(due))
	results, err := yours.Put(t.Context(), []outbox.Entry{event("a")})
	require.NoError(t, err)
	assert.Equal(t, outbox.PutResult{ID: ids[2], Duplicate: true}, results[0])
}

// What was held back, delivered and forgotten is not there any more for who knew it before.
func TestWhatIsForgottenIsGone(t *testing.T) {
	t.Parallel()
	s, now := open(t, fresh()), time.Now()
	late := event("")
	late.NotBefore = now.Add(-time.Minute)
	ids := put(t, s, event(""), late, event(""))
	lease := acquire(t, s, "me", now)
	due, _, err := s.Next(t.Context(), lease, 10, now)
	require.NoError(t, err)
	require.Len(t, due, 3)
	require.NoError(t, s.Begin(t.Context(), lease, ids[1:], now), "the last before the first")
	require.NoError(t, s.Settle(t.Context(), lease, verdicts(outbox.Accepted, ids[1:]...), now))
	n, err := s.Forget(t.Context(), outbox.Events, now.Add(time.Hour), 100)
	require.NoError(t, err)
	assert.Zero(t, n, "they were gone already")
	due, _, err = s.Next(t.Context(), lease, 10, now)
	require.NoError(t, err)
	assert.Equal(t, ids[:1], idsOf(due))
	require.ErrorIs(t, s.Begin(t.Context(), lease, ids[1:2], now), outbox.ErrLost)
}

// Machines that send are told of every lane when they begin to hear, and then when another puts
// something.
func TestAMachineIsWoken(t *testing.T) {
	t.Parallel()
	name := fresh()
	mine, yours := open(t, name), open(t, name)
	ctx, cancel := context.WithCancel(t.Context())
	woken, ended := make(chan outbox.Lane, 10), make(chan error, 1)
	go func() { ended <- mine.Wake(ctx, func(lane outbox.Lane) { woken <- lane }) }()
	for _, lane := range outbox.Lanes {
		select {
		case told := <-woken:
			require.Equal(t, lane, told)
		case <-time.After(10 * time.Second):
			t.Fatalf("%s: nobody is told that something may have come before", lane)
		}
	}
	require.Eventually(t, func() bool {
		put(t, yours, event(""))
		select {
		case lane := <-woken:
			return lane == outbox.Events
		case <-time.After(50 * time.Millisecond):
			return false
		}
	}, 10*time.Second, time.Millisecond)
	cancel()
	require.NoError(t, <-ended)
}
