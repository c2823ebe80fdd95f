package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/internal/natscluster"
	"example.com/bento-go/internal/needed"
	"example.com/bento-go/internal/pgcluster"
)

// Whoever looks at an outbox that is not there, since its name is mistyped perhaps, is told so, and
// makes none.
func TestLookingMakesNoOutbox(t *testing.T) {
	t.Parallel()
	looks := func(t *testing.T, store string) {
		t.Helper()
		for _, command := range [][]string{{"status"}, {"list"}, {"pause", "emails", "--reason", "x"}, {"status"}} {
			r := bentoctl(t.Context(), "", append(append([]string{"outbox"}, command...), "--store", store)...)
			assert.Equal(t, exitUsage, r.code, r.err)
			assert.Contains(t, r.err, "there is no outbox in ")
			assert.Contains(t, r.err, "#mistyped: bentoctl relay makes one")
		}
	}
	t.Run("NATS", func(t *testing.T) {
		t.Parallel()
		cluster, err := natscluster.Start(t.Context(), 3)
		require.NoError(t, err)
		t.Cleanup(func() { _ = cluster.Stop() })
		looks(t, "nats:"+cluster.URL()+"#mistyped")
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		needed.That(t, pgcluster.Programs() != "", "PostgreSQL")
		cluster, err := pgcluster.Start()
		require.NoError(t, err)
		t.Cleanup(func() { _ = cluster.Stop() })
		looks(t, "postgres:"+cluster.URL("postgres")+"#mistyped")

		r := bentoctl(t.Context(), "", "outbox", "status", "--store", "postgres:"+cluster.URL("nowhere"))
		assert.Equal(t, exitUsage, r.code, "a server that answers is there: %s", r.err)
		require.NoError(t, cluster.Stop())
		r = bentoctl(t.Context(), "", "outbox", "status", "--store", "postgres:"+cluster.URL("postgres"))
		assert.Equal(t, exitGaveUp, r.code, r.err)
	})
}
