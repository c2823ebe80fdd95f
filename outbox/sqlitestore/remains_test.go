package sqlitestore_test

import (
	"bytes"
	"database/sql"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/sqlitestore"
)

const somebody = "somebody@example.com"

// holders are the files of an outbox, and beside it, that hold somebody's address.
func holders(t *testing.T, path string) (names []string) {
	t.Helper()
	files, err := filepath.Glob(path + "*")
	require.NoError(t, err)
	for _, file := range files {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		if bytes.Contains(content, []byte(somebody)) {
			names = append(names, filepath.Base(file))
		}
	}
	return names
}

// A life is that of a record about somebody, in an outbox of its own.
type life struct {
	t     *testing.T
	path  string
	store *sqlitestore.Store
	lease outbox.Lease
	now   time.Time
}

func begun(t *testing.T) *life {
	t.Helper()
	l := &life{t: t, path: filepath.Join(t.TempDir(), "outbox.db"), now: time.Now()}
	l.store = l.open()
	var err error
	l.lease, err = l.store.Acquire(t.Context(), outbox.Events, "me", l.now, time.Hour)
	require.NoError(t, err)
	return l
}

func (l *life) open() *sqlitestore.Store {
	l.t.Helper()
	s, err := sqlitestore.Open(l.t.Context(), l.path)
	require.NoError(l.t, err)
	l.t.Cleanup(func() { _ = s.Close() })
	return s
}

// settled puts a record about somebody, and settles it.
func (l *life) settled(state outbox.State) (id int64) {
	l.t.Helper()
	record := []byte(`{"type":"x","email":"` + somebody + `"}`)
	results, err := l.store.Put(l.t.Context(), []outbox.Entry{{Lane: outbox.Events, Policy: outbox.AtLeastOnce, Record: record, Enqueued: l.now}})
	require.NoError(l.t, err)
	id = results[0].ID
	require.NoError(l.t, l.store.Begin(l.t.Context(), l.lease, []int64{id}, l.now))
	require.NoError(l.t, l.store.Settle(l.t.Context(), l.lease, []outbox.Verdict{{ID: id, State: state, Reason: "so"}}, l.now))
	assert.NotEmpty(l.t, holders(l.t, l.path), "it is in the log at least")
	return id
}

// idle has nothing to send.
func (l *life) idle(s *sqlitestore.Store) {
	l.t.Helper()
	due, _, err := s.Next(l.t.Context(), l.lease, 10, l.now)
	require.NoError(l.t, err)
	require.Empty(l.t, due)
}

func TestWhatIsDeliveredIsGoneFromTheDiskWhenThereIsNothingToSend(t *testing.T) {
	t.Parallel()
	l := begun(t)
	l.settled(outbox.Accepted)
	l.idle(l.store)
	assert.Empty(t, holders(t, l.path))

	l.settled(outbox.Accepted)
	l.now = l.now.Add(5 * time.Second)
	l.idle(l.store)
	assert.NotEmpty(t, holders(t, l.path), "it was just done")
	l.now = l.now.Add(5 * time.Second)
	l.idle(l.store)
	assert.Empty(t, holders(t, l.path))
}

func TestWhatIsDiscardedIsGoneFromTheDiskAtOnce(t *testing.T) {
	t.Parallel()
	l := begun(t)
	id := l.settled(outbox.Failed)
	l.idle(l.store)
	assert.NotEmpty(t, holders(t, l.path), "a person may want it sent")
	require.NoError(t, l.store.Decide(t.Context(), []int64{id}, outbox.Decision{To: outbox.Discarded, By: "ops", Reason: "gdpr"}, l.now))
	assert.Empty(t, holders(t, l.path))
}

func TestWhatIsForgottenIsGoneFromTheDisk(t *testing.T) {
	t.Parallel()
	l := begun(t)
	l.settled(outbox.Failed)
	gone, err := l.store.Forget(t.Context(), outbox.Events, l.now.Add(time.Second), 10)
	require.NoError(t, err)
	require.Equal(t, 1, gone)
	l.idle(l.store)
	assert.Empty(t, holders(t, l.path))
}

// What another process delivered, and did not live to cut off, a standby cuts off.
func TestWhatAnotherLeftIsGoneOnceAStandbyHasNothingToSend(t *testing.T) {
	t.Parallel()
	l := begun(t)
	standby := l.open()
	l.idle(standby)
	l.settled(outbox.Accepted)
	l.now = l.now.Add(50 * time.Second)
	l.idle(standby)
	assert.NotEmpty(t, holders(t, l.path), "it looks every minute")
	l.now = l.now.Add(10 * time.Second)
	l.idle(standby)
	assert.Empty(t, holders(t, l.path))
}

func TestWhatIsDeliveredIsGoneWhenTheStoreIsClosed(t *testing.T) {
	t.Parallel()
	l := begun(t)
	l.open() // which stays
	l.settled(outbox.Accepted)
	require.NoError(t, l.store.Close())
	assert.Empty(t, holders(t, l.path))
}

// Somebody reads the file, such as a backup: nothing can be cut off, nobody waits for it, and it is made up for.
func TestAReaderHoldsUpNobody(t *testing.T) {
	t.Parallel()
	l := begun(t)
	id := l.settled(outbox.Failed)
	db, err := sql.Open("sqlite", l.path)
	require.NoError(t, err)
	defer func() { _ = db.Close() }()
	backup, err := db.BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true})
	require.NoError(t, err)
	var n int
	require.NoError(t, backup.QueryRowContext(t.Context(), "SELECT count(*) FROM entries").Scan(&n))

	began := time.Now()
	require.NoError(t, l.store.Decide(t.Context(), []int64{id}, outbox.Decision{To: outbox.Discarded, By: "ops", Reason: "gdpr"}, l.now))
	l.idle(l.store)
	assert.Less(t, time.Since(began), 4*time.Second)
	assert.NotEmpty(t, holders(t, l.path))

	require.NoError(t, backup.Rollback())
	l.now = l.now.Add(10 * time.Second)
	l.idle(l.store)
	assert.Empty(t, holders(t, l.path))
}

// Who was killed has cut nothing off.
func TestWhatAKilledProcessDeliveredIsGoneOnceAnotherHasNothingToSend(t *testing.T) {
	t.Parallel()
	l := begun(t)
	l.settled(outbox.Accepted)
	l.idle(l.open())
	assert.Empty(t, holders(t, l.path))
}
