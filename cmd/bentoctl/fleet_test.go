package main

import (
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/conformance/fake"
	"example.com/bento-go/gen"
	"example.com/bento-go/internal/arrivals"
	"example.com/bento-go/internal/natscluster"
	"example.com/bento-go/internal/needed"
	"example.com/bento-go/internal/pgcluster"
	"example.com/bento-go/outbox"
	bento "example.com/bento-go/wrapper"
)

var (
	fleetEvents = flag.Int("fleet-events", 2_000, "how many events a fleet delivers")
	fleetEmails = flag.Int("fleet-emails", 4, "how many emails a fleet delivers")
	fleetEvery  = flag.Duration("fleet-every", 2*time.Second, "how often a relay of a fleet is killed")
	fleetFaults = flag.Duration("fleet-faults", 6*time.Second, "for how long a fleet is disturbed, at most")
	fleetLease  = flag.Duration("fleet-lease", 4*time.Second, "how long a relay of a fleet has a lane")
	fleetLimit  = flag.Int("fleet-limit", 95, "how many requests a minute the relays of a fleet make; Bento allows 100")
)

// A fleet is relays that share an outbox, and a Bento that limits them as the real one does.
type fleet struct {
	t        *testing.T
	server   *fake.Server
	arrivals *arrivals.Counter
	env      []string
	specs    []string   // of the outbox, for each relay
	mu       sync.Mutex // of relays
	relays   []*exec.Cmd
	log      *os.File // of all relays
	kills    int
	cuts     int
}

const relaysOfFleet = 4

func newFleet(t *testing.T, specs []string) *fleet {
	t.Helper()
	server, err := fake.New()
	require.NoError(t, err)
	f := &fleet{t: t, server: server, arrivals: arrivals.New(server, 20*time.Millisecond, `"name":"([0-9]+)"`), specs: specs, relays: make([]*exec.Cmd, relaysOfFleet)}
	listening := httptest.NewServer(f.arrivals)
	t.Cleanup(listening.Close)
	f.env = []string{
		"HOME=" + t.TempDir(), bento.EnvBaseURL + "=" + listening.URL + gen.BasePath,
		bento.EnvPublishableKey + "=pk", bento.EnvSecretKey + "=sk", bento.EnvSiteUUID + "=site_of_fleet", bento.EnvUserAgent + "=AcmeCRM/1.0",
	}
	f.log, err = os.Create(t.TempDir() + "/relays.log")
	require.NoError(t, err)
	ending := make(chan struct{})
	var all sync.WaitGroup
	for i := range f.relays {
		all.Go(func() { f.supervise(i, ending) })
	}
	t.Cleanup(func() {
		close(ending)
		for i := range f.relays {
			f.kill(i)
		}
		all.Wait()
		_ = f.log.Close()
	})
	return f
}

