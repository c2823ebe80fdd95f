package pgstore_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/internal/needed"
	"example.com/bento-go/internal/pgcluster"
	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/pgstore"
)

// own starts a server that nobody else uses.
func own(t *testing.T) *pgcluster.Cluster {
	t.Helper()
	needed.That(t, pgcluster.Programs() != "", "PostgreSQL (initdb and postgres)")
	c, err := pgcluster.Start()
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.Stop()) })
	return c
}

// A primary that another has replaced, and that goes on answering, takes no changes: what puts, what sends
// and what hears leave it for the one that does, as the URL says, and nobody has to start them again.
func TestASwitchoverIsFollowed(t *testing.T) {
	t.Parallel()
	first, second := own(t), own(t)
	_, at, _ := strings.Cut(second.URL("postgres"), "host=")
	old, err := pgstore.Open(t.Context(), first.URL("postgres"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = old.Close() })
	replacing, err := pgstore.Open(t.Context(), second.URL("postgres"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = replacing.Close() })
	s, err := pgstore.Open(t.Context(), first.URL("postgres")+","+at+"&target_session_attrs=read-write")
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	s.SetQuiet(20 * time.Millisecond)
	var all sync.WaitGroup
	for range 4 { // several connections
		all.Go(func() { _, _ = s.Stats(context.WithoutCancel(t.Context())) })
	}
	all.Wait()
	put(t, s, 1)
	assert.Equal(t, 1, waiting(t, old))
	heard, deaf := make(chan outbox.Lane, 100), make(chan error, 1)
	go func(heard chan<- outbox.Lane) {
		deaf <- s.Wake(t.Context(), func(lane outbox.Lane) { heard <- lane })
	}(heard)
	for range outbox.Lanes {
		hears(t, heard)
	}

	require.NoError(t, first.Run(t.Context(), "ALTER SYSTEM SET default_transaction_read_only = on"))
	require.NoError(t, first.Run(t.Context(), "SELECT pg_reload_conf()"))
	select {
	case err := <-deaf:
		require.ErrorContains(t, err, "takes no changes")
	case <-time.After(10 * time.Second):
		t.Fatal("it listens to a server at which nothing is put")
	}
	puts := 1
	for waiting(t, replacing) == 0 && puts < 100 { // each connection is told by its server in its own time
		put(t, s, 1)
		puts++
	}
	assert.Equal(t, 1, waiting(t, replacing), "it went where changes are taken")
	assert.Equal(t, puts-1, waiting(t, old), "what was put before is there")
	_, err = s.Acquire(t.Context(), outbox.Events, "me", time.Now(), time.Minute)
	require.NoError(t, err)
	again := listenTo(t, s)
	require.NoError(t, replacing.Pause(t.Context(), outbox.Commands, "")) // of which is told
	assert.Equal(t, outbox.Commands, hears(t, again))
}
