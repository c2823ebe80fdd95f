package pgstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/pgstore"
)

// Two stores, as of two machines, see one queue; nobody waits for ever, and of two who ask for a lane
// one gets it.
func TestTwoStoresShareASchema(t *testing.T) {
	t.Parallel()
	schema := fresh()
	stores := []*pgstore.Store{open(t, schema), open(t, schema)}
	var work sync.WaitGroup
	for _, s := range stores {
		for range 4 {
			work.Go(func() {
				for range 25 {
					_, err := s.Put(context.Background(), []outbox.Entry{{Lane: outbox.Events, Policy: outbox.AtLeastOnce, Record: []byte(`{}`)}})
					assert.NoError(t, err)
				}
			})
		}
	}
	work.Wait()
	assert.Equal(t, 200, waiting(t, stores[1]))

	for round := range 10 {
		now := time.Now().Add(time.Duration(round) * time.Hour)
		var mu sync.Mutex
		var won []outbox.Lease
		for i, s := range stores {
			for n := range 4 {
				work.Go(func() {
					lease, err := s.Acquire(context.Background(), outbox.Events, fmt.Sprintf("%d/%d", i, n), now, time.Minute)
					if err != nil {
						assert.ErrorIs(t, err, outbox.ErrLeased)
						return
					}
					mu.Lock()
					defer mu.Unlock()
					won = append(won, lease)
				})
			}
		}
		work.Wait()
		assert.Len(t, won, 1)
	}
}

// Calls that come together share one wait for the server; each is all or none even so, and ends when
// its context does. There are two transactions at a time, which do not see what the other takes.
func TestCallsThatComeTogether(t *testing.T) {
	t.Parallel()
	s := open(t, fresh(), pgstore.WithCapacity(1<<20))
	var work sync.WaitGroup
	var mu sync.Mutex
	seen, full, ended := map[int64]bool{}, 0, 0
	for n := range 64 {
		work.Go(func() {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			if n%8 == 0 {
				cancel()
			}
			record := make([]byte, 40<<10)
			results, err := s.Put(ctx, []outbox.Entry{{Lane: outbox.Events, Policy: outbox.AtLeastOnce, Record: record}, {Lane: outbox.Emails, Policy: outbox.AtMostOnce, Record: []byte(`{}`)}})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
			case n%8 == 0:
				assert.ErrorIs(t, err, context.Canceled) //nolint:testifylint // only the test itself may stop it
				ended++
			default:
				assert.ErrorIs(t, err, outbox.ErrFull) //nolint:testifylint // the same
				full++
			}
			if err == nil {
				assert.Less(t, results[0].ID, results[1].ID)
			}
			for _, r := range results {
				assert.False(t, seen[r.ID])
				seen[r.ID] = true
			}
		})
	}
	work.Wait()
	assert.Positive(t, full)
	stats, err := s.Stats(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 64-full-ended, stats.Lanes[outbox.Events].States[outbox.Queued])
	assert.Equal(t, 64-full-ended, stats.Lanes[outbox.Emails].States[outbox.Queued])
	const room = 25
	assert.GreaterOrEqual(t, 64-full-ended, room, "what there is room for is taken")
	assert.LessOrEqual(t, 64-full-ended, 2*room, "by either of the two")
	_, err = s.Put(t.Context(), []outbox.Entry{{Lane: outbox.Events, Record: make([]byte, 40<<10)}})
	assert.ErrorIs(t, err, outbox.ErrFull, "what is committed counts")
}

