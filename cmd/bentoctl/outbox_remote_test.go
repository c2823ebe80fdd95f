package main

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/internal/natscluster"
	"example.com/bento-go/internal/needed"
	"example.com/bento-go/internal/pgcluster"
)

// makes has an outbox made, and used again.
func makes(t *testing.T, store, shown string) {
	t.Helper()
	keep := []string{"send", "event", "x", "ari@example.com", "--outbox", store}
	assert.Equal(t, result{0, "kept as entry 1: event x of ari@example.com\n", "made a new, empty outbox at " + shown + "\n"}, bentoctl(t.Context(), "", keep...))
	assert.Equal(t, result{0, "kept as entry 2: event x of ari@example.com\n", ""}, bentoctl(t.Context(), "", keep...))
}

// Whoever names an outbox that is not there, and has one made, is told so: once.
func TestANewOutboxIsTold(t *testing.T) {
	serving(t)
	dir := t.TempDir()
	makes(t, filepath.Join(dir, "spool"), "sqlite:"+filepath.Join(dir, "spool"))
	keep := []string{"send", "event", "x", "ari@example.com", "--outbox"}
	r := bentoctl(t.Context(), "", append(keep, filepath.Join(dir, "quiet"), "-q")...)
	assert.Equal(t, result{}, r)
	for _, want := range []string{"made a new, empty outbox at sqlite:", ""} {
		var errs bytes.Buffer
		ctx, stop := context.WithCancel(t.Context())
		out := &interruptAt{word: "relaying", cancel: stop}
		assert.Equal(t, 0, run(ctx, []string{"relay", "--store", filepath.Join(dir, "relayed")}, streams{strings.NewReader(""), out, &errs}))
		before, _, _ := strings.Cut(errs.String(), "ending: ")
		assert.Equal(t, want != "", strings.HasPrefix(before, "made a new"), before)
		assert.Contains(t, before, want)
	}
	r = bentoctl(t.Context(), "", append(keep, filepath.Join(dir, "json"), "--json")...)
	assert.Contains(t, r.err, `"msg":"made a new, empty outbox","at":"sqlite:`)
}

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
		spec, err := parseStore("nats:" + cluster.URL() + "#new")
		require.NoError(t, err)
		makes(t, "nats:"+cluster.URL()+"#new", spec.String())
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		needed.That(t, pgcluster.Programs() != "", "PostgreSQL")
		cluster, err := pgcluster.Start()
		require.NoError(t, err)
		t.Cleanup(func() { _ = cluster.Stop() })
		looks(t, "postgres:"+cluster.URL("postgres")+"#mistyped")
		spec, err := parseStore("postgres:" + cluster.URL("postgres") + "#new")
		require.NoError(t, err)
		makes(t, "postgres:"+cluster.URL("postgres")+"#new", spec.String())

		r := bentoctl(t.Context(), "", "outbox", "status", "--store", "postgres:"+cluster.URL("nowhere"))
		assert.Equal(t, exitUsage, r.code, "a server that answers is there: %s", r.err)
		require.NoError(t, cluster.Stop())
		r = bentoctl(t.Context(), "", "outbox", "status", "--store", "postgres:"+cluster.URL("postgres"))
		assert.Equal(t, exitGaveUp, r.code, r.err)
	})
}
