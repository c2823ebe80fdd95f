package storetest

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/outbox"
)

func atomic(t *testing.T, b *bench) {
	ids := b.put(entry(outbox.Events, 1), entry(outbox.Events, 2))
	lease := b.lease(outbox.Events, "me")
	require.ErrorIs(t, b.store.Begin(t.Context(), lease, []int64{ids[0], 1 << 40}, b.now), outbox.ErrLost)
	assert.Equal(t, ids, b.next(lease), "none")
	b.begin(lease, ids[0])
	require.ErrorIs(t, b.store.Settle(t.Context(), lease, []outbox.Verdict{{ID: ids[0], State: outbox.Accepted}, {ID: ids[1], State: outbox.Accepted}}, b.now), outbox.ErrLost)
	assert.Equal(t, outbox.Sending, b.one(ids[0]).State)
	assert.Equal(t, 1, b.one(ids[0]).Attempts)
}

func recovered(t *testing.T, b *bench) {
	ids := b.put(entry(outbox.Emails, 1), entry(outbox.Emails, 2))
	b.begin(b.lease(outbox.Emails, "me"), ids...)
	b.now = b.now.Add(time.Hour)
	lease := b.lease(outbox.Emails, "you")
	left, err := b.store.Recover(t.Context(), lease, 1)
	require.NoError(t, err)
	assert.Equal(t, ids[:1], idsOf(left))
	b.settle(lease, outbox.Parked, ids...)
	left, err = b.store.Recover(t.Context(), lease, 10)
	require.NoError(t, err)
	assert.Empty(t, left)
	got := b.one(ids[1])
	assert.Equal(t, outbox.Parked, got.State)
	assert.Equal(t, "because", got.Reason)
	assert.True(t, got.Changed.Equal(b.now))
}

func decisions(t *testing.T, b *bench) {
	ids := b.put(entry(outbox.Emails, 1), entry(outbox.Emails, 2), entry(outbox.Emails, 3))
	lease := b.lease(outbox.Emails, "me")
	b.begin(lease, ids[:2]...)
	b.settle(lease, outbox.Parked, ids[0])
	b.settle(lease, outbox.Failed, ids[1])
	require.ErrorIs(t, b.store.Decide(t.Context(), ids, outbox.Decision{To: outbox.Queued, By: "ari", Reason: "checked"}, b.now), outbox.ErrLost, "the third is queued")
	assert.Equal(t, outbox.Parked, b.one(ids[0]).State, "none")
	require.NoError(t, b.store.Decide(t.Context(), ids[:1], outbox.Decision{To: outbox.Queued, By: "ari", Reason: "checked"}, b.now))
	require.NoError(t, b.store.Decide(t.Context(), ids[1:2], outbox.Decision{To: outbox.Discarded, By: "ari", Reason: "never mind"}, b.now))
	assert.Equal(t, []int64{ids[0], ids[2]}, b.next(lease))
	assert.Equal(t, "never mind", b.one(ids[1]).Reason)
	require.ErrorIs(t, b.store.Decide(t.Context(), ids[1:2], outbox.Decision{To: outbox.Queued, By: "ari", Reason: "again"}, b.now), outbox.ErrLost, "once and for all")
}

func queries(t *testing.T, b *bench) {
	ids := b.put(entry(outbox.Events, 1), entry(outbox.Emails, 2), entry(outbox.Events, 3), entry(outbox.Events, 4))
	lease := b.lease(outbox.Events, "me")
	b.begin(lease, ids[2])
	for want, f := range map[string]outbox.Filter{
		"1 2 3 4": {}, "1 3 4": {Lane: outbox.Events}, "3": {State: outbox.Sending}, "3 4": {Lane: outbox.Events, After: ids[1]}, "2 4": {IDs: []int64{ids[3], ids[1]}}, "": {IDs: []int64{}},
	} {
		found, err := b.store.Query(t.Context(), f, 10)
		require.NoError(t, err)
		got := []string{}
		for _, e := range found {
			got = append(got, strconv.Itoa(slices.Index(ids, e.ID)+1))
		}
		assert.Equal(t, want, strings.Join(got, " "))
	}
	found, err := b.store.Query(t.Context(), outbox.Filter{}, 2)
	require.NoError(t, err)
	assert.Equal(t, ids[:2], idsOf(found))
}

