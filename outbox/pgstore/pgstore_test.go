package pgstore_test

import (
	"flag"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"example.com/bento-go/internal/needed"
	"example.com/bento-go/internal/pgcluster"
	"example.com/bento-go/internal/scratch"
	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/memstore"
	"example.com/bento-go/outbox/pgstore"
	"example.com/bento-go/outbox/storetest"
)

// A shared is a server that all tests use, each with a schema of its own.
type shared struct {
	once    sync.Once
	cluster *pgcluster.Cluster
	err     error
	schemas atomic.Int64
}

var server shared

func TestMain(m *testing.M) {
	_ = flag.Set("rapid.checks", "5")  // a step is several round trips; scripts/soak tries more
	_ = flag.Set("test.parallel", "4") // much of a test is waiting
	end := scratch.Begin()
	code := m.Run()
	if server.cluster != nil {
		if err := server.cluster.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	end()
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// cluster is the server; the test is skipped where there is no PostgreSQL.
func cluster(t testing.TB) *pgcluster.Cluster {
	t.Helper()
	needed.That(t, pgcluster.Programs() != "", "PostgreSQL (initdb and postgres)")
	server.once.Do(func() { server.cluster, server.err = pgcluster.Start() })
	require.NoError(t, server.err)
	return server.cluster
}

// fresh names a schema that is not there.
func fresh() string { return fmt.Sprintf("outbox %d", server.schemas.Add(1)) }

func open(t testing.TB, schema string, opts ...pgstore.Option) *pgstore.Store {
	t.Helper()
	s, err := pgstore.Open(t.Context(), cluster(t).URL("postgres"), append(opts, pgstore.WithSchema(schema))...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) outbox.Store {
		t.Helper()
		return open(t, fresh(), pgstore.WithCapacity(3<<20))
	})
}

// A pooler between them takes statements that are not prepared, as they are set to be in the URL.
func TestStoreWithoutPreparedStatements(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"exec", "simple_protocol"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			storetest.Run(t, func(t *testing.T) outbox.Store {
				t.Helper()
				s, err := pgstore.Open(t.Context(), cluster(t).URL("postgres")+"&default_query_exec_mode="+mode, pgstore.WithCapacity(3<<20), pgstore.WithSchema(fresh()))
				require.NoError(t, err)
				return s
			})
		})
	}
}

// Whatever is done to it, being opened again included, the database says what the memory says.
func TestStoreIsLikeTheReference(t *testing.T) {
	t.Parallel()
	var schema string
	storetest.Model(t, func(t *testing.T) outbox.Store {
		t.Helper()
		schema = fresh()
		return open(t, schema)
	}, func(*testing.T) outbox.Store { return memstore.New(1 << 30) }, func(t *testing.T, store outbox.Store) outbox.Store {
		t.Helper()
		require.NoError(t, store.Close())
		return open(t, schema)
	})
}
