package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/bento-go/outbox"
)

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
