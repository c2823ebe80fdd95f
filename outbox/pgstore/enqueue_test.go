package pgstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/conformance/fake"
	"example.com/bento-go/conformance/fake/faketest"
	"example.com/bento-go/gen"
	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/pgstore"
	bento "example.com/bento-go/wrapper"
)

func signedUp(n int) outbox.Item {
	return outbox.Event(bento.Event{Type: "$signed_up", Email: "ari@example.com", Details: gen.EventDetails{"name": strconv.Itoa(n)}})
}

func welcome(n int, opts ...outbox.ItemOption) outbox.Item {
	return outbox.Email(bento.Email{To: "ari@example.com", From: "team@acme.example", Subject: fmt.Sprint("Welcome ", n), HTMLBody: "x"}, opts...)
}

// aBento stands in for Bento. It takes a while, so that a request is in flight most of the time.
func aBento(t testing.TB) (*fake.Server, *bento.Client) {
	t.Helper()
	b := faketest.NewServer(t, fake.WithLimits(fake.Limits{}), fake.WithFaults(fake.Fault{Operation: "*", Delay: 2 * time.Millisecond}))
	return b.Server, b.Client
}

// run runs a sender until the test ends, or it is closed.
func run(t testing.TB, s *outbox.Sender) *outbox.Sender {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		assert.NoError(t, s.Run(ctx))
	}()
	t.Cleanup(func() { cancel(); <-ended })
	return s
}

// A pool is an application's, with a table of its own, and an outbox in the same database.
type pool struct {
	*sql.DB
	native *pgxpool.Pool
	store  *pgstore.Store
	table  string
}

func application(t testing.TB, opts ...pgstore.Option) *pool {
	t.Helper()
	native, err := pgxpool.New(t.Context(), cluster(t).URL("postgres"))
	require.NoError(t, err)
	t.Cleanup(native.Close)
	schema := fresh()
	p := &pool{stdlib.OpenDBFromPool(native), native, nil, strings.ReplaceAll(schema, " ", "_users_")}
	t.Cleanup(func() { _ = p.Close() })
	p.store, err = pgstore.New(t.Context(), p.DB, append(opts, pgstore.WithSchema(schema))...)
	require.NoError(t, err)
	_, err = p.ExecContext(t.Context(), "CREATE TABLE "+p.table+" (name text)")
	require.NoError(t, err)
	return p
}

// A transaction is one of either kind.
type transaction struct {
	enqueue func(items ...outbox.Item) ([]outbox.Receipt, error)
	insert  func() error // the business row
	end     func(commit bool) error
}

// transactions begin one, of each kind.
func (p *pool) transactions() map[string]func(t *testing.T, level string) transaction {
	insert := "INSERT INTO " + p.table + " VALUES ('ari')"
	return map[string]func(t *testing.T, level string) transaction{
		"of package database/sql": func(t *testing.T, level string) transaction {
			t.Helper()
			tx, err := p.BeginTx(t.Context(), nil)
			require.NoError(t, err)
			_, err = tx.ExecContext(t.Context(), "SET TRANSACTION ISOLATION LEVEL "+level)
			require.NoError(t, err)
			return transaction{
				func(items ...outbox.Item) ([]outbox.Receipt, error) {
					return p.store.EnqueueTx(t.Context(), tx, items...)
				},
				func() error { _, err := tx.ExecContext(t.Context(), insert); return err },
				func(commit bool) error {
					if commit {
						return tx.Commit()
					}
					return tx.Rollback()
				},
			}
		},
		"of pgx": func(t *testing.T, level string) transaction {
			t.Helper()
			tx, err := p.native.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: pgx.TxIsoLevel(level)})
			require.NoError(t, err)
			return transaction{
				func(items ...outbox.Item) ([]outbox.Receipt, error) {
					return p.store.EnqueuePgxTx(t.Context(), tx, items...)
				},
				func() error { _, err := tx.Exec(t.Context(), insert); return err },
				func(commit bool) error {
					if commit {
						return tx.Commit(t.Context())
					}
					return tx.Rollback(t.Context())
				},
			}
		},
	}
}

