package sqlitestore_test

import (
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/internal/needed"
	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/sqlitestore"
)

// deliver settles as accepted all that is due, and returns the records; the lane's end, or an error.
func deliver(t *testing.T, s outbox.Store) (records []string, err error) {
	t.Helper()
	now := time.Now()
	lease, err := s.Acquire(t.Context(), outbox.Events, "me", now, time.Hour)
	if err != nil {
		return nil, err
	}
	for {
		due, _, err := s.Next(t.Context(), lease, 100, now)
		if err != nil || len(due) == 0 {
			return records, err
		}
		var ids []int64
		var verdicts []outbox.Verdict
		for _, e := range due {
			ids, verdicts = append(ids, e.ID), append(verdicts, outbox.Verdict{ID: e.ID, State: outbox.Accepted})
			records = append(records, string(e.Record))
		}
		if err := s.Begin(t.Context(), lease, ids, now); err != nil {
			return records[:len(records)-len(due)], err
		}
		if err := s.Settle(t.Context(), lease, verdicts, now); err != nil {
			return records, err
		}
	}
}

// Whatever a failing disk does to the file: what is delivered is what was put, and what is not is an
// error, or a failed entry that says so.
func TestADamagedFileDeliversNothingWrong(t *testing.T) {
	t.Parallel()
	const entries, damaged = 300, 80
	whole := filepath.Join(t.TempDir(), "outbox.db")
	s := open(t, whole)
	var all []outbox.Entry
	put := map[string]bool{}
	for n := range entries {
		record := fmt.Sprintf(`{"type":"x","email":"person%d@example.com","n":%d}`, n, rand.Int())
		put[record] = true
		all = append(all, outbox.Entry{Lane: outbox.Events, Policy: outbox.AtLeastOnce, Record: []byte(record), Enqueued: time.Now()})
	}
	_, err := s.Put(t.Context(), all)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	content, err := os.ReadFile(whole)
	require.NoError(t, err)
	refused, failed := 0, 0
	for n := range damaged {
		spoilt := append([]byte(nil), content...)
		at := rand.IntN(len(spoilt))
		for i := range 1 + n%50 {
			spoilt[(at+i)%len(spoilt)] = byte(rand.Int())
		}
		path := filepath.Join(t.TempDir(), "outbox.db")
		require.NoError(t, os.WriteFile(path, spoilt, 0o600))
		s, err := sqlitestore.Open(t.Context(), path)
		if err != nil {
			refused++
			require.ErrorContains(t, err, path)
			continue
		}
		records, err := deliver(t, s)
		for _, record := range records {
			assert.True(t, put[record], "%q was never put", record)
		}
		if err != nil {
			refused++
			assert.True(t, errors.Is(err, outbox.ErrDamaged) || errors.Is(err, outbox.ErrLost), err) // lost: an index and its table disagree
		}
		found, _ := s.Query(t.Context(), outbox.Filter{State: outbox.Failed}, entries)
		failed += len(found)
		for _, e := range found {
			assert.Contains(t, e.Reason, "damaged")
		}
		_ = s.Close()
	}
	assert.Positive(t, refused)
	assert.Positive(t, failed)
	t.Logf("%d damaged files: %d refused, %d records failed, none delivered that was not put", damaged, refused, failed)
}

// spoil changes a file behind the back of its store.
func spoil(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), statement)
	require.NoError(t, errors.Join(err, db.Close()))
}

// Where the disk has less than is to be left free, what is there already is known all the same.
func TestAKnownKeyNeedsNoRoom(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "outbox.db")
	kept := outbox.Entry{Lane: outbox.Events, Policy: outbox.AtLeastOnce, Key: "a", Record: []byte("{}"), Enqueued: time.Now()}
	first, err := open(t, path).Put(t.Context(), []outbox.Entry{kept})
	require.NoError(t, err)
	narrow := open(t, path, sqlitestore.WithReserve(1<<60))
	again, err := narrow.Put(t.Context(), []outbox.Entry{kept, kept})
	require.NoError(t, err)
	assert.Equal(t, []outbox.PutResult{{ID: first[0].ID, Duplicate: true}, {ID: first[0].ID, Duplicate: true}}, again)
	kept.Key = "b"
	_, err = narrow.Put(t.Context(), []outbox.Entry{kept})
	require.ErrorIs(t, err, outbox.ErrFull)
}

// What stands behind damaged records is due at once.
func TestDamagedRecordsHoldNothingUp(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "outbox.db")
	s, now := open(t, path), time.Now()
	ids := put(t, s, 4)
	spoil(t, path, fmt.Sprintf("UPDATE entries SET record = x'00' WHERE id IN (%d, %d)", ids[0].ID, ids[1].ID))
	lease, err := s.Acquire(t.Context(), outbox.Events, "me", now, time.Minute)
	require.NoError(t, err)
	due, later, err := s.Next(t.Context(), lease, 1, now)
	require.NoError(t, err)
	assert.Empty(t, due)
	assert.False(t, later.After(now) || later.IsZero(), "there may be more")
	due, _, err = s.Next(t.Context(), lease, 1, now)
	require.NoError(t, err)
	require.Len(t, due, 1)
	assert.Equal(t, ids[2].ID, due[0].ID)
}

