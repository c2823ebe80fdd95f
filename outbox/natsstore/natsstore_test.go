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
	for name, adjust := range map[string]func(*natsstore.Store, int){
		"as it is": func(*natsstore.Store, int) {},
		"with little at a time": func(s *natsstore.Store, n int) { // by turns, so that what is left is made up for
			if n%2 == 0 {
				s.HoldLittle()
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var outboxName string
			n := 0
			opened := func(t *testing.T) outbox.Store {
				t.Helper()
				s := open(t, outboxName)
				adjust(s, n)
				n++
				return s
			}
			storetest.Model(t, func(t *testing.T) outbox.Store {
				t.Helper()
				outboxName = fresh()
				return opened(t)
			}, func(*testing.T) outbox.Store { return memstore.New(1 << 30) }, func(t *testing.T, store outbox.Store) outbox.Store {
				t.Helper()
				require.NoError(t, store.Close())
				return opened(t)
			})
		})
	}
}