func (p *pool) users(t testing.TB) (n int) {
	t.Helper()
	require.NoError(t, p.QueryRowContext(t.Context(), "SELECT count(*) FROM "+p.table).Scan(&n))
	return n
}

func waiting(t testing.TB, s outbox.Store) int {
	t.Helper()
	stats, err := s.Stats(t.Context())
	require.NoError(t, err)
	return stats.Waiting()
}

// An event exists if the business row does, and not before.
func TestAnEventGoesWithItsBusinessRow(t *testing.T) { //nolint:tparallel // each counts on from the one before
	t.Parallel()
	p := application(t)
	server, client := aBento(t)
	s := run(t, outbox.New(client, p.store, outbox.WithLinger(0)))
	committed := 0
	for kind, begin := range p.transactions() {
		for _, level := range []string{"read committed", "repeatable read", "serializable"} {
			t.Run(kind+", "+level, func(t *testing.T) {
				tx := begin(t, level)
				require.NoError(t, tx.insert())
				receipts, err := tx.enqueue(signedUp(committed), welcome(committed))
				require.NoError(t, err)
				require.Len(t, receipts, 2)
				assert.Less(t, receipts[0].ID, receipts[1].ID)
				require.NoError(t, tx.end(false))

				tx = begin(t, level)
				require.NoError(t, tx.insert())
				_, err = tx.enqueue(signedUp(committed))
				require.NoError(t, err)
				_, err = tx.enqueue(welcome(committed, outbox.Key(strconv.Itoa(committed))), welcome(committed, outbox.Key(strconv.Itoa(committed))))
				require.NoError(t, err)
				time.Sleep(20 * time.Millisecond)
				assert.Len(t, server.Events(), committed, "nothing is sent of what is not committed")
				require.NoError(t, tx.end(true))
				committed++
				require.NoError(t, s.Flush(t.Context()))
				assert.Equal(t, committed, p.users(t))
				assert.Len(t, server.Events(), committed)
				assert.Equal(t, committed, server.Counts().Emails.Accepted)
			})
		}
	}
}

// After a refusal that is not the database's, the transaction goes on without the event.
func TestARefusalLeavesTheTransaction(t *testing.T) { //nolint:tparallel // they fill one store
	t.Parallel()
	p := application(t, pgstore.WithCapacity(1500))
	for kind, begin := range p.transactions() {
		t.Run(kind, func(t *testing.T) {
			tx := begin(t, "read committed")
			before := p.users(t)
			_, err := tx.enqueue(signedUp(1), signedUp(2), signedUp(3), signedUp(4), signedUp(5))
			require.ErrorIs(t, err, outbox.ErrFull)
			_, err = tx.enqueue(outbox.Email(bento.Email{}))
			require.ErrorIs(t, err, bento.ErrInvalid)
			receipts, err := tx.enqueue()
			require.NoError(t, err)
			assert.Empty(t, receipts)
			require.NoError(t, tx.insert())
			require.NoError(t, tx.end(true))
			assert.Equal(t, before+1, p.users(t))
			assert.Zero(t, waiting(t, p.store))
		})
	}
}

// Transactions of the application do not wait for one another on account of the outbox; what commits
// later with a smaller ID is not passed over, and the sum of what the entries take stays right.
func TestTransactionsDoNotWaitForOneAnother(t *testing.T) {
	t.Parallel()
	p := application(t, pgstore.WithCapacity(8_000))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var open []*sql.Tx
	for n := range 3 {
		tx, err := p.BeginTx(ctx, nil)
		require.NoError(t, err)
		defer func() { _ = tx.Rollback() }()
		_, err = p.store.EnqueueTx(ctx, tx, signedUp(n), welcome(n, outbox.Key(strconv.Itoa(n))))
		require.NoError(t, err)
		open = append(open, tx)
	}
	lease, err := p.store.Acquire(ctx, outbox.Events, "me", time.Now(), time.Minute)
	require.NoError(t, err)
	ids := []int64{}
	for _, n := range []int{2, 0, 1} {
		require.NoError(t, open[n].Commit())
		due, _, err := p.store.Next(ctx, lease, 10, time.Now())
		require.NoError(t, err)
		require.Len(t, due, 1)
		ids = append(ids, due[0].ID)
		require.NoError(t, p.store.Begin(ctx, lease, []int64{due[0].ID}, time.Now()))
		require.NoError(t, p.store.Settle(ctx, lease, []outbox.Verdict{{ID: due[0].ID, State: outbox.Accepted}}, time.Now()))
	}
	assert.Less(t, ids[1], ids[2])
	assert.Less(t, ids[2], ids[0], "the first to commit was the last to be put")
	assert.Equal(t, 3, waiting(t, p.store), "the emails")
	kept := 0
	for err == nil && kept < 100 {
		_, err = p.store.Put(ctx, []outbox.Entry{{Lane: outbox.Events, Policy: outbox.AtLeastOnce, Record: make([]byte, 744)}})
		kept++
	}
	require.ErrorIs(t, err, outbox.ErrFull)
	assert.Equal(t, 6, kept-1, "of 8 kB the emails take more than 1, and less than 2")
}

