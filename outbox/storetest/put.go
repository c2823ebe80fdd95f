package storetest

import (
	"bytes"
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/outbox"
)

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
	named := large
	named.Key = "first"
	first := b.put(named)
	kept := 0
	var err error
	for ; err == nil && kept < 500; kept++ {
		_, err = b.store.Put(t.Context(), []outbox.Entry{large})
	}
	require.ErrorIs(t, err, outbox.ErrFull)
	kept--
	require.GreaterOrEqual(t, kept, 2)
	_, err = b.store.Put(t.Context(), []outbox.Entry{entry(outbox.Events, 2), large, large, large, large})
	require.ErrorIs(t, err, outbox.ErrFull)
	results, err := b.store.Put(t.Context(), []outbox.Entry{named})
	require.NoError(t, err, "it takes no room: it is there")
	assert.Equal(t, []outbox.PutResult{{ID: first[0], Duplicate: true}}, results)
	small := entry(outbox.Events, 3)
	small.Key = "second"
	results, err = b.store.Put(t.Context(), []outbox.Entry{named, small, small})
	require.NoError(t, err, "there is room for what is new")
	assert.Equal(t, []bool{true, false, true}, []bool{results[0].Duplicate, results[1].Duplicate, results[2].Duplicate})
	assert.Equal(t, outbox.Queued, b.one(results[1].ID).State)
	lease := b.lease(outbox.Events, "me")
	ids := b.next(lease)
	assert.Len(t, ids, kept+2, "nothing of the calls that were refused")
	// What is kept is delivered even so, and then there is room again.
	b.begin(lease, ids...)
	b.settle(lease, outbox.Accepted, ids...)
	for range kept {
		b.put(large)
	}
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

func ended(t *testing.T, b *bench) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := b.store.Put(ctx, []outbox.Entry{entry(outbox.Events, 1)})
	require.ErrorIs(t, err, context.Canceled)
	assert.Empty(t, b.next(b.lease(outbox.Events, "me")))
}
