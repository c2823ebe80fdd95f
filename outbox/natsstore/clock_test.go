package natsstore_test

import (
	"bytes"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/natsstore"
)

// A machine whose clock is behind the server's does not end the lease of another, whose clock is right: it
// waits, and its operator is told.
func TestAMachineWhoseClockIsBehind(t *testing.T) {
	t.Parallel()
	var told bytes.Buffer
	name, now := fresh(), time.Now()
	mine, yours := open(t, name), open(t, name, natsstore.WithLogger(slog.New(slog.NewTextHandler(&told, nil))))
	yours.SetClockBack(time.Hour)
	ids := put(t, mine, events(2)...)
	lease := acquire(t, mine, "me", now)
	for range 3 {
		_, err := yours.Acquire(t.Context(), outbox.Events, "you", now.Add(-time.Hour), time.Minute)
		require.ErrorIs(t, err, outbox.ErrLeased)
	}
	require.NoError(t, mine.Begin(t.Context(), lease, ids, now), "it has the lane still")
	require.NoError(t, mine.Settle(t.Context(), lease, verdicts(outbox.Accepted, ids...), now))
	assert.Equal(t, 1, bytes.Count(told.Bytes(), []byte("clocks of this machine and of the server differ")), told.String())
	assert.Contains(t, told.String(), "1h0m0s")

	yours.SetClockBack(0) // it is set right
	_, err := yours.Acquire(t.Context(), outbox.Events, "you", now.Add(2*time.Minute), time.Minute)
	require.NoError(t, err)
}

// A machine whose clock is days ahead forgets nothing before its time: a key that is gone lets the same
// record in again.
func TestAMachineWhoseClockIsAheadForgetsNothingEarly(t *testing.T) {
	t.Parallel()
	const ahead = 8 * 24 * time.Hour
	name, now := fresh(), time.Now()
	mine, yours := open(t, name), open(t, name)
	yours.SetClockBack(-ahead)
	ids := put(t, mine, events(2)...)
	lease := acquire(t, mine, "me", now)
	require.NoError(t, mine.Begin(t.Context(), lease, ids, now))
	require.NoError(t, mine.Settle(t.Context(), lease, verdicts(outbox.Failed, ids...), now))
	gone, err := yours.Forget(t.Context(), outbox.Events, now.Add(ahead).Add(-time.Hour), 100)
	require.NoError(t, err)
	assert.Zero(t, gone, "they are a moment old, and not eight days")
	gone, err = yours.Forget(t.Context(), outbox.Events, now.Add(ahead).Add(time.Hour), 100)
	require.NoError(t, err)
	assert.Equal(t, 2, gone)
}