// Two senders that take the lane from each other all the time send nothing twice: what one has begun,
// the other cannot.
func TestAnEntryIsBegunOnce(t *testing.T) {
	t.Parallel()
	const entries = 200
	schema := fresh()
	put(t, open(t, schema), entries)
	var mu sync.Mutex
	begun, lost := map[int64]int{}, 0
	var work sync.WaitGroup
	for i := range 2 {
		s := open(t, schema)
		work.Go(func() {
			for n := range 2000 {
				// Each in its own time, so that each finds the other's lease run out.
				now := time.Now().Add(time.Duration(2*n+i) * time.Hour)
				lease, err := s.Acquire(context.Background(), outbox.Events, strconv.Itoa(i), now, time.Minute)
				if err != nil {
					continue
				}
				due, _, err := s.Next(context.Background(), lease, 3, now)
				if err == nil && len(due) == 0 {
					return
				}
				var ids []int64
				for _, e := range due {
					ids = append(ids, e.ID)
				}
				if err == nil {
					err = s.Begin(context.Background(), lease, ids, now)
				}
				mu.Lock()
				if err != nil {
					assert.ErrorIs(t, err, outbox.ErrLost) //nolint:testifylint // only the test itself may stop it
					lost++
					ids = nil
				}
				for _, id := range ids {
					begun[id]++
				}
				mu.Unlock()
			}
		})
	}
	work.Wait()
	assert.Len(t, begun, entries)
	for id, times := range begun {
		assert.Equal(t, 1, times, id)
	}
	t.Logf("%d entries begun once each, by two senders that lost the lane %d times", len(begun), lost)
}

func put(t testing.TB, s outbox.Store, n int) []outbox.PutResult {
	t.Helper()
	entries := make([]outbox.Entry, n)
	for i := range entries {
		entries[i] = outbox.Entry{Lane: outbox.Events, Policy: outbox.AtLeastOnce, Record: []byte(`{"type":"x","email":"ari@example.com"}`), Enqueued: time.Now()}
	}
	results, err := s.Put(t.Context(), entries)
	require.NoError(t, err)
	return results
}

