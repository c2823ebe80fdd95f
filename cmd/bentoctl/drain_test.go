package main

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/conformance/fake"
	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/sqlitestore"
	bento "example.com/bento-go/wrapper"
)

// interruptedDrain is a drain of n events that is interrupted while its first request is in flight.
func interruptedDrain(t *testing.T, n int, args ...string) (result, *fake.Server) {
	t.Helper()
	server, err := fake.New(faultsOf(t, "trackEvents=delay:300ms"))
	require.NoError(t, err)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	point(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		interrupt()
		server.ServeHTTP(w, r)
	}))
	dir := t.TempDir()
	store, err := sqlitestore.Open(t.Context(), filepath.Join(dir, outboxFile))
	require.NoError(t, err)
	sender := outbox.New(nil, store)
	records := make([]outbox.Item, n)
	for i := range records {
		records[i] = outbox.Event(bento.Event{Type: "x", Email: "ari@example.com"})
	}
	_, err = sender.Enqueue(t.Context(), records...)
	require.NoError(t, err)
	require.NoError(t, store.Close())
	return bentoctl(ctx, "", append([]string{"outbox", "drain", "--store", dir, "--limits", "off"}, args...)...), server
}

// What an interrupted drain says is so: what was in flight is counted when its answer has come.
func TestAnInterruptedDrainCountsWhatWasInFlight(t *testing.T) {
	r, server := interruptedDrain(t, 3001)
	accepted := server.Counts().Events.Accepted
	require.Positive(t, accepted)
	require.Less(t, accepted, 3001)
	assert.Equal(t, exitInterrupted, r.code, r.err)
	assert.Equal(t, fmt.Sprintf("%s accepted, 0 parked or failed, %s left\n", entriesWord(accepted), thousands(3001-accepted)), r.out)
	assert.Contains(t, r.err, "bentoctl: context canceled; what is left waits in the outbox\n", "the numbers are said once")
	assert.NotContains(t, r.err, "entries")
}

// Where the numbers are not said, the error says how much waits.
func TestAQuietDrainSaysWhatWaits(t *testing.T) {
	r, server := interruptedDrain(t, 1001, "--quiet")
	require.Equal(t, 1000, server.Counts().Events.Accepted)
	assert.Equal(t, result{exitInterrupted, "", "bentoctl: context canceled; 1 entry waits in the outbox\n"}, r)
}

// A drain whose last request was in flight when it was interrupted is done.
func TestADrainThatFinishedInTimeIsDone(t *testing.T) {
	r, _ := interruptedDrain(t, 1)
	assert.Equal(t, exitDone, r.code, r.err)
	assert.Equal(t, "1 entry accepted, 0 parked or failed, 0 left\n", r.out)
}
