package pgstore_test

import (
	"context"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/internal/needed"
	"example.com/bento-go/internal/pgcluster"
	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/pgstore"
)

// A server that crashes again and again under two machines that enqueue and send: nothing that was
// promised is lost, no email is sent twice, and of events at most what was in flight.
func TestAServerThatCrashesLosesNothing(t *testing.T) {
	t.Parallel()
	const crashes = 3
	needed.That(t, pgcluster.Programs() != "", "PostgreSQL (initdb and postgres)")
	c, err := pgcluster.Start()
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.Stop()) })
	server, client := aBento(t)
	var machines []*machine
	var senders []*outbox.Sender
	for n := range 2 {
		store, err := pgstore.Open(t.Context(), c.URL("postgres"))
		require.NoError(t, err)
		t.Cleanup(func() { _ = store.Close() })
		s := run(t, outbox.New(client, store, outbox.WithLinger(0), outbox.WithLease(time.Second)))
		senders = append(senders, s)
		machines = append(machines, enqueue(t, s, n))
	}
	for range crashes {
		time.Sleep(250*time.Millisecond + rand.N(250*time.Millisecond))
		require.NoError(t, c.Crash())
		require.NoError(t, c.Restart())
	}
	time.Sleep(500 * time.Millisecond)
	promised, emails, refused := map[string]bool{}, 0, 0
	for _, m := range machines {
		m.cancel()
		<-m.ended
		for _, name := range m.events {
			promised[name] = true
		}
		emails += m.emails
		refused += m.refused
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for _, s := range senders {
		require.NoError(t, s.Close(ctx))
	}
	arrived := map[string]bool{}
	for _, e := range server.Events() {
		name, _ := e.Details["name"].(string)
		arrived[name] = true
	}
	lost := 0
	for name := range promised {
		if !arrived[name] {
			lost++
		}
	}
	assert.Zero(t, lost, "of %d promised events", len(promised))
	assert.Positive(t, refused, "the crashes were felt")
	stats, err := senders[0].Stats(t.Context())
	require.NoError(t, err)
	counts := server.Counts()
	assert.Zero(t, counts.Emails.Repeated, "no email twice")
	assert.LessOrEqual(t, stats.Parked(), crashes, "at most the one in flight")
	assert.GreaterOrEqual(t, counts.Emails.Accepted+stats.Parked(), emails, "each arrived, or is parked")
	assert.LessOrEqual(t, counts.Events.Repeated, crashes*1000, "what was in flight")
	t.Logf("%d crashes, felt by %d calls: %d events promised, %d lost, %d arrived again; %d emails promised, 0 twice, %d parked",
		crashes, refused, len(promised), lost, counts.Events.Repeated, emails, stats.Parked())
}

// A machine enqueues, and remembers what it was promised.
type machine struct {
	cancel          context.CancelFunc
	ended           chan struct{}
	events          []string
	emails, refused int
}

func enqueue(t *testing.T, s *outbox.Sender, number int) *machine {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	m := &machine{cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(m.ended)
		for n := number * 1_000_000; ctx.Err() == nil; n++ {
			items := []outbox.Item{signedUp(n)}
			if n%20 == 0 {
				items = append(items, welcome(n))
			}
			if _, err := s.Enqueue(ctx, items...); err != nil {
				m.refused++
				time.Sleep(10 * time.Millisecond)
				continue
			}
			m.events = append(m.events, strconv.Itoa(n))
			m.emails += len(items) - 1
		}
	}()
	return m
}

// A machine that has lost its network, or is frozen, in the middle of a call keeps its lane from nobody:
// the server gives its transaction up.
func TestALaneOfAMachineThatHasGoneIsFree(t *testing.T) {
	t.Parallel()
	schema := fresh()
	machine := func() *pgstore.Store {
		s, err := pgstore.Open(t.Context(), cluster(t).URL("postgres"), pgstore.WithSchema(schema))
		require.NoError(t, err)
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	gone, other := machine(), machine()
	gone.SetAbandoned(50 * time.Millisecond)
	held, goOn, ended := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() { ended <- gone.Freeze(t.Context(), outbox.Events, held, goOn) }()
	<-held
	_, err := other.Acquire(t.Context(), outbox.Events, "another", time.Now(), time.Minute)
	require.NoError(t, err, "while the first says nothing")
	close(goOn)
	require.Error(t, <-ended, "what it had begun is undone")
	stats, err := other.Stats(t.Context())
	require.NoError(t, err)
	assert.Empty(t, stats.Lanes[outbox.Events].Paused)
}
