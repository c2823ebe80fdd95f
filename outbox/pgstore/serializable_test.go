package pgstore_test

import (
	"database/sql"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/pgstore"
)

// Serializable transactions that have nothing to do with one another but the outbox do not abort one
// another, be their items with a key or without.
func TestSerializableTransactionsGoSideBySide(t *testing.T) {
	t.Parallel()
	for name, item := range map[string]func(n int) outbox.Item{
		"events":           signedUp,
		"emails with keys": func(n int) outbox.Item { return welcome(n, outbox.Key(strconv.Itoa(n))) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := application(t)
			const workers, each = 8, 25
			require.NoError(t, p.signUp(t, -1, item(-1)))
			require.NoError(t, cluster(t).Run(t.Context(), "ANALYZE"), "as autovacuum does: small tables are read as a whole then")
			var aborted atomic.Int32
			var all sync.WaitGroup
			for w := range workers {
				all.Go(func() {
					for n := range each {
						for {
							err := p.signUp(t, w*each+n, item(w*each+n))
							if err == nil {
								break
							}
							if aborted.Add(1) > workers*each || !strings.Contains(err.Error(), "40001") {
								t.Error(err)
								return
							}
						}
					}
				})
			}
			all.Wait()
			assert.LessOrEqual(t, aborted.Load(), int32(workers*each/40))
			assert.Equal(t, workers*each+1, p.users(t))
			assert.Equal(t, workers*each+1, waiting(t, p.store))
		})
	}
}

// signUp writes a row and its item in a serializable transaction.
func (p *pool) signUp(t *testing.T, n int, item outbox.Item) error {
	return p.within(t, sql.LevelSerializable, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(t.Context(), "INSERT INTO "+p.table+" VALUES ($1)", strconv.Itoa(n)); err != nil {
			return err
		}
		_, err := p.store.EnqueueTx(t.Context(), tx, item)
		return err
	})
}

// within does something in a transaction.
func (p *pool) within(t *testing.T, level sql.IsolationLevel, do func(tx *sql.Tx) error) error {
	tx, err := p.BeginTx(t.Context(), &sql.TxOptions{Isolation: level})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if err := do(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// What has a key is kept once, whatever the transaction sees: what was committed before it began, what
// it has put itself, and what it puts beside; what has come after its beginning aborts it.
func TestAKeyIsKeptOnceInEveryTransaction(t *testing.T) {
	t.Parallel()
	p := application(t)
	key := func(level, name string) outbox.Item { return welcome(1, outbox.Key(level+name)) }
	for _, level := range []sql.IsolationLevel{sql.LevelReadCommitted, sql.LevelRepeatableRead, sql.LevelSerializable} {
		before, err := outbox.Entries(time.Now(), key(level.String(), "before"))
		require.NoError(t, err)
		first, err := p.store.Put(t.Context(), before)
		require.NoError(t, err)
		tx, err := p.BeginTx(t.Context(), &sql.TxOptions{Isolation: level})
		require.NoError(t, err)
		own, err := p.store.EnqueueTx(t.Context(), tx, key(level.String(), "own"))
		require.NoError(t, err)
		assert.False(t, own[0].Duplicate)
		got, err := p.store.EnqueueTx(t.Context(), tx, key(level.String(), "before"), key(level.String(), "own"), key(level.String(), "new"), signedUp(1))
		require.NoError(t, err)
		assert.Equal(t, []outbox.Receipt{{ID: first[0].ID, Duplicate: true}, {ID: own[0].ID, Duplicate: true}}, got[:2])
		assert.False(t, got[2].Duplicate || got[3].Duplicate)
		assert.Less(t, got[2].ID, got[3].ID)

		after, err := outbox.Entries(time.Now(), key(level.String(), "after"))
		require.NoError(t, err)
		second, err := p.store.Put(t.Context(), after)
		require.NoError(t, err)
		late, err := p.store.EnqueueTx(t.Context(), tx, key(level.String(), "after"))
		if level != sql.LevelReadCommitted {
			require.ErrorContains(t, err, "40001")
			require.NoError(t, tx.Rollback())
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, outbox.Receipt{ID: second[0].ID, Duplicate: true}, late[0])
		require.NoError(t, tx.Commit())
	}
}

// A serializable transaction does not look at the capacity; whoever puts next does, and counts what it put.
func TestASerializableTransactionFindsRoom(t *testing.T) {
	t.Parallel()
	p := application(t, pgstore.WithCapacity(1500))
	for n := range 5 {
		require.NoError(t, p.signUp(t, n, signedUp(n)))
	}
	entries, err := outbox.Entries(time.Now(), signedUp(1))
	require.NoError(t, err)
	_, err = p.store.Put(t.Context(), entries)
	require.ErrorIs(t, err, outbox.ErrFull)
	assert.Equal(t, 5, waiting(t, p.store))
}
