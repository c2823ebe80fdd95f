// Package storetest holds every [outbox.Store] to the same cases.
package storetest

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/outbox"
)

// room is how many bytes a store of a test holds, at least.
const room = 1 << 20

// An Open makes a store that is empty, with room for a megabyte of records and not for a hundred.
type Open func(t *testing.T) outbox.Store

// Run holds what open makes to all cases.
func Run(t *testing.T, open Open) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, *bench){
		"what is put is next, in order":               putNext,
		"a key is kept once":                          keys,
		"a full store keeps nothing of a call":        full,
		"a lane has one sender at a time":             leases,
		"who lost the lane changes nothing":           fencing,
		"what waits is not due":                       notBefore,
		"all or none":                                 atomic,
		"what was in flight is recovered":             recovered,
		"a paused lane has nothing next":              paused,
		"a person decides about parked and failed":    decisions,
		"queries select":                              queries,
		"what is settled is forgotten, parked is not": forget,
		"a context that has ended changes nothing":    ended,
		"what is accepted leaves its key at most":     leaves,
		"parked, failed and decided are history":      histories,
		"verdicts are counted by their cause":         totals,
		"a clock that is set back keeps nobody":       setBack,
		"what waited goes before what is new":         order,
		"what is old is forgotten in portions":        forgetSome,
		"what comes to much is sent in parts":         large,
		"an owner that comes back has its token":      comesBack,
	} {
		t.Run(name, func(t *testing.T) {
			store := open(t)
			t.Cleanup(func() { _ = store.Close() })
			test(t, &bench{t, store, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)})
		})
	}
}

// A bench is a store under test, at a time.
type bench struct {
	t     *testing.T
	store outbox.Store
	now   time.Time
}

func entry(lane outbox.Lane, n int) outbox.Entry {
	return outbox.Entry{Lane: lane, Policy: outbox.AtLeastOnce, Record: fmt.Appendf(nil, `{"n":%d}`, n)}
}

func (b *bench) put(entries ...outbox.Entry) []int64 {
	b.t.Helper()
	for i := range entries {
		entries[i].Enqueued, entries[i].Changed = b.now, b.now
	}
	results, err := b.store.Put(b.t.Context(), entries)
	require.NoError(b.t, err)
	ids := make([]int64, len(results))
	for i, r := range results {
		ids[i] = r.ID
	}
	return ids
}

func (b *bench) lease(lane outbox.Lane, owner string) outbox.Lease {
	b.t.Helper()
	lease, err := b.store.Acquire(b.t.Context(), lane, owner, b.now, time.Minute)
	require.NoError(b.t, err)
	return lease
}

func (b *bench) next(lease outbox.Lease) []int64 {
	b.t.Helper()
	due, _, err := b.store.Next(b.t.Context(), lease, 100, b.now)
	require.NoError(b.t, err)
	return idsOf(due)
}

func idsOf(entries []outbox.Entry) []int64 {
	ids := []int64{}
	for _, e := range entries {
		ids = append(ids, e.ID)
	}
	return ids
}

func (b *bench) begin(lease outbox.Lease, ids ...int64) {
	b.t.Helper()
	require.NoError(b.t, b.store.Begin(b.t.Context(), lease, ids, b.now))
}

func (b *bench) settle(lease outbox.Lease, state outbox.State, ids ...int64) {
	b.t.Helper()
	var all []outbox.Verdict
	for _, id := range ids {
		all = append(all, outbox.Verdict{ID: id, State: state, Reason: "because"})
	}
	require.NoError(b.t, b.store.Settle(b.t.Context(), lease, all, b.now))
}

func (b *bench) one(id int64) outbox.Entry {
	b.t.Helper()
	found, err := b.store.Query(b.t.Context(), outbox.Filter{IDs: []int64{id}}, 2)
	require.NoError(b.t, err)
	require.Len(b.t, found, 1)
	return found[0]
}

func putNext(t *testing.T, b *bench) {
	given := entry(outbox.Events, 1)
	given.Key, given.Harmless = "a", true
	ids := b.put(given, entry(outbox.Emails, 2), entry(outbox.Events, 3))
	assert.Less(t, ids[0], ids[1])
	assert.Less(t, ids[1], ids[2])
	lease := b.lease(outbox.Events, "me")
	due, later, err := b.store.Next(t.Context(), lease, 100, b.now)
	require.NoError(t, err)
	assert.Equal(t, []int64{ids[0], ids[2]}, idsOf(due))
	assert.True(t, later.IsZero())
	want := given
	want.ID, want.State, want.Enqueued, want.Changed = ids[0], outbox.Queued, b.now, b.now
	got := due[0]
	got.Enqueued, got.Changed = got.Enqueued.UTC(), got.Changed.UTC()
	assert.Equal(t, want, got, "as it was given")
	due, later, err = b.store.Next(t.Context(), lease, 1, b.now)
	require.NoError(t, err)
	assert.Len(t, due, 1)
	assert.False(t, later.IsZero() || later.After(b.now), "more is due now")
}

