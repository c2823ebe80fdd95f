package pgstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/pgstore"
)

// A frail connection ends when so many bytes more have been read, once for all connections that share
// the number; it does not while that is zero.
type frail struct {
	net.Conn
	left *atomic.Int64
}

func (f frail) Read(b []byte) (int, error) {
	n, err := f.Conn.Read(b)
	if left := f.left.Load(); left > 0 && f.left.Add(-int64(n)) <= 0 {
		f.left.Store(0)
		return 0, net.ErrClosed
	}
	return n, err
}

// frailPool is a pool of connections that end when so many bytes have been read.
func frailPool(t *testing.T) (db *sql.DB, left *atomic.Int64) {
	t.Helper()
	config, err := pgx.ParseConfig(cluster(t).URL("postgres"))
	require.NoError(t, err)
	left = new(atomic.Int64)
	dial := config.DialFunc
	config.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		return frail{conn, left}, err
	}
	db = stdlib.OpenDB(*config)
	t.Cleanup(func() { _ = db.Close() })
	return db, left
}

// What is read is read once, though the connection ends in the middle and it is asked again.
func TestWhatIsReadTwiceIsThereOnce(t *testing.T) {
	t.Parallel()
	const lines = 2000
	db, left := frailPool(t)
	s, err := pgstore.New(t.Context(), db, pgstore.WithSchema(fresh()))
	require.NoError(t, err)
	put(t, s, lines)
	_, err = db.ExecContext(t.Context(), fmt.Sprintf("INSERT INTO %s.history (entry, at, by, state, reason) SELECT 1, now(), 'ari', 'queued', n FROM generate_series(1, %d) AS n", s.Schema(), lines))
	require.NoError(t, err)
	lease, err := s.Acquire(t.Context(), outbox.Events, "me", time.Now(), time.Hour)
	require.NoError(t, err)
	for name, read := range map[string]func() (int, error){
		"history": func() (int, error) { found, err := s.History(t.Context(), 1); return len(found), err },
		"query": func() (int, error) {
			found, err := s.Query(t.Context(), outbox.Filter{}, 2*lines)
			return len(found), err
		},
		"next": func() (int, error) {
			found, _, err := s.Next(t.Context(), lease, 2*lines, time.Now())
			return len(found), err
		},
	} {
		left.Store(80_000)
		found, err := read()
		require.NoError(t, err, name)
		assert.Equal(t, lines, found, name)
		assert.Zero(t, left.Load(), "the connection ended: "+name)
	}
}
