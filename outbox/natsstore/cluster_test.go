package natsstore_test

import (
	"fmt"
	"net"
	neturl "net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/natsstore"
	"example.com/bento-go/outbox/storetest"
)

// cluster starts three servers that know each other.
func cluster(t *testing.T) (urls string, servers []*server.Server) {
	t.Helper()
	var ports []int
	var routes []*neturl.URL
	for range 3 {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		ports = append(ports, listener.Addr().(*net.TCPAddr).Port)
		routes = append(routes, &neturl.URL{Scheme: "nats", Host: listener.Addr().String()})
		require.NoError(t, listener.Close())
	}
	var all []string
	for i := range 3 {
		s := started(t, &server.Options{
			ServerName: fmt.Sprint("server", i), StoreDir: t.TempDir(), Routes: routes,
			Cluster: server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: ports[i]},
		})
		servers, all = append(servers, s), append(all, s.ClientURL())
	}
	require.Eventually(t, func() bool {
		for _, s := range servers {
			if s.JetStreamIsLeader() {
				return len(s.JetStreamClusterPeers()) == 3
			}
		}
		return false
	}, 20*time.Second, 20*time.Millisecond, "the cluster has no leader")
	return strings.Join(all, ","), servers
}

// In a cluster each entry is on three servers, and all is as with one.
func TestACluster(t *testing.T) { //nolint:tparallel // they break one cluster by turns
	t.Parallel()
	urls, servers := cluster(t)
	t.Run("conforms", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) outbox.Store {
			t.Helper()
			s, err := natsstore.Open(t.Context(), urls, natsstore.WithName(fresh()), natsstore.WithCapacity(3<<20))
			require.NoError(t, err)
			return s
		})
	})
	t.Run("a server goes away", func(t *testing.T) {
		name := fresh()
		var stores []*natsstore.Store
		for range 3 {
			s, err := natsstore.Open(t.Context(), urls, natsstore.WithName(name))
			require.NoError(t, err)
			t.Cleanup(func() { _ = s.Close() })
			stores = append(stores, s)
		}
		var all sync.WaitGroup
		var mu sync.Mutex
		firsts := map[string]int{}
		for _, s := range stores {
			all.Go(func() {
				for n := range 30 {
					key := strconv.Itoa(n)
					for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
						results, err := s.Put(t.Context(), []outbox.Entry{event(key)})
						if err == nil {
							mu.Lock()
							if !results[0].Duplicate {
								firsts[key]++
							}
							mu.Unlock()
							break
						}
					}
				}
			})
		}
		time.Sleep(100 * time.Millisecond)
		servers[0].Shutdown()
		all.Wait()
		for key, n := range firsts {
			assert.LessOrEqual(t, n, 1, key) // none if the answer was lost
		}
		require.Eventually(t, func() bool {
			stats, err := stores[1].Stats(t.Context())
			return err == nil && stats.Waiting() == 30
		}, 20*time.Second, 100*time.Millisecond, "each key once")
	})
}