func leaves(t *testing.T, b *bench) {
	named := entry(outbox.Events, 1)
	named.Key = "a"
	ids := b.put(named, entry(outbox.Events, 2))
	lease := b.lease(outbox.Events, "me")
	idle, err := b.store.Idle(t.Context())
	require.NoError(t, err)
	assert.False(t, idle)
	b.begin(lease, ids...)
	idle, err = b.store.Idle(t.Context())
	require.NoError(t, err)
	assert.False(t, idle)
	b.settle(lease, outbox.Accepted, ids...)
	all, err := b.store.Query(t.Context(), outbox.Filter{}, 10)
	require.NoError(t, err)
	require.Equal(t, ids[:1], idsOf(all))
	assert.Empty(t, all[0].Record)
	assert.Equal(t, outbox.Accepted, all[0].State)
	idle, err = b.store.Idle(t.Context())
	require.NoError(t, err)
	assert.True(t, idle)
}

func histories(t *testing.T, b *bench) {
	ids := b.put(entry(outbox.Emails, 1), entry(outbox.Emails, 2))
	lease := b.lease(outbox.Emails, "me")
	b.begin(lease, ids...)
	b.settle(lease, outbox.Parked, ids...)
	require.NoError(t, b.store.Decide(t.Context(), ids[:1], outbox.Decision{To: outbox.Queued, By: "ari", Reason: "it is not in the log"}, b.now))
	require.NoError(t, b.store.Decide(t.Context(), ids[1:], outbox.Decision{To: outbox.Discarded, By: "ari", Reason: "too late"}, b.now))
	assert.Empty(t, b.one(ids[1]).Record, "which is gone at once")
	b.begin(lease, ids[0])
	b.settle(lease, outbox.Accepted, ids[0])
	assert.Equal(t, outbox.Accepted, b.one(ids[0]).State, "what has a history is kept")
	for i, want := range [][]outbox.Change{
		{{By: "me", State: outbox.Parked, Reason: "because"}, {By: "ari", State: outbox.Queued, Reason: "it is not in the log"}},
		{{By: "me", State: outbox.Parked, Reason: "because"}, {By: "ari", State: outbox.Discarded, Reason: "too late"}},
	} {
		got, err := b.store.History(t.Context(), ids[i])
		require.NoError(t, err)
		for n := range got {
			assert.True(t, got[n].At.Equal(b.now))
			got[n].At = time.Time{}
		}
		assert.Equal(t, want, got)
	}
	_, err := b.store.Forget(t.Context(), outbox.Emails, b.now.Add(time.Hour), 100)
	require.NoError(t, err)
	got, err := b.store.History(t.Context(), ids[0])
	require.NoError(t, err)
	assert.Empty(t, got, "it goes with its entry")
}

func totals(t *testing.T, b *bench) {
	ids := b.put(entry(outbox.Events, 1), entry(outbox.Events, 2), entry(outbox.Events, 3))
	lease := b.lease(outbox.Events, "me")
	b.begin(lease, ids...)
	require.NoError(t, b.store.Settle(t.Context(), lease, []outbox.Verdict{
		{ID: ids[0], State: outbox.Accepted}, {ID: ids[1], State: outbox.Failed, Cause: "bad_request", Reason: "a"}, {ID: ids[2], State: outbox.Failed, Cause: "bad_request", Reason: "b"},
	}, b.now))
	require.NoError(t, b.store.Decide(t.Context(), ids[1:2], outbox.Decision{To: outbox.Discarded, By: "ari", Reason: "never mind"}, b.now))
	stats, err := b.store.Stats(t.Context())
	require.NoError(t, err)
	of := stats.Lanes[outbox.Events]
	assert.Equal(t, map[outbox.State]map[outbox.Cause]int64{
		outbox.Accepted: {"": 1}, outbox.Failed: {"bad_request": 2}, outbox.Discarded: {outbox.CauseDecided: 1},
	}, of.Totals)
	assert.Equal(t, map[outbox.State]int{outbox.Failed: 1, outbox.Discarded: 1}, of.States)
	assert.Equal(t, "me", of.Sender)
	assert.True(t, of.Lease.Equal(lease.Expires))
}
