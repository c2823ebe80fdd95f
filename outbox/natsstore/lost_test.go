package natsstore_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/natsstore"
)

// Messages that are read together come by a way on which one may be lost: what comes after it is read
// again, and never passed over.
func TestAMessageThatIsLostOnItsWay(t *testing.T) {
	t.Parallel()
	s := open(t, fresh())
	put(t, s, event(""), event(""), event(""), event(""))
	come, err := s.Fetched()
	require.NoError(t, err)
	require.Len(t, come, 5, "four, and one that says that there are no more")
	for name, c := range map[string]struct {
		lost int
		want int
		more bool
	}{
		"none":        {-1, 4, false},
		"the first":   {0, 0, true},
		"one between": {2, 2, true},
		"the last":    {3, 3, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var left []*nats.Msg
			for i, msg := range come {
				if i != c.lost {
					left = append(left, msg)
				}
			}
			read, more, err := natsstore.Take(left)
			require.NoError(t, err)
			assert.Equal(t, c.want, read)
			assert.Equal(t, c.more, more)
		})
	}
}

// A door lets users in, or does not.
type door struct{ shut, refused atomic.Int64 }

func (d *door) Check(server.ClientAuthentication) bool {
	if d.shut.Load() == 0 {
		return true
	}
	d.refused.Add(1)
	return false
}

// Credentials that are refused for a while, since somebody changes them, end no store.
func TestLoginsThatAreRefusedForAWhile(t *testing.T) {
	t.Parallel()
	d := &door{}
	at := started(t, &server.Options{StoreDir: t.TempDir(), CustomClientAuthentication: d})
	s, err := natsstore.Open(t.Context(), at.ClientURL())
	require.NoError(t, err)
	defer func() { _ = s.Close() }()
	d.shut.Store(1)
	clients, err := at.Connz(nil)
	require.NoError(t, err)
	for _, client := range clients.Conns {
		require.NoError(t, at.DisconnectClientByID(client.Cid))
	}
	require.Eventually(t, func() bool { return d.refused.Load() > 3 }, 20*time.Second, 10*time.Millisecond)
	d.shut.Store(0)
	require.Eventually(t, func() bool {
		_, err := s.Put(t.Context(), []outbox.Entry{event("")})
		return err == nil
	}, 20*time.Second, 10*time.Millisecond)
}
