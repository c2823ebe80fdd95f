package sqlitestore_test

import (
	"path/filepath"
	"testing"

	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/sqlitestore"
	"example.com/bento-go/outbox/storetest"
)

func openBench(b *testing.B) outbox.Store {
	b.Helper()
	s, err := sqlitestore.Open(b.Context(), filepath.Join(b.TempDir(), "outbox.db"))
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func BenchmarkPut(b *testing.B)      { storetest.BenchmarkPut(b, openBench) }
func BenchmarkDelivery(b *testing.B) { storetest.BenchmarkDelivery(b, openBench) }
