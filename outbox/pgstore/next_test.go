package pgstore_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/outbox"
)

// However much waits, what is read is what is sent. The test runs alone: it measures what is allocated.
func TestOnlyWhatIsSentIsRead(t *testing.T) { //nolint:paralleltest // as it says
	const entries, bound = 8, 32 << 20
	s := open(t, fresh())
	now := time.Now()
	var fresh []int64
	for range entries {
		results, err := s.Put(t.Context(), []outbox.Entry{{Lane: outbox.Events, Policy: outbox.AtLeastOnce, Record: make([]byte, outbox.MaxBytes-1), Enqueued: now}})
		require.NoError(t, err)
		fresh = append(fresh, results[0].ID)
	}
	waited, err := s.Put(t.Context(), []outbox.Entry{{Lane: outbox.Events, Policy: outbox.AtLeastOnce, Record: []byte("{}"), Enqueued: now, NotBefore: now}})
	require.NoError(t, err)
	lease, err := s.Acquire(t.Context(), outbox.Events, "me", now, time.Minute)
	require.NoError(t, err)

	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	due, later, err := s.Next(t.Context(), lease, 1000, now)
	runtime.ReadMemStats(&after)
	require.NoError(t, err)
	require.Len(t, due, 2)
	assert.Equal(t, waited[0].ID, due[0].ID, "what waited comes first")
	assert.Equal(t, []byte("{}"), due[0].Record)
	assert.Equal(t, fresh[0], due[1].ID)
	assert.Len(t, due[1].Record, outbox.MaxBytes-1)
	assert.Equal(t, now, later, "there are more")
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(bound))
	t.Logf("%d MiB allocated for %d MiB", (after.TotalAlloc-before.TotalAlloc)>>20, outbox.MaxBytes>>20)
}