// supervise keeps a relay running: one that is killed, or that finds no cluster that answers when it
// starts and ends, is started again.
func (f *fleet) supervise(i int, ending <-chan struct{}) {
	for {
		cmd := program(f.t, "relay", "-q", "--store", f.specs[i], "--lease", fleetLease.String(), "--limits", fmt.Sprintf("%d/min", *fleetLimit))
		cmd.Env = append(cmd.Env, f.env...)
		cmd.Stderr = f.log
		f.mu.Lock()
		err := cmd.Start()
		f.relays[i] = cmd
		f.mu.Unlock()
		if err != nil {
			f.t.Errorf("a relay does not start: %v", err)
			return
		}
		select {
		case <-ending:
			_ = cmd.Process.Kill() // whom it did not find yet
		default:
		}
		_ = cmd.Wait()
		select {
		case <-ending:
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// kill kills a relay, if it runs; another starts in its place.
func (f *fleet) kill(i int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.relays[i] != nil {
		_ = f.relays[i].Process.Kill()
	}
}

// name is an event's.
func name(n int) string { return strconv.Itoa(n) }

// enqueue hands over all there is, by several at once, as a fleet of services would. What the store does
// not acknowledge is handed over again, under the same keys.
func (f *fleet) enqueue(stores []outbox.Store) {
	const together = 100
	var all sync.WaitGroup
	for part, store := range stores {
		sender := outbox.New(nil, store)
		all.Go(func() {
			var items []outbox.Item
			flush := func() {
				for tries := 0; len(items) > 0; tries++ {
					_, err := sender.Enqueue(f.t.Context(), items...)
					if err == nil {
						items = nil
						return
					}
					if tries > 600 {
						f.t.Errorf("it is not taken: %v", err)
						return
					}
					time.Sleep(100 * time.Millisecond)
				}
			}
			for n := part; n < *fleetEvents; n += len(stores) {
				items = append(items, outbox.Event(bento.Event{Type: "x", Email: "ari@example.com", Details: gen.EventDetails{"name": name(n)}}, outbox.Key("event/"+name(n))))
				if len(items) == together {
					flush()
				}
			}
			flush()
			for n := part; n < *fleetEmails; n += len(stores) {
				items = append(items, outbox.Email(bento.Email{To: "ari@example.com", From: "team@acme.example", Subject: name(n), HTMLBody: "x"}, outbox.Key("email/"+name(n))))
				flush()
			}
		})
	}
	all.Wait()
}

// deliver waits until nothing waits any more, and disturbs meanwhile. What a slow machine has not done
// when the faults end, it has to do in a while.
func (f *fleet) deliver(stores []outbox.Store, disturb func()) (took time.Duration) {
	f.t.Helper()
	began := time.Now()
	enqueued := make(chan struct{})
	go func() { defer close(enqueued); f.enqueue(stores) }()
	next := began.Add(*fleetEvery)
	limit := f.ideal()*3 + 2*time.Minute
	for time.Since(began) < limit {
		if time.Now().After(next) && time.Since(began) < *fleetFaults {
			next = time.Now().Add(*fleetEvery)
			f.kill(rand.IntN(len(f.relays)))
			f.kills++
			disturb()
		}
		select {
		case <-enqueued:
			if idle, err := stores[0].Idle(f.t.Context()); err == nil && idle {
				return time.Since(began)
			}
		default:
		}
		time.Sleep(200 * time.Millisecond)
	}
	f.giveUp(stores[0], enqueued)
	return 0
}

// ideal is how long it takes where nothing fails.
func (f *fleet) ideal() time.Duration {
	return time.Duration(*fleetEvents/1000+*fleetEmails) * time.Minute / time.Duration(*fleetLimit)
}

// giveUp tells what there is to tell of a fleet that does not end.
func (f *fleet) giveUp(store outbox.Store, enqueued <-chan struct{}) {
	f.t.Helper()
	select {
	case <-enqueued:
	default:
		f.t.Log("not all is enqueued")
	}
	stats, err := store.Stats(f.t.Context())
	f.t.Logf("it has %+v %v", stats, err)
	said, _ := os.ReadFile(f.log.Name())
	f.t.Fatalf("it does not end: the relays said\n%s", said[max(0, len(said)-4000):])
}

// verify holds what arrived to what was handed over.
func (f *fleet) verify(store outbox.Store, took time.Duration) {
	t := f.t
	t.Helper()
	lost, again := f.arrivals.Tally(func(yield func(string) bool) {
		for n := 0; n < *fleetEvents && yield(name(n)); n++ {
		}
	})
	assert.Zero(t, lost, "of %d", *fleetEvents)
	assert.LessOrEqual(t, again, f.hands(store, outbox.Events)*1000, "what was in flight when the lane changed hands")
	counts := f.server.Counts()
	assert.Zero(t, counts.Emails.Repeated)
	stats, err := store.Stats(t.Context())
	require.NoError(t, err)
	parked := stats.Parked()
	assert.GreaterOrEqual(t, counts.Emails.Accepted+parked, *fleetEmails)
	assert.LessOrEqual(t, parked, f.hands(store, outbox.Emails))
	refused := 100 * float64(counts.Limited) / float64(counts.Requests)
	assert.Less(t, refused, 1.0, "percent are refused")
	t.Logf("%d kills of relays, %d cuts: %d events, %d lost, %d again; %d emails, 0 twice, %d parked; %d of %d requests refused; %.0f s, %.2f of what the limit allows",
		f.kills, f.cuts, *fleetEvents, lost, again, *fleetEmails, parked, counts.Limited, counts.Requests, took.Seconds(), took.Seconds()/f.ideal().Seconds())
}

// hands is how many have had a lane: each of them may have left a batch in flight. They are more than
// were killed, since one that is cut off, or that a busy machine does not let run, loses its lanes, too.
func (f *fleet) hands(store outbox.Store, lane outbox.Lane) int {
	f.t.Helper()
	for range 100 {
		if lease, err := store.Acquire(f.t.Context(), lane, "count", time.Now().Add(time.Hour), time.Second); err == nil {
			return int(lease.Token)
		}
		time.Sleep(100 * time.Millisecond)
	}
	f.t.Fatal("the lane is not to be had")
	return 0
}

func openSpecs(t *testing.T, text string, n int) (stores []outbox.Store) {
	t.Helper()
	spec, err := parseStore(text)
	require.NoError(t, err)
	for range n {
		store, err := spec.open(t.Context(), true, slog.New(slog.DiscardHandler))
		for tries := 0; err != nil && tries < 10; tries++ { // a cluster has no leader yet: again, as a supervisor would
			t.Log(err)
			time.Sleep(time.Second)
			store, err = spec.open(t.Context(), true, slog.New(slog.DiscardHandler))
		}
		require.NoError(t, err)
		t.Cleanup(func() { _ = store.Close() })
		stores = append(stores, store)
	}
	return stores
}

// Four relays share a cluster of three nodes. Relays and nodes are killed at any moment, and links are
// cut, so that an old sender wakes up when another has its lane.
func TestAFleetOnNATS(t *testing.T) {
	t.Parallel()
	cluster, err := natscluster.Start(t.Context(), 3)
	require.NoError(t, err)
	t.Cleanup(func() { _ = cluster.Stop() })
	var specs []string
	var links [][]*natscluster.Link
	for range relaysOfFleet {
		var urls []string
		var own []*natscluster.Link
		for i := range cluster.Size() {
			link, err := natscluster.NewLink(cluster.Address(i))
			require.NoError(t, err)
			t.Cleanup(link.Close)
			own, urls = append(own, link), append(urls, "nats://"+link.Address())
		}
		specs, links = append(specs, "nats:"+strings.Join(urls, ",")), append(links, own)
	}
	stores := openSpecs(t, "nats:"+cluster.URL(), 3)
	f := newFleet(t, specs)
	round := 0
	took := f.deliver(stores, func() {
		round++
		f.cuts++
		if node := round % cluster.Size(); round%2 == 0 {
			cluster.Kill(node)
			require.NoError(t, cluster.Restart(node))
			return
		}
		for _, link := range links[round%relaysOfFleet] {
			link.Cut()
			time.AfterFunc(3*time.Second, link.Mend)
		}
	})
	time.Sleep(3 * time.Second) // until all links are mended
	f.verify(stores[0], took)
}

// Four relays share a PostgreSQL, which crashes under them.
func TestAFleetOnPostgreSQL(t *testing.T) {
	t.Parallel()
	needed.That(t, pgcluster.Programs() != "", "PostgreSQL")
	cluster, err := pgcluster.Start()
	require.NoError(t, err)
	t.Cleanup(func() { _ = cluster.Stop() })
	spec := "postgres:" + cluster.URL("postgres")
	stores := openSpecs(t, spec, 3)
	f := newFleet(t, []string{spec, spec, spec, spec})
	round := 0
	took := f.deliver(stores, func() {
		if round++; round%2 == 0 {
			f.cuts++
			require.NoError(t, cluster.Crash())
			require.NoError(t, cluster.Restart())
		}
	})
	f.verify(stores[0], took)
}

// Four relays share a directory.
func TestAFleetOnSQLite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	spec := "sqlite:" + dir + "/spool"
	stores := openSpecs(t, spec, 3)
	f := newFleet(t, []string{spec, spec, spec, spec})
	f.verify(stores[0], f.deliver(stores, func() {}))
}
