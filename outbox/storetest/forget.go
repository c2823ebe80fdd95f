package storetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/outbox"
)

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
