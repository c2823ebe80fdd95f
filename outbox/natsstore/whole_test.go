package natsstore_test

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/natsstore"
)

// deliver sends what is due, as far as the store lets it.
func deliver(t *testing.T, s outbox.Store, lease outbox.Lease, now time.Time) error {
	t.Helper()
	due, _, err := s.Next(t.Context(), lease, 100, now)
	if err != nil || len(due) == 0 {
		return err
	}
	if err := s.Begin(t.Context(), lease, idsOf(due), now); err != nil {
		return err
	}
	return s.Settle(t.Context(), lease, verdicts(outbox.Accepted, idsOf(due)...), now)
}

// events are so many.
func events(n int) []outbox.Entry {
	all := make([]outbox.Entry, n)
	for i := range all {
		all[i] = event("")
	}
	return all
}

// anew deletes a stream and makes it again with the same settings.
func anew(t *testing.T, name string) {
	t.Helper()
	js := jetstreamOf(t)
	stream, err := js.Stream(t.Context(), name)
	require.NoError(t, err)
	config := stream.CachedInfo().Config
	require.NoError(t, js.DeleteStream(t.Context(), name))
	_, err = js.CreateStream(t.Context(), config)
	require.NoError(t, err)
}

// left is how many messages a stream has.
func left(t *testing.T, name string) int {
	t.Helper()
	stream, err := jetstreamOf(t).Stream(t.Context(), name)
	require.NoError(t, err)
	return int(stream.CachedInfo().State.Msgs)
}

// goneBack is an outbox whose owner has delivered ten events, and whose stream was then made anew and has
// taken eight, which have the numbers of the first.
func goneBack(t *testing.T, name string, now time.Time) (*natsstore.Store, outbox.Lease) {
	t.Helper()
	mine := open(t, name)
	put(t, mine, events(10)...)
	lease := acquire(t, mine, "me", now)
	require.NoError(t, deliver(t, mine, lease, now))
	anew(t, name+"-entries")
	put(t, open(t, name), events(8)...)
	return mine, lease
}

// A stream that was made anew numbers new entries like those that were delivered: whoever notices
// refuses, whether he had the lane before or not, and nothing is removed that was not sent.
func TestAStreamThatWasMadeAnewIsRefused(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for name, notice := range map[string]func(*testing.T, string, *natsstore.Store, outbox.Lease) error{
		"who goes on with it": func(t *testing.T, _ string, mine *natsstore.Store, _ outbox.Lease) error {
			t.Helper()
			return deliver(t, mine, acquire(t, mine, "me", now), now)
		},
		"who has it still": func(t *testing.T, _ string, mine *natsstore.Store, lease outbox.Lease) error {
			t.Helper()
			return deliver(t, mine, lease, now)
		},
		"who comes back on another connection": func(t *testing.T, name string, _ *natsstore.Store, lease outbox.Lease) error {
			t.Helper()
			put(t, open(t, name), events(4)...)
			return deliver(t, open(t, name), lease, now)
		},
		"who takes over": func(t *testing.T, name string, _ *natsstore.Store, _ outbox.Lease) error {
			t.Helper()
			put(t, open(t, name), events(4)...)
			_, err := open(t, name).Acquire(t.Context(), outbox.Events, "you", now.Add(time.Hour), time.Minute)
			return err
		},
		"who takes over on the same machine": func(t *testing.T, _ string, mine *natsstore.Store, _ outbox.Lease) error {
			t.Helper()
			put(t, mine, events(4)...)
			_, err := mine.Acquire(t.Context(), outbox.Events, "you", now.Add(time.Hour), time.Minute)
			return err
		},
		"who looks": func(t *testing.T, name string, _ *natsstore.Store, _ outbox.Lease) error {
			t.Helper()
			_, err := open(t, name).Stats(t.Context())
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			outboxName := fresh()
			mine, lease := goneBack(t, outboxName, now)
			before := left(t, outboxName+"-entries")
			err := notice(t, outboxName, mine, lease)
			require.ErrorIs(t, err, outbox.ErrDamaged)
			require.ErrorContains(t, err, "begin a new outbox with another name")
			assert.GreaterOrEqual(t, left(t, outboxName+"-entries"), before, "nothing is removed")
		})
	}
}

// An outbox of before has sheets that do not tell which stream they are about: that is the one that is found.
// What its stream has lost is seen by the numbers only.
func TestAStreamThatWentBackIsSeenByItsNumbers(t *testing.T) {
	t.Parallel()
	for name, more := range map[string]int{"it is behind": 8, "it has caught up": 14} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			outboxName, now := fresh(), time.Now()
			mine, lease := goneBack(t, outboxName, now)
			acquire(t, mine, "me", now) // what was delivered is not in the sheet any more
			require.NoError(t, mine.Close())
			forgetStream(t, outboxName)
			if more > 8 {
				put(t, open(t, outboxName), events(more-8)...)
			}
			err := deliver(t, open(t, outboxName), lease, now)
			require.ErrorIs(t, err, outbox.ErrDamaged)
			assert.Equal(t, more, left(t, outboxName+"-entries"))
		})
	}
}

// What is found in place of what was in flight is not removed with it, if the verdict was long in coming.
func TestWhatNobodyKnowsIsNotSwept(t *testing.T) {
	t.Parallel()
	name, now := fresh(), time.Now()
	s := open(t, name)
	put(t, s, events(10)...)
	lease := acquire(t, s, "me", now)
	require.NoError(t, deliver(t, s, lease, now))
	ids := put(t, s, events(2)...)
	_, _, err := s.Next(t.Context(), lease, 10, now)
	require.NoError(t, err)
	require.NoError(t, s.Begin(t.Context(), lease, ids, now))
	anew(t, name+"-entries")
	put(t, open(t, name), events(8)...)
	s.SurveyedLongAgo()
	require.ErrorIs(t, s.Settle(t.Context(), lease, verdicts(outbox.Accepted, ids...), now), outbox.ErrDamaged)
	_, _, err = s.Next(t.Context(), lease, 10, now)
	require.ErrorIs(t, err, outbox.ErrDamaged, "and it stays so")
	assert.Equal(t, 8, left(t, name+"-entries"))
}

// forgetStream makes a sheet one of before.
func forgetStream(t *testing.T, name string) {
	t.Helper()
	js := jetstreamOf(t)
	stream, err := js.Stream(t.Context(), name+"-state")
	require.NoError(t, err)
	sheet, err := stream.GetLastMsgForSubject(t.Context(), name+".s.events.lane")
	require.NoError(t, err)
	old, err := natsstore.WithoutStream(sheet.Data)
	require.NoError(t, err)
	_, err = js.Publish(t.Context(), sheet.Subject, old, jetstream.WithExpectLastSequencePerSubject(sheet.Sequence))
	require.NoError(t, err)
}
