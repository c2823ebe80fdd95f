package natsstore_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/outbox/natsstore"
)

// joining is a cluster whose last server joins after a time.
type joining struct {
	jetstream.JetStream
	at time.Time
}

func (j joining) Stream(context.Context, string) (jetstream.Stream, error) {
	return nil, jetstream.ErrStreamNotFound
}

func (j joining) CreateStream(context.Context, jetstream.StreamConfig) (jetstream.Stream, error) {
	if time.Now().Before(j.at) {
		return nil, &jetstream.APIError{Code: 400, ErrorCode: 10005, Description: "no suitable peers for placement"}
	}
	return nil, nil //nolint:nilnil // nobody looks at it
}

// A cluster that has just been started answers before each of its servers has joined: who opens an outbox
// waits a while, and is told what is missing if that is not enough.
func TestWhoeverOpensWaitsForServersToJoin(t *testing.T) {
	t.Parallel()
	for after, joined := range map[time.Duration]bool{0: true, 3 * time.Second: true, time.Minute: false} {
		synctest.Test(t, func(t *testing.T) {
			begun := time.Now()
			err := natsstore.Make(t.Context(), joining{at: begun.Add(after)})
			if joined {
				require.NoError(t, err)
				assert.Less(t, time.Since(begun), after+time.Second)
				return
			}
			require.ErrorContains(t, natsstore.Remedy(err), "start those that are down")
			assert.Less(t, time.Since(begun), 15*time.Second)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			begun = time.Now()
			require.Error(t, natsstore.Make(ctx, joining{at: begun.Add(after)}))
			assert.Zero(t, time.Since(begun), "nor for one who has gone")
		})
	}
}

// Servers hear of a stream one after the other: what nobody is there to answer is asked again, and told in the
// end.
func TestWhatNobodyIsThereToAnswerIsAskedAgain(t *testing.T) {
	t.Parallel()
	s := open(t, fresh())
	conn, err := nats.Connect(url(t))
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	var asked atomic.Int32
	_, err = conn.Subscribe("late", func(msg *nats.Msg) {
		answer := nats.NewMsg(msg.Reply)
		if asked.Add(1) == 1 {
			answer.Header.Set("Status", "503") // as the server has it
		}
		assert.NoError(t, conn.PublishMsg(answer))
	})
	require.NoError(t, err)
	require.NoError(t, conn.Flush())
	require.NoError(t, s.Ask(t.Context(), "late"))
	assert.EqualValues(t, 2, asked.Load())

	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, s.Ask(ctx, "never"), nats.ErrNoResponders)
}
