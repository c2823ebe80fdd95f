package natsstore_test

import (
	"testing"

	"github.com/nats-io/nats-server/v2/server"

	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/natsstore"
	"example.com/bento-go/outbox/storetest"
)

// both runs a benchmark with one server, as it is shipped and with each write synced.
func both(b *testing.B, do func(b *testing.B, open storetest.OpenBench)) {
	b.Helper()
	for name, always := range map[string]bool{"synced each two minutes": false, "synced always": true} {
		b.Run(name, func(b *testing.B) {
			url := started(b, &server.Options{StoreDir: b.TempDir(), SyncAlways: always}).ClientURL()
			do(b, func(b *testing.B) outbox.Store {
				b.Helper()
				s, err := natsstore.Open(b.Context(), url, natsstore.WithName(fresh()), natsstore.WithCapacity(8<<30))
				if err != nil {
					b.Fatal(err)
				}
				return s
			})
		})
	}
}

func BenchmarkPut(b *testing.B)      { both(b, storetest.BenchmarkPut) }
func BenchmarkDelivery(b *testing.B) { both(b, storetest.BenchmarkDelivery) }
