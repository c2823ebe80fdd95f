package memstore_test

import (
	"testing"

	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/memstore"
	"example.com/bento-go/outbox/storetest"
)

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(*testing.T) outbox.Store { return memstore.New(2 << 20) })
}
