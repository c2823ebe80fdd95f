package sqlitestore_test

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/memstore"
	"example.com/bento-go/outbox/sqlitestore"
	"example.com/bento-go/outbox/storetest"
)

func open(t *testing.T, path string, opts ...sqlitestore.Option) *sqlitestore.Store {
	t.Helper()
	s, err := sqlitestore.Open(t.Context(), path, opts...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) outbox.Store {
		t.Helper()
		return open(t, filepath.Join(t.TempDir(), "outbox.db"), sqlitestore.WithCapacity(3<<20))
	})
}

// Whatever is done to it, being opened again included, the file says what the memory says.
func TestStoreIsLikeTheReference(t *testing.T) {
	t.Parallel()
	var path string
	storetest.Model(t, func(t *testing.T) outbox.Store {
		t.Helper()
		path = filepath.Join(t.TempDir(), "outbox.db")
		return open(t, path)
	}, func(*testing.T) outbox.Store { return memstore.New(1 << 30) }, func(t *testing.T, store outbox.Store) outbox.Store {
		t.Helper()
		require.NoError(t, store.Close())
		return open(t, path)
	})
}

// A file that an older version has made is brought up to date, and keeps what it has.
func TestAFileOfAnOlderVersionIsBroughtUpToDate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "outbox.db")
	s, now := open(t, path), time.Now()
	ids := put(t, s, 2)
	require.NoError(t, s.Close())
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	_, err = db.Exec("ALTER TABLE lanes DROP COLUMN begun; PRAGMA user_version = 2")
	require.NoError(t, err)
	require.NoError(t, db.Close())
	s = open(t, path)
	lease, err := s.Acquire(t.Context(), outbox.Events, "me", now, time.Minute)
	require.NoError(t, err)
	due, _, err := s.Next(t.Context(), lease, 10, now)
	require.NoError(t, err)
	assert.Len(t, due, 2)
	require.NoError(t, s.Begin(t.Context(), lease, []int64{ids[0].ID}, now))
	begun, err := s.Begun(t.Context(), outbox.Events)
	require.NoError(t, err)
	assert.Len(t, begun, 1)
}

func put(t *testing.T, s outbox.Store, n int) []outbox.PutResult {
	t.Helper()
	entries := make([]outbox.Entry, n)
	for i := range entries {
		entries[i] = outbox.Entry{Lane: outbox.Events, Policy: outbox.AtLeastOnce, Record: []byte(`{"type":"x","email":"ari@example.com"}`), Enqueued: time.Now()}
	}
	results, err := s.Put(t.Context(), entries)
	require.NoError(t, err)
	return results
}

// What was put is there when the file is opened again; so are leases and states.
func TestAFileIsOpenedAgain(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "spool", "outbox.db")
	s := open(t, path)
	ids := put(t, s, 3)
	now := time.Now()
	lease, err := s.Acquire(t.Context(), outbox.Events, "me", now, time.Minute)
	require.NoError(t, err)
	require.NoError(t, s.Begin(t.Context(), lease, []int64{ids[0].ID}, now))
	require.NoError(t, s.Close())
	for _, name := range []string{path, filepath.Dir(path)} {
		info, err := os.Stat(name)
		require.NoError(t, err)
		assert.Zero(t, info.Mode().Perm()&0o077, "for its owner only: %s", name)
	}
	s = open(t, path)
	_, err = s.Acquire(t.Context(), outbox.Events, "you", now, time.Minute)
	require.ErrorIs(t, err, outbox.ErrLeased)
	left, err := s.Recover(t.Context(), lease, 10)
	require.NoError(t, err)
	assert.Len(t, left, 1)
}

func TestAFileOfOthersIsLeftAlone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "notes.txt")
	text := []byte("nothing of the kind, and long enough to be a file of something, or so one would think at first")
	require.NoError(t, os.WriteFile(path, text, 0o600))
	_, err := sqlitestore.Open(t.Context(), path)
	require.ErrorContains(t, err, "notes.txt")
	kept, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, text, kept)
	_, err = sqlitestore.Open(t.Context(), t.TempDir())
	require.Error(t, err)
}

// Two handles, as of two processes, see one queue; nobody waits for ever.
func TestTwoHandlesShareAFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "outbox.db")
	first, second := open(t, path), open(t, path)
	var all sync.WaitGroup
	for _, s := range []*sqlitestore.Store{first, second} {
		for range 4 {
			all.Go(func() {
				for range 25 {
					_, err := s.Put(context.Background(), []outbox.Entry{{Lane: outbox.Events, Policy: outbox.AtLeastOnce, Record: []byte(`{}`)}})
					assert.NoError(t, err)
				}
			})
		}
	}
	all.Wait()
	stats, err := second.Stats(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 200, stats.Waiting())
}

// Those who open a file that is not there yet, at once, all get the same.
func TestManyOpenAtOnce(t *testing.T) {
	t.Parallel()
	for range 20 {
		path := filepath.Join(t.TempDir(), "spool", "outbox.db")
		var all sync.WaitGroup
		for range 6 {
			all.Go(func() {
				s, err := sqlitestore.Open(context.Background(), path)
				if assert.NoError(t, err) {
					_, err := s.Put(context.Background(), []outbox.Entry{{Lane: outbox.Events, Policy: outbox.AtLeastOnce, Record: []byte(`{}`)}})
					assert.NoError(t, err)
					assert.NoError(t, s.Close())
				}
			})
		}
		all.Wait()
		stats, err := open(t, path).Stats(t.Context())
		require.NoError(t, err)
		assert.Equal(t, 6, stats.Waiting())
	}
}

// Calls that come together share one wait for the disk; each is all or none even so.
func TestCallsThatComeTogether(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "outbox.db"), sqlitestore.WithCapacity(1<<20))
	var all sync.WaitGroup
	var mu sync.Mutex
	seen, full := map[int64]bool{}, 0
	for n := range 64 {
		all.Go(func() {
			entries := []outbox.Entry{{Lane: outbox.Events, Policy: outbox.AtLeastOnce, Key: strconv.Itoa(n), Record: make([]byte, 40<<10)}, {Lane: outbox.Emails, Policy: outbox.AtMostOnce, Record: []byte(`{}`)}}
			results, err := s.Put(context.Background(), entries)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				assert.ErrorIs(t, err, outbox.ErrFull)
				full++
				return
			}
			for _, r := range results {
				assert.False(t, seen[r.ID])
				seen[r.ID] = true
			}
		})
	}
	all.Wait()
	assert.Positive(t, full)
	stats, err := s.Stats(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 64-full, stats.Lanes[outbox.Events].States[outbox.Queued])
	assert.Equal(t, 64-full, stats.Lanes[outbox.Emails].States[outbox.Queued])
}
