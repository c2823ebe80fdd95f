package natsstore_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/memstore"
	"example.com/bento-go/outbox/natsstore"
	"example.com/bento-go/outbox/storetest"
)

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) outbox.Store {
		t.Helper()
		return open(t, fresh(), natsstore.WithCapacity(3<<20))
	})
}

// Whatever is done to it, being opened again included, the cluster says what the memory says.
func TestStoreIsLikeTheReference(t *testing.T) {
	t.Parallel()
	var name string
	storetest.Model(t, func(t *testing.T) outbox.Store {
		t.Helper()
		name = fresh()
		return open(t, name)
	}, func(*testing.T) outbox.Store { return memstore.New(1 << 30) }, func(t *testing.T, store outbox.Store) outbox.Store {
		t.Helper()
		require.NoError(t, store.Close())
		return open(t, name)
	})
}