// What is due does not wait for a person who decides, nor for a transaction that puts.
func TestNextWaitsForNobody(t *testing.T) {
	t.Parallel()
	p := application(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	ids := put(t, p.store, 2)
	now := time.Now()
	lease, err := p.store.Acquire(ctx, outbox.Events, "me", now, time.Minute)
	require.NoError(t, err)
	require.NoError(t, p.store.Begin(ctx, lease, []int64{ids[0].ID}, now))
	require.NoError(t, p.store.Settle(ctx, lease, []outbox.Verdict{{ID: ids[0].ID, State: outbox.Failed}}, now))
	tx, err := p.BeginTx(ctx, nil)
	require.NoError(t, err)
	defer func() { _ = tx.Rollback() }()
	_, err = p.store.EnqueueTx(ctx, tx, signedUp(1))
	require.NoError(t, err)
	_, err = tx.ExecContext(ctx, fmt.Sprintf("UPDATE %s.entries SET state = 'queued' WHERE state = 'failed'", p.store.Schema()))
	require.NoError(t, err, "as a decision does, and does not commit")
	due, _, err := p.store.Next(ctx, lease, 10, now)
	require.NoError(t, err)
	assert.Len(t, due, 1)
	gone, err := p.store.Forget(ctx, outbox.Events, now.Add(time.Hour), 100)
	require.NoError(t, err)
	assert.Zero(t, gone, "nor does what forgets")
}

// A machine whose clock is behind does not end the lease of another, whose clock is right.
func TestAClockThatIsWrongEndsNoLease(t *testing.T) {
	t.Parallel()
	schema, now := fresh(), time.Now()
	holder, wrong := open(t, schema), open(t, schema)
	wrong.SetClock(-time.Hour)
	lease, err := holder.Acquire(t.Context(), outbox.Events, "me", now, time.Minute)
	require.NoError(t, err)
	ids := put(t, holder, 1)
	_, err = wrong.Acquire(t.Context(), outbox.Events, "you", now.Add(-time.Hour), time.Minute)
	require.ErrorIs(t, err, outbox.ErrLeased)
	require.NoError(t, holder.Begin(t.Context(), lease, []int64{ids[0].ID}, now.Add(time.Second)))
}

// A machine whose clock is days ahead forgets nothing before its time: a key that is gone lets the same
// record in again.
func TestAClockThatIsAheadForgetsNothingEarly(t *testing.T) {
	t.Parallel()
	const ahead = 8 * 24 * time.Hour
	schema, now := fresh(), time.Now()
	mine, yours := open(t, schema), open(t, schema)
	yours.SetClock(ahead)
	lease, err := mine.Acquire(t.Context(), outbox.Events, "me", now, time.Minute)
	require.NoError(t, err)
	ids := put(t, mine, 1)
	require.NoError(t, mine.Begin(t.Context(), lease, []int64{ids[0].ID}, now))
	require.NoError(t, mine.Settle(t.Context(), lease, []outbox.Verdict{{ID: ids[0].ID, State: outbox.Failed}}, now))
	gone, err := yours.Forget(t.Context(), outbox.Events, now.Add(ahead).Add(-time.Hour), 100)
	require.NoError(t, err)
	assert.Zero(t, gone, "it is a moment old, and not eight days")
	gone, err = yours.Forget(t.Context(), outbox.Events, now.Add(ahead).Add(time.Hour), 100)
	require.NoError(t, err)
	assert.Equal(t, 1, gone)
}

// Rows of the sum that many transactions left behind, and nobody relays, are put together by whoever puts.
func TestTheSumIsTidiedByWhoeverPuts(t *testing.T) {
	t.Parallel()
	p := application(t)
	_, err := p.ExecContext(t.Context(), fmt.Sprintf("INSERT INTO %s.room (bytes) SELECT 1 FROM generate_series(1, 500)", p.store.Schema()))
	require.NoError(t, err)
	var rows int
	for range 260 { // it is anybody's turn within 256
		_, err := p.store.Put(t.Context(), []outbox.Entry{{Lane: outbox.Events, Policy: outbox.AtLeastOnce, Record: []byte(`{}`)}})
		require.NoError(t, err)
	}
	require.NoError(t, p.QueryRowContext(t.Context(), fmt.Sprintf("SELECT count(*) FROM %s.room", p.store.Schema())).Scan(&rows))
	assert.Less(t, rows, 10)
}

// Transactions of the application that see the tables as they were leave a row of the sum each. Where
// nobody relays or puts, there is still a bound, and the sum stays right: also with one connection, which
// the application has most of the time.
func TestTheSumIsTidiedBesideTransactions(t *testing.T) {
	t.Parallel()
	const every, left, transactions = 256, 250, 320
	p := application(t)
	p.SetMaxOpenConns(1)
	in, most, sum, size := p.store.Schema(), 0, 0, 0
	_, err := p.ExecContext(t.Context(), "INSERT INTO "+in+".room (bytes) SELECT 0 FROM generate_series(1, $1)", left)
	require.NoError(t, err)
	for n := range transactions {
		level := []sql.IsolationLevel{sql.LevelRepeatableRead, sql.LevelSerializable}[n%2]
		require.NoError(t, p.within(t, level, func(tx *sql.Tx) error {
			_, err := p.store.EnqueueTx(t.Context(), tx, signedUp(n))
			return err
		}))
		var rows int
		require.NoError(t, p.QueryRowContext(t.Context(), "SELECT count(*), sum(bytes) FROM "+in+".room").Scan(&rows, &sum))
		most = max(most, rows)
	}
	assert.Less(t, most, left+every+50)
	require.NoError(t, p.QueryRowContext(t.Context(), "SELECT sum(256 + octet_length(record)) FROM "+in+".entries").Scan(&size))
	assert.Equal(t, size, sum)
	require.NoError(t, p.store.Close())
	t.Logf("at most %d rows, of %d and those of %d transactions", most, left, transactions)
}

// Rows of the sum that many transactions left behind are put together, and say the same.
func TestTheSumIsTidied(t *testing.T) {
	t.Parallel()
	p := application(t, pgstore.WithCapacity(300*400))
	for range 300 {
		_, err := p.ExecContext(t.Context(), fmt.Sprintf("INSERT INTO %s.room (bytes) VALUES (400)", p.store.Schema()))
		require.NoError(t, err)
	}
	_, err := p.store.Acquire(t.Context(), outbox.Events, "me", time.Now(), time.Minute)
	require.NoError(t, err)
	var rows, sum int
	require.NoError(t, p.QueryRowContext(t.Context(), fmt.Sprintf("SELECT count(*), sum(bytes) FROM %s.room", p.store.Schema())).Scan(&rows, &sum))
	assert.Equal(t, 1, rows)
	assert.Equal(t, 300*400, sum)
	_, err = p.store.Put(t.Context(), []outbox.Entry{{Lane: outbox.Events, Policy: outbox.AtLeastOnce, Record: []byte(`{}`)}})
	require.ErrorIs(t, err, outbox.ErrFull)
}
