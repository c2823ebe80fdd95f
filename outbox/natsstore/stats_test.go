package natsstore_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/outbox"
)

// A lane that changes faster than it can be counted is counted as it was just then, and is not idle: neither is
// an error.
func TestALaneThatIsBusyIsCounted(t *testing.T) {
	t.Parallel()
	name, now := fresh(), time.Now()
	looks, sends := open(t, name), open(t, name)
	put(t, sends, events(5)...)
	lease, n := acquire(t, sends, "me", now), 0
	looks.AfterCounting(func() { // the first is sent, and then it goes on
		n++
		if n == 1 {
			if err := deliver(t, sends, lease, now); err != nil {
				t.Error(err)
			}
			put(t, sends, events(3)...)
		}
		assert.NoError(t, sends.Pause(t.Context(), outbox.Events, strconv.Itoa(n)))
	})
	stats, err := looks.Stats(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 3, stats.Waiting())
	assert.EqualValues(t, 5, stats.Lanes[outbox.Events].Totals[outbox.Accepted][""])
	idle, err := looks.Idle(t.Context())
	require.NoError(t, err)
	assert.False(t, idle)
}
