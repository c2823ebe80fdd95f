package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/outbox"
)

func leases(t *testing.T, b *bench) {
	mine := b.lease(outbox.Events, "me")
	_, err := b.store.Acquire(t.Context(), outbox.Events, "you", b.now, time.Minute)
	require.ErrorIs(t, err, outbox.ErrLeased)
	b.lease(outbox.Emails, "you") // another lane is free
	b.now = b.now.Add(50 * time.Second)
	again := b.lease(outbox.Events, "me")
	assert.Equal(t, mine.Token, again.Token, "it goes on")
	b.now = b.now.Add(50 * time.Second)
	_, err = b.store.Acquire(t.Context(), outbox.Events, "you", b.now, time.Minute)
	require.ErrorIs(t, err, outbox.ErrLeased, "it was extended")
	b.now = b.now.Add(time.Minute)
	yours := b.lease(outbox.Events, "you")
	assert.Greater(t, yours.Token, mine.Token)
	require.NoError(t, b.store.Release(t.Context(), again), "of what is not mine any more is no harm")
	_, err = b.store.Acquire(t.Context(), outbox.Events, "me", b.now, time.Minute)
	require.ErrorIs(t, err, outbox.ErrLeased)
	require.NoError(t, b.store.Release(t.Context(), yours))
	b.lease(outbox.Events, "me") // it was given up
}

func fencing(t *testing.T, b *bench) {
	ids := b.put(entry(outbox.Events, 1), entry(outbox.Events, 2))
	mine := b.lease(outbox.Events, "me")
	b.begin(mine, ids[0])
	b.now = b.now.Add(2 * time.Minute)
	_, _, err := b.store.Next(t.Context(), mine, 10, b.now)
	require.ErrorIs(t, err, outbox.ErrLost, "it ran out")
	yours := b.lease(outbox.Events, "you")
	require.ErrorIs(t, b.store.Begin(t.Context(), mine, ids[1:], b.now), outbox.ErrLost)
	require.ErrorIs(t, b.store.Settle(t.Context(), mine, []outbox.Verdict{{ID: ids[0], State: outbox.Accepted}}, b.now), outbox.ErrLost)
	_, err = b.store.Recover(t.Context(), mine, 10)
	require.ErrorIs(t, err, outbox.ErrLost)
	assert.Equal(t, outbox.Sending, b.one(ids[0]).State)
	b.begin(yours, ids[1])
	require.ErrorIs(t, b.store.Begin(t.Context(), yours, ids[1:], b.now), outbox.ErrLost, "it is being sent already")
}

// Also of a lane that has nothing to send, which a store may have remembered.
func fencingIdle(t *testing.T, b *bench) {
	nothing := func(lease outbox.Lease) {
		t.Helper()
		due, later, err := b.store.Next(t.Context(), lease, 10, b.now)
		require.NoError(t, err)
		require.Empty(t, due)
		require.Zero(t, later)
	}
	lost := func(lease outbox.Lease) {
		t.Helper()
		_, _, err := b.store.Next(t.Context(), lease, 10, b.now)
		require.ErrorIs(t, err, outbox.ErrLost)
	}
	mine := b.lease(outbox.Events, "me")
	nothing(mine)
	require.NoError(t, b.store.Release(t.Context(), mine))
	lost(mine)

	mine = b.lease(outbox.Events, "me")
	nothing(mine)
	shorter, err := b.store.Acquire(t.Context(), outbox.Events, "me", b.now, time.Second)
	require.NoError(t, err)
	nothing(shorter)
	b.now = b.now.Add(time.Second)
	lost(mine)
}

// Who takes a lane over learns when its entries were begun, and those of others: as many as fit into a minute.
func begun(t *testing.T, b *bench) {
	ids := b.put(entry(outbox.Events, 1), entry(outbox.Events, 2), entry(outbox.Events, 3), entry(outbox.Emails, 4))
	none, err := b.store.Begun(t.Context(), outbox.Lanes...)
	require.NoError(t, err)
	assert.Empty(t, none)
	events, emails := b.lease(outbox.Events, "me"), b.lease(outbox.Emails, "me")
	var all []time.Time
	for n := range 2*outbox.MostBegun + 3 {
		b.now = b.now.Add(100 * time.Millisecond)
		b.begin(events, ids[n%3])
		require.NoError(t, b.store.Settle(t.Context(), events, []outbox.Verdict{{ID: ids[n%3], State: outbox.Queued, NotBefore: b.now}}, b.now))
		all = append(all, b.now)
	}
	b.begin(events, ids[0])
	require.ErrorIs(t, b.store.Begin(t.Context(), events, ids[:1], b.now.Add(time.Second)), outbox.ErrLost)
	all = append(all, b.now)
	b.now = b.now.Add(time.Second)
	require.NoError(t, b.store.Begin(t.Context(), events, nil, b.now), "one more request")
	all = append(all, b.now)
	lost := events
	lost.Token = 99
	require.ErrorIs(t, b.store.Begin(t.Context(), lost, nil, b.now), outbox.ErrLost)
	b.now = b.now.Add(time.Second)
	b.begin(emails, ids[3])
	got, err := b.store.Begun(t.Context(), outbox.Events)
	require.NoError(t, err)
	slices.SortFunc(got, time.Time.Compare)
	assert.GreaterOrEqual(t, len(got), outbox.MostBegun)
	assert.LessOrEqual(t, len(got), 2*outbox.MostBegun, "not all that ever was")
	for i, at := range got {
		require.True(t, at.Equal(all[len(all)-len(got)+i]), "what was begun last, not %v", at)
	}
	both, err := b.store.Begun(t.Context(), outbox.Events, outbox.Emails)
	require.NoError(t, err)
	assert.Len(t, both, len(got)+1)
	assert.Contains(t, fmt.Sprint(both), fmt.Sprint(b.now.UTC()))
}

