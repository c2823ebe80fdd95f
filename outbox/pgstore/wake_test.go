package pgstore_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/internal/needed"
	"example.com/bento-go/internal/pgcluster"
	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/pgstore"
)

// listenTo hears what is put into a store, through a connection of its own.
func listenTo(t *testing.T, s outbox.Waker) <-chan outbox.Lane {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	heard, ended := make(chan outbox.Lane, 100), make(chan struct{})
	go func() {
		defer close(ended)
		err := s.Wake(ctx, func(lane outbox.Lane) { heard <- lane })
		assert.ErrorIs(t, err, context.Canceled)
	}()
	t.Cleanup(func() { cancel(); <-ended })
	for range outbox.Lanes {
		<-heard // when it begins to hear
	}
	return heard
}

func hears(t *testing.T, heard <-chan outbox.Lane) outbox.Lane {
	t.Helper()
	select {
	case lane := <-heard:
		return lane
	case <-time.After(5 * time.Second):
		t.Fatal("nothing was heard")
		return ""
	}
}

func silent(t *testing.T, heard <-chan outbox.Lane) {
	t.Helper()
	select {
	case lane := <-heard:
		t.Fatal("it was woken for ", lane)
	case <-time.After(50 * time.Millisecond):
	}
}

// Other machines hear of what is put, of what a transaction puts when it commits, of what a person
// queues again, and of a lane that goes on. A lane that has something to send already is awake.
func TestOtherMachinesHear(t *testing.T) {
	t.Parallel()
	p := application(t)
	heard := listenTo(t, open(t, p.store.Name()))
	ids := put(t, p.store, 1)
	assert.Equal(t, outbox.Events, hears(t, heard))
	put(t, p.store, 1)
	silent(t, heard)

	tx, err := p.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = p.store.EnqueueTx(t.Context(), tx, welcome(1))
	require.NoError(t, err)
	silent(t, heard)
	require.NoError(t, tx.Commit())
	assert.Equal(t, outbox.Emails, hears(t, heard))

	now := time.Now()
	lease, err := p.store.Acquire(t.Context(), outbox.Events, "me", now, time.Minute)
	require.NoError(t, err)
	require.NoError(t, p.store.Begin(t.Context(), lease, []int64{ids[0].ID}, now))
	require.NoError(t, p.store.Settle(t.Context(), lease, []outbox.Verdict{{ID: ids[0].ID, State: outbox.Parked}}, now))
	require.NoError(t, p.store.Decide(t.Context(), []int64{ids[0].ID}, outbox.Decision{To: outbox.Queued, By: "ari", Reason: "again"}, now))
	assert.Equal(t, outbox.Events, hears(t, heard))
	require.NoError(t, p.store.Pause(t.Context(), outbox.Commands, "wait"))
	silent(t, heard)
	require.NoError(t, p.store.Pause(t.Context(), outbox.Commands, ""))
	assert.Equal(t, outbox.Commands, hears(t, heard))
}

// A store in which nothing is due until somebody was heard: a sender that asks finds nothing.
type lateStore struct {
	outbox.Store
	mu    sync.Mutex
	woken bool
}

func (l *lateStore) Next(ctx context.Context, lease outbox.Lease, most int, now time.Time) ([]outbox.Entry, time.Time, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.woken {
		return nil, time.Time{}, nil
	}
	return l.Store.Next(ctx, lease, most, now)
}

func (l *lateStore) Wake(ctx context.Context, wake func(outbox.Lane)) error {
	waker, ok := l.Store.(outbox.Waker)
	if !ok {
		return errors.New("it hears nothing")
	}
	begun := 0
	return waker.Wake(ctx, func(lane outbox.Lane) {
		if begun++; begun > len(outbox.Lanes) {
			l.mu.Lock()
			l.woken = true
			l.mu.Unlock()
		}
		wake(lane)
	})
}

// A relay on another machine sends what was put here, because it heard of it.
func TestARelayIsWoken(t *testing.T) {
	t.Parallel()
	here := application(t).store
	server, client := aBento(t)
	s := run(t, outbox.New(client, &lateStore{Store: open(t, here.Name())}, outbox.WithLinger(0)))
	time.Sleep(300 * time.Millisecond) // it listens
	at := time.Now()
	put(t, here, 1)
	require.NoError(t, s.Flush(t.Context()))
	t.Logf("it arrived %v after it was put elsewhere", time.Since(at))
	assert.Len(t, server.Events(), 1)
}

// A connection that hears nothing for a while is tried, and hears afterwards; one whose server is gone
// is given up.
func TestSilenceIsTried(t *testing.T) {
	t.Parallel()
	needed.That(t, pgcluster.Programs() != "", "PostgreSQL (initdb and postgres)")
	c, err := pgcluster.Start()
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.Stop()) })
	s, err := pgstore.Open(t.Context(), c.URL("postgres"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	s.SetQuiet(20 * time.Millisecond)
	heard, ended := make(chan outbox.Lane, 100), make(chan error, 1)
	go func() { ended <- s.Wake(t.Context(), func(lane outbox.Lane) { heard <- lane }) }()
	for range outbox.Lanes {
		hears(t, heard)
	}
	time.Sleep(200 * time.Millisecond)
	put(t, s, 1)
	assert.Equal(t, outbox.Events, hears(t, heard))
	require.NoError(t, c.Crash())
	require.Error(t, <-ended)

	// What was a primary is a replica now, and said to be one.
	require.NoError(t, c.Demote())
	_, err = pgstore.Open(t.Context(), c.URL("postgres"))
	require.ErrorContains(t, err, "replica")
	_, err = s.Put(t.Context(), []outbox.Entry{{Lane: outbox.Events, Record: []byte(`{}`)}})
	require.ErrorContains(t, err, "takes no changes")
}