func keys(t *testing.T, b *bench) {
	named := entry(outbox.Emails, 1)
	named.Key = "welcome/1"
	other := entry(outbox.Events, 1)
	other.Key = "welcome/1" // in another lane
	results, err := b.store.Put(t.Context(), []outbox.Entry{named, named, other, entry(outbox.Emails, 2), entry(outbox.Emails, 2)})
	require.NoError(t, err)
	assert.Equal(t, results[0].ID, results[1].ID)
	assert.Equal(t, []bool{false, true, false, false, false}, []bool{results[0].Duplicate, results[1].Duplicate, results[2].Duplicate, results[3].Duplicate, results[4].Duplicate})
	again, err := b.store.Put(t.Context(), []outbox.Entry{named})
	require.NoError(t, err)
	assert.Equal(t, outbox.PutResult{ID: results[0].ID, Duplicate: true}, again[0])
	assert.Len(t, b.next(b.lease(outbox.Emails, "me")), 3)
}

func full(t *testing.T, b *bench) {
	large := entry(outbox.Events, 1)
	large.Record = make([]byte, room/4)
	large.Record[0], large.Record[1] = '{', '}'
	for i := range large.Record[2:] {
		large.Record[2+i] = ' '
	}
	kept := 0
	var err error
	for ; err == nil && kept < 500; kept++ {
		_, err = b.store.Put(t.Context(), []outbox.Entry{large})
	}
	require.ErrorIs(t, err, outbox.ErrFull)
	kept--
	require.GreaterOrEqual(t, kept, 3)
	_, err = b.store.Put(t.Context(), []outbox.Entry{entry(outbox.Events, 2), large, large, large, large})
	require.ErrorIs(t, err, outbox.ErrFull)
	lease := b.lease(outbox.Events, "me")
	ids := b.next(lease)
	assert.Len(t, ids, kept, "nothing of the call")
	// What is kept is delivered even so, and then there is room again.
	b.begin(lease, ids...)
	b.settle(lease, outbox.Accepted, ids...)
	for range kept {
		b.put(large)
	}
}

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
	b.lease(outbox.Events, "me")
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

func paused(t *testing.T, b *bench) {
	ids := b.put(entry(outbox.Events, 1), entry(outbox.Emails, 2))
	require.NoError(t, b.store.Pause(t.Context(), outbox.Events, "the keys are wrong"))
	lease := b.lease(outbox.Events, "me")
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

func forget(t *testing.T, b *bench) {
	named := entry(outbox.Events, 1)
	named.Key = "a"
	ids := b.put(named, entry(outbox.Events, 2), entry(outbox.Events, 3))
	lease := b.lease(outbox.Events, "me")
	b.begin(lease, ids[:2]...)
	b.settle(lease, outbox.Accepted, ids[0])
	b.settle(lease, outbox.Parked, ids[1])
	gone, err := b.store.Forget(t.Context(), outbox.Events, b.now, 100)
	require.NoError(t, err)
	assert.Zero(t, gone, "it is not older")
	gone, err = b.store.Forget(t.Context(), outbox.Events, b.now.Add(time.Hour), 100)
	require.NoError(t, err)
	assert.Equal(t, 1, gone)
	results, err := b.store.Put(t.Context(), []outbox.Entry{named})
	require.NoError(t, err)
	assert.False(t, results[0].Duplicate, "its key is free again")
	assert.Greater(t, results[0].ID, ids[2], "and its ID is not")
}

func forgetSome(t *testing.T, b *bench) {
	ids := b.put(entry(outbox.Events, 1), entry(outbox.Events, 2), entry(outbox.Events, 3))
	lease := b.lease(outbox.Events, "me")
	b.begin(lease, ids...)
	b.settle(lease, outbox.Failed, ids[1])
	b.now = b.now.Add(time.Second)
	b.settle(lease, outbox.Failed, ids[0], ids[2])
	gone, err := b.store.Forget(t.Context(), outbox.Events, b.now.Add(time.Hour), 2)
	require.NoError(t, err)
	assert.Equal(t, 2, gone)
	left, err := b.store.Query(t.Context(), outbox.Filter{}, 10)
	require.NoError(t, err)
	assert.Equal(t, ids[2:], idsOf(left), "those first that changed first")
	stats, err := b.store.Stats(t.Context())
	require.NoError(t, err)
	assert.Equal(t, int64(2), stats.Lanes[outbox.Events].Totals[outbox.Discarded][outbox.CauseForgotten], "nothing goes in silence")
}

// What comes to much is sent in parts.
func large(t *testing.T, b *bench) {
	big := entry(outbox.Events, 1)
	big.Record = append(append([]byte(`{"x":"`), bytes.Repeat([]byte("x"), 300<<10)...), `"}`...)
	ids := b.put(big, big, entry(outbox.Events, 2))
	lease := b.lease(outbox.Events, "me")
	assert.Equal(t, ids, b.next(lease))
	assert.Equal(t, 2, outbox.Together([]outbox.Entry{{Record: make([]byte, outbox.MaxBytes-1)}, {Record: []byte("{}")}, {}}, 10))
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

func ended(t *testing.T, b *bench) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := b.store.Put(ctx, []outbox.Entry{entry(outbox.Events, 1)})
	require.ErrorIs(t, err, context.Canceled)
	assert.Empty(t, b.next(b.lease(outbox.Events, "me")))
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