func notBefore(t *testing.T, b *bench) {
	waits := entry(outbox.Events, 1)
	waits.NotBefore = b.now.Add(time.Hour)
	ids := b.put(waits, entry(outbox.Events, 2))
	lease := b.lease(outbox.Events, "me")
	due, later, err := b.store.Next(t.Context(), lease, 10, b.now)
	require.NoError(t, err)
	assert.Equal(t, ids[1:], idsOf(due))
	assert.True(t, later.Equal(waits.NotBefore), later)
	b.now = waits.NotBefore
	assert.Equal(t, ids, b.next(b.lease(outbox.Events, "me")))
}

func paused(t *testing.T, b *bench) {
	ids := b.put(entry(outbox.Events, 1), entry(outbox.Emails, 2))
	lease := b.lease(outbox.Events, "me")
	assert.Equal(t, ids[:1], b.next(lease))
	require.NoError(t, b.store.Pause(t.Context(), outbox.Events, "the keys are wrong"))
	require.ErrorIs(t, b.store.Begin(t.Context(), lease, ids[:1], b.now), outbox.ErrPaused)
	assert.Equal(t, outbox.Queued, b.one(ids[0]).State)
	assert.Empty(t, b.next(lease))
	assert.Len(t, b.next(b.lease(outbox.Emails, "me")), 1)
	stats, err := b.store.Stats(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "the keys are wrong", stats.Lanes[outbox.Events].Paused)
	assert.Equal(t, 1, stats.Lanes[outbox.Events].States[outbox.Queued])
	assert.True(t, stats.Lanes[outbox.Events].Oldest.Equal(b.now))
	assert.Equal(t, 2, stats.Waiting())
	require.NoError(t, b.store.Pause(t.Context(), outbox.Events, ""))
	assert.Equal(t, ids[:1], b.next(lease))
}

// An owner that stalled, and that nobody replaced, goes on where it was.
func comesBack(t *testing.T, b *bench) {
	ids := b.put(entry(outbox.Emails, 1))
	mine := b.lease(outbox.Emails, "me")
	b.begin(mine, ids...)
	b.now = b.now.Add(time.Hour)
	again := b.lease(outbox.Emails, "me")
	assert.Equal(t, mine.Token, again.Token)
	b.settle(mine, outbox.Accepted, ids...)
	b.now = b.now.Add(time.Hour)
	yours := b.lease(outbox.Emails, "you")
	assert.NotEqual(t, mine.Token, yours.Token)
	b.now = b.now.Add(time.Hour)
	assert.NotEqual(t, mine.Token, b.lease(outbox.Emails, "me").Token)
}

func setBack(t *testing.T, b *bench) {
	waits := entry(outbox.Events, 2)
	waits.NotBefore = b.now.Add(time.Hour)
	ids := b.put(entry(outbox.Events, 1), waits)
	mine := b.lease(outbox.Events, "me")
	b.begin(mine, ids[0])
	require.NoError(t, b.store.Settle(t.Context(), mine, []outbox.Verdict{{ID: ids[0], State: outbox.Queued, NotBefore: b.now.Add(time.Minute)}}, b.now))
	b.now = b.now.Add(-time.Hour)
	_, err := b.store.Acquire(t.Context(), outbox.Events, "you", b.now, time.Minute)
	require.ErrorIs(t, err, outbox.ErrLeased)
	b.now = b.now.Add(time.Minute)
	yours := b.lease(outbox.Events, "you")
	assert.Equal(t, ids[:1], b.next(yours), "what its caller holds back stays back")
}

func order(t *testing.T, b *bench) {
	late, soon := entry(outbox.Events, 2), entry(outbox.Events, 3)
	late.NotBefore, soon.NotBefore = b.now.Add(2*time.Minute), b.now.Add(time.Minute)
	ids := b.put(entry(outbox.Events, 1), late, soon, entry(outbox.Events, 4))
	b.now = b.now.Add(time.Hour)
	lease := b.lease(outbox.Events, "me")
	assert.Equal(t, []int64{ids[2], ids[1], ids[0], ids[3]}, b.next(lease))
	due, _, err := b.store.Next(t.Context(), lease, 3, b.now)
	require.NoError(t, err)
	assert.Equal(t, []int64{ids[2], ids[1], ids[0]}, idsOf(due))
}
