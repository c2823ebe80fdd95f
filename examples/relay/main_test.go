package main

import (
	"context"
	"expvar"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/conformance/fake/faketest"
	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/sqlitestore"
	bento "example.com/bento-go/wrapper"
)

func TestWhatOthersPutInIsDelivered(t *testing.T) {
	t.Parallel()
	b := faketest.New(t)
	spool := filepath.Join(t.TempDir(), "spool")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error)
	go func() { ended <- relay(ctx, b.Client, spool) }()

	store, err := sqlitestore.Open(t.Context(), filepath.Join(spool, "outbox.db"))
	require.NoError(t, err)
	defer func() { _ = store.Close() }()
	box := outbox.New(nil, store)
	_, err = box.Enqueue(t.Context(), outbox.Event(bento.Event{Type: "$signed_up", Email: "ari@example.com"}))
	require.NoError(t, err)
	require.NoError(t, box.Flush(t.Context()))
	b.RequireEvents("$signed_up")
	assert.Contains(t, expvar.Get("outbox").String(), `"accepted":{"":1}`)
	cancel()
	require.NoError(t, <-ended)
}