// A server whose disk is full ends a transaction, so that it cannot go on without the items; for Put it is
// no more than a store that is full.
func TestAFullDiskEndsATransaction(t *testing.T) {
	t.Parallel()
	p := application(t)
	in := p.store.Schema()
	for _, statement := range []string{
		"CREATE FUNCTION " + in + ".fill() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = '53100'; END $$",
		"CREATE TRIGGER fill BEFORE INSERT ON " + in + ".entries EXECUTE FUNCTION " + in + ".fill()",
	} {
		_, err := p.ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
	tx, err := p.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer func() { _ = tx.Rollback() }()
	_, err = p.store.EnqueueTx(t.Context(), tx, outbox.Event(bento.Event{Type: "x", Email: "ari@example.com"}))
	require.ErrorContains(t, err, "disk is full")
	require.NotErrorIs(t, err, outbox.ErrFull)
	_, err = tx.ExecContext(t.Context(), "SELECT")
	require.Error(t, err, "it has ended")
	_, err = p.store.Put(t.Context(), []outbox.Entry{{Lane: outbox.Events, Policy: outbox.AtLeastOnce, Record: []byte("{}")}})
	require.ErrorIs(t, err, outbox.ErrFull)
}

// Of two transactions that put one key, the second waits for the first: it is a duplicate if that
// commits, and the first if not.
func TestAKeyIsKeptOnceAmongTransactions(t *testing.T) {
	t.Parallel()
	p := application(t)
	for commit, want := range map[bool]bool{true: true, false: false} {
		first, err := p.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		receipts, err := p.store.EnqueueTx(t.Context(), first, welcome(1, outbox.Key(strconv.FormatBool(commit))))
		require.NoError(t, err)
		type answer struct {
			receipts []outbox.Receipt
			err      error
		}
		second := make(chan answer)
		go func() {
			entries, err := outbox.Entries(time.Now(), signedUp(1), welcome(1, outbox.Key(strconv.FormatBool(commit))))
			if err != nil {
				second <- answer{err: err}
				return
			}
			results, err := p.store.Put(context.Background(), entries)
			a := answer{err: err}
			for _, r := range results {
				a.receipts = append(a.receipts, outbox.Receipt(r))
			}
			second <- a
		}()
		select {
		case a := <-second:
			t.Fatal("it did not wait: ", a)
		case <-time.After(100 * time.Millisecond):
		}
		if commit {
			require.NoError(t, first.Commit())
		} else {
			require.NoError(t, first.Rollback())
		}
		a := <-second
		require.NoError(t, a.err)
		assert.False(t, a.receipts[0].Duplicate)
		assert.Equal(t, want, a.receipts[1].Duplicate)
		assert.Equal(t, want, a.receipts[1].ID == receipts[0].ID)
	}
}

// A pool of another driver is refused with a word on what to do.
func TestAPoolOfAnotherDriverIsRefused(t *testing.T) {
	t.Parallel()
	db := sql.OpenDB(otherDriver{})
	t.Cleanup(func() { _ = db.Close() })
	_, err := pgstore.New(t.Context(), db)
	require.ErrorContains(t, err, "pgx/v5/stdlib")
}