// That it is not known when entries were begun keeps nobody from sending, and is known again from then on.
func TestTimesThatCannotBeReadHoldNothingUp(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "outbox.db")
	s, now := open(t, path), time.Now()
	ids := put(t, s, 1)
	spoil(t, path, "UPDATE lanes SET begun = '[1,'")
	_, err := s.Begun(t.Context(), outbox.Events)
	require.ErrorIs(t, err, outbox.ErrDamaged)
	lease, err := s.Acquire(t.Context(), outbox.Events, "me", now, time.Minute)
	require.NoError(t, err)
	require.NoError(t, s.Begin(t.Context(), lease, []int64{ids[0].ID}, now))
	begun, err := s.Begun(t.Context(), outbox.Events)
	require.NoError(t, err)
	assert.Len(t, begun, 1)
}

// A disk that is smaller than the file may be: the store is full while there is room left to deliver.
// Where others take that room, too, nothing is sent of which nothing could be noted; all goes on when
// they give it back.
func TestADiskThatIsFull(t *testing.T) {
	needed.That(t, runtime.GOOS == "linux" && os.Geteuid() == 0, "root on Linux, to mount a small disk")
	disk := t.TempDir()
	unmount := mount(t, disk, "-t", "tmpfs", "-o", "size=48m", "none")
	s := open(t, filepath.Join(disk, "spool", "outbox.db"), sqlitestore.WithReserve(24<<20))
	entry := outbox.Entry{Lane: outbox.Events, Policy: outbox.AtLeastOnce, Record: make([]byte, 8<<10)}
	call := slices.Repeat([]outbox.Entry{entry}, 8)
	kept := 0
	fill := func() {
		for kept < 10_000 {
			if _, err := s.Put(t.Context(), call); err != nil {
				require.ErrorIs(t, err, outbox.ErrFull)
				return
			}
			kept += len(call)
		}
		t.Fatal("the disk is never full")
	}
	fill()
	require.Greater(t, kept, 100)

	lease, err := s.Acquire(t.Context(), outbox.Events, "me", time.Now(), time.Hour)
	require.NoError(t, err)
	junk := filepath.Join(disk, "junk")
	_ = os.WriteFile(junk, make([]byte, 48<<20), 0o600) // until there is no room at all
	for n := 0; err == nil && n < 10_000; n++ {         // as a sender renews it, until not even that has room
		_, err = s.Acquire(t.Context(), outbox.Events, "me", time.Now(), time.Hour)
	}
	require.ErrorIs(t, err, outbox.ErrFull)
	require.ErrorIs(t, s.Begin(t.Context(), lease, []int64{1}, time.Now()), outbox.ErrFull, "nothing is sent of which nothing can be noted")
	require.NoError(t, os.Remove(junk))

	records, err := deliver(t, s)
	require.NoError(t, err)
	assert.Len(t, records, kept)
	kept = 0
	fill()
	assert.Greater(t, kept, 100, "there is room again")
	require.NoError(t, s.Close())
	unmount()
}

// A file that is full to the brim has room for every note about what is in it, whatever becomes of it.
func TestAFullFileTakesEveryNote(t *testing.T) {
	t.Parallel()
	for _, state := range []outbox.State{outbox.Queued, outbox.Failed} {
		s := open(t, filepath.Join(t.TempDir(), "outbox.db"), sqlitestore.WithCapacity(1<<20))
		all := make([]outbox.Entry, 1000)
		for i := range all {
			all[i] = outbox.Entry{Lane: outbox.Events, Policy: outbox.AtLeastOnce, Record: []byte(`{"type":"x","email":"ari@example.com"}`)}
		}
		var err error
		for err == nil {
			_, err = s.Put(t.Context(), all)
		}
		require.ErrorIs(t, err, outbox.ErrFull)
		now := time.Now()
		lease, err := s.Acquire(t.Context(), outbox.Events, "me", now, time.Hour)
		require.NoError(t, err)
		noted := 0
		for {
			due, _, err := s.Next(t.Context(), lease, 1000, now)
			require.NoError(t, err)
			if len(due) == 0 {
				break
			}
			ids, verdicts := make([]int64, len(due)), make([]outbox.Verdict, len(due))
			for i, e := range due {
				ids[i], verdicts[i] = e.ID, outbox.Verdict{ID: e.ID, State: state, NotBefore: now.Add(time.Hour), Reason: strings.Repeat("because ", 60)}
			}
			require.NoError(t, s.Begin(t.Context(), lease, ids, now))
			require.NoError(t, s.Settle(t.Context(), lease, verdicts, now))
			noted += len(due)
		}
		assert.Greater(t, noted, 2500)
	}
}

func TestAFileThatOthersMayReadIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "outbox.db")
	require.NoError(t, open(t, path).Close())
	require.NoError(t, os.Chmod(path, 0o644))
	_, err := sqlitestore.Open(t.Context(), path)
	require.ErrorContains(t, err, "chmod 600")
	require.NoError(t, os.Chmod(path, 0o600))
	require.NoError(t, os.Chmod(filepath.Dir(path), 0o777))
	_, err = sqlitestore.Open(t.Context(), path)
	require.ErrorContains(t, err, "chmod 700")
	link := filepath.Join(t.TempDir(), "outbox.db")
	require.NoError(t, os.Symlink(path, link))
	_, err = sqlitestore.Open(t.Context(), link)
	require.Error(t, err, "a link may lead anywhere")
}

// A path may hold what means something else in a URI.
func TestAPathIsAPath(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "50% off?", "#1.db")
	require.NoError(t, open(t, path).Close())
	_, err := os.Stat(path)
	require.NoError(t, err)
}
