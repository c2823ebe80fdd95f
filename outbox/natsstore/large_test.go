package natsstore_test

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/natsstore"
)

// More entries than a transaction holds are put in several, and keys hold across them.
func TestMoreEntriesThanATransactionHolds(t *testing.T) {
	t.Parallel()
	s := open(t, fresh(), natsstore.WithCapacity(2<<20))
	var all []outbox.Entry
	for n := range 1100 {
		all = append(all, event(strconv.Itoa(n)))
	}
	all = append(all, event("0"))
	results, err := s.Put(t.Context(), all)
	require.NoError(t, err)
	require.Len(t, results, len(all))
	assert.Equal(t, outbox.PutResult{ID: results[0].ID, Duplicate: true}, results[1100])
	again, err := s.Put(t.Context(), all)
	require.NoError(t, err)
	for i, r := range again {
		assert.Equal(t, outbox.PutResult{ID: results[i].ID, Duplicate: true}, r)
	}
	for n := range 3000 { // of which the first transaction would find room
		all = append(all, event(fmt.Sprint("more ", n)))
	}
	_, err = s.Put(t.Context(), all)
	require.ErrorIs(t, err, outbox.ErrFull)
	stats, err := s.Stats(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 1100, stats.Waiting(), "nothing of the call")
}

// A batch may be spread so thinly that what became of it is more than a transaction holds. It is all or
// none even so, for machines that know it from before and for those that do not.
func TestABatchThatIsSpreadThinly(t *testing.T) {
	t.Parallel()
	const entries, apart = 260, 33
	name, now := fresh(), time.Now()
	mine, yours := open(t, name), open(t, name)
	all := make([]outbox.Entry, entries*apart)
	for i := range all {
		all[i] = outbox.Entry{Lane: outbox.Commands, Policy: outbox.AtLeastOnce, Record: []byte("{}")}
		if i%apart == 0 {
			all[i] = event("")
		}
	}
	var ids []int64
	for i, id := range put(t, mine, all...) {
		if i%apart == 0 {
			ids = append(ids, id)
		}
	}
	lease := acquire(t, mine, "me", now)
	due, _, err := mine.Next(t.Context(), lease, 1000, now)
	require.NoError(t, err)
	require.Equal(t, ids, idsOf(due))
	require.NoError(t, mine.Begin(t.Context(), lease, ids, now))
	_, err = yours.Recover(t.Context(), lease, 1) // so that it knows the lane
	require.NoError(t, err)
	require.NoError(t, mine.Settle(t.Context(), lease, verdicts(outbox.Failed, ids...), now))
	for round := range 3 {
		for _, s := range []outbox.Store{mine, yours, open(t, name)} {
			found, err := s.Query(t.Context(), outbox.Filter{State: outbox.Failed}, 1000)
			require.NoError(t, err)
			assert.Equal(t, ids, idsOf(found), "round %d", round)
		}
		require.NoError(t, mine.Pause(t.Context(), outbox.Events, fmt.Sprint("round ", round))) // any change makes up for it
	}
	require.NoError(t, yours.Decide(t.Context(), ids, outbox.Decision{To: outbox.Queued, By: "ari", Reason: "mended"}, now))
	due, _, err = yours.Next(t.Context(), lease, 1000, now)
	require.NoError(t, err)
	assert.Empty(t, due, "it is paused")
	require.NoError(t, mine.Pause(t.Context(), outbox.Events, ""))
	due, _, err = mine.Next(t.Context(), lease, 1000, now)
	require.NoError(t, err)
	assert.Equal(t, ids, idsOf(due))
	require.NoError(t, mine.Begin(t.Context(), lease, ids, now))
	require.NoError(t, mine.Settle(t.Context(), lease, verdicts(outbox.Accepted, ids...), now))
	n, err := yours.Forget(t.Context(), outbox.Events, now.Add(time.Hour), 1000)
	require.NoError(t, err)
	assert.Equal(t, entries, n)
	for _, s := range []outbox.Store{mine, yours, open(t, name)} {
		found, err := s.Query(t.Context(), outbox.Filter{Lane: outbox.Events}, 1000)
		require.NoError(t, err)
		assert.Empty(t, found)
	}
}

// Somebody has removed messages: their entries are not sent, but failed, with the reason, and are
// counted. The others go on.
func TestARecordThatIsGone(t *testing.T) {
	t.Parallel()
	name, now := fresh(), time.Now()
	s := open(t, name)
	ids := put(t, s, event(""), event(""))
	lease := acquire(t, s, "me", now)
	due, _, err := s.Next(t.Context(), lease, 10, now)
	require.NoError(t, err)
	require.NoError(t, s.Begin(t.Context(), lease, idsOf(due), now))
	require.NoError(t, s.Settle(t.Context(), lease, verdicts(outbox.Queued, ids...), now))
	stream, err := jetstreamOf(t).Stream(t.Context(), name+"-entries")
	require.NoError(t, err)
	require.NoError(t, stream.DeleteMsg(t.Context(), uint64(ids[0])))
	due, _, err = s.Next(t.Context(), lease, 10, now)
	require.NoError(t, err)
	assert.Equal(t, ids[1:], idsOf(due))
	failed, err := s.Query(t.Context(), outbox.Filter{State: outbox.Failed}, 10)
	require.NoError(t, err)
	require.Equal(t, ids[:1], idsOf(failed))
	assert.Contains(t, failed[0].Reason, "gone from the stream")
	stats, err := s.Stats(t.Context())
	require.NoError(t, err)
	assert.Equal(t, map[outbox.State]int{outbox.Queued: 1, outbox.Failed: 1}, stats.Lanes[outbox.Events].States)
}

// An entry whose message goes away while it is in flight is in doubt, as any other that a sender left.
func TestARecordThatIsGoneInFlight(t *testing.T) {
	t.Parallel()
	name, now := fresh(), time.Now()
	s := open(t, name)
	ids := put(t, s, event(""), event(""))
	require.NoError(t, s.Begin(t.Context(), acquire(t, s, "me", now), ids, now))
	stream, err := jetstreamOf(t).Stream(t.Context(), name+"-entries")
	require.NoError(t, err)
	require.NoError(t, stream.DeleteMsg(t.Context(), uint64(ids[1])))
	s = open(t, name) // another machine
	lease := acquire(t, s, "you", now.Add(time.Hour))
	for _, id := range ids {
		left, err := s.Recover(t.Context(), lease, 10)
		require.NoError(t, err)
		require.Equal(t, []int64{id}, idsOf(left))
		require.NoError(t, s.Settle(t.Context(), lease, verdicts(outbox.Parked, id), now))
	}
	left, err := s.Recover(t.Context(), lease, 10)
	require.NoError(t, err)
	assert.Empty(t, left)
	idle, err := s.Idle(t.Context())
	require.NoError(t, err)
	assert.True(t, idle)
}

// However often an entry fails and is sent again, what is kept of it fits into a message: the first change,
// and the latest.
func TestAHistoryIsBounded(t *testing.T) {
	t.Parallel()
	s, now := open(t, fresh()), time.Now()
	lease := acquire(t, s, "me", now)
	ids := put(t, s, event(""))
	for n := range 12 {
		require.NoError(t, s.Begin(t.Context(), lease, ids, now))
		failed := verdicts(outbox.Failed, ids...)
		failed[0].Reason = strconv.Itoa(n)
		require.NoError(t, s.Settle(t.Context(), lease, failed, now))
		require.NoError(t, s.Decide(t.Context(), ids, outbox.Decision{To: outbox.Queued, By: "ari", Reason: strconv.Itoa(n)}, now))
	}
	history, err := s.History(t.Context(), ids[0])
	require.NoError(t, err)
	require.Len(t, history, 16)
	assert.Equal(t, "0", history[0].Reason)
	assert.Equal(t, outbox.Failed, history[0].State)
	assert.Equal(t, "11", history[15].Reason)
}

// Of a thousand entries, each in a drawer of its own, not all find room in a transaction: what is kept for
// later is short enough for one message.
func TestManyThatFailWithMuchToSay(t *testing.T) {
	t.Parallel()
	s, now := open(t, fresh()), time.Now()
	s.HoldLittle()
	lease := acquire(t, s, "me", now)
	var all []outbox.Entry
	for n := range 500 {
		all = append(all, event(strconv.Itoa(n)+strings.Repeat("k", 200)))
	}
	ids := append(put(t, s, all...), put(t, s, renamed(all)...)...)
	require.NoError(t, s.Begin(t.Context(), lease, ids, now))
	failed := verdicts(outbox.Failed, ids...)
	for i := range failed {
		failed[i].Reason = strings.Repeat("é", 256)
	}
	require.NoError(t, s.Settle(t.Context(), lease, failed, now))
	stats, err := s.Stats(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 1000, stats.Lanes[outbox.Events].States[outbox.Failed])
}

// Keys whose letters take six bytes in a document, of entries that are in a thousand drawers: what became of
// all is kept even so.
func TestManyThatAreTriedAgainWithKeysThatTakeMuchRoom(t *testing.T) {
	t.Parallel()
	for name, letter := range map[string]string{"of the web": "&", "that are none": "\x01"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, now := open(t, fresh()), time.Now()
			var all []outbox.Entry
			for n := range 1000 {
				all = append(all, event(fmt.Sprintf("%04d", n)+strings.Repeat(letter, 246)))
				for range 30 { // the key takes one number, too
					all = append(all, outbox.Entry{Lane: outbox.Commands, Policy: outbox.AtLeastOnce, Record: []byte("{}")})
				}
			}
			put(t, s, all...)
			lease := acquire(t, s, "me", now)
			due, _, err := s.Next(t.Context(), lease, 1000, now)
			require.NoError(t, err)
			require.Len(t, due, 1000)
			require.Equal(t, int64(32*999), due[999].ID-due[0].ID, "each is in a drawer of its own")
			for range 2 {
				require.NoError(t, s.Begin(t.Context(), lease, idsOf(due), now))
				require.NoError(t, s.Settle(t.Context(), lease, verdicts(outbox.Queued, idsOf(due)...), now))
			}
			again, _, err := s.Next(t.Context(), lease, 1000, now)
			require.NoError(t, err)
			require.Equal(t, idsOf(due), idsOf(again))
			assert.Equal(t, due[999].Key, again[999].Key)
			assert.Equal(t, 2, again[999].Attempts)
		})
	}
}

func renamed(all []outbox.Entry) (others []outbox.Entry) {
	for _, e := range all {
		e.Key += "again"
		others = append(others, e)
	}
	return others
}

// As many go at a time as first come to what a request holds.
func TestLargeRecordsGoByRequests(t *testing.T) {
	t.Parallel()
	s, now := open(t, fresh()), time.Now()
	var all []outbox.Entry
	for range 12 {
		all = append(all, outbox.Entry{Lane: outbox.Events, Policy: outbox.AtLeastOnce, Record: bytes.Repeat([]byte(" "), 500_000)})
	}
	_, err := s.Put(t.Context(), all)
	require.NoError(t, err)
	lease, err := s.Acquire(t.Context(), outbox.Events, "me", now, time.Minute)
	require.NoError(t, err)
	due, later, err := s.Next(t.Context(), lease, 100, now)
	require.NoError(t, err)
	assert.Len(t, due, 9, "the first that come to four megabytes")
	assert.Equal(t, now, later)
}

// A record may be larger than a message.
func TestALargeRecord(t *testing.T) {
	t.Parallel()
	name, now := fresh(), time.Now()
	mine, yours := open(t, name), open(t, name)
	large, late := event("large"), event("")
	large.Record = []byte(`{"a":"` + strings.Repeat("x", 4<<20-100) + `"}`)
	late.Record, late.NotBefore = large.Record, now.Add(-time.Minute)
	more := large
	more.Key = ""
	ids := put(t, mine, large, more, event(""), late)
	lease := acquire(t, yours, "you", now)
	due, later, err := yours.Next(t.Context(), lease, 10, now)
	require.NoError(t, err)
	require.Equal(t, []int64{ids[3], ids[0]}, idsOf(due), "as much as a request holds")
	assert.Equal(t, now, later, "and the rest now, too")
	assert.Equal(t, string(large.Record), string(due[0].Record))
	assert.Equal(t, string(large.Record), string(due[1].Record))
	require.NoError(t, yours.Begin(t.Context(), lease, idsOf(due), now))
	require.NoError(t, yours.Settle(t.Context(), lease, verdicts(outbox.Parked, idsOf(due)...), now))
	due, _, err = yours.Next(t.Context(), lease, 1, now)
	require.NoError(t, err)
	require.Equal(t, ids[1:2], idsOf(due))
	require.NoError(t, yours.Begin(t.Context(), lease, ids[1:2], now))
	require.NoError(t, yours.Settle(t.Context(), lease, verdicts(outbox.Parked, ids[1]), now))
	found, err := mine.Query(t.Context(), outbox.Filter{State: outbox.Parked}, 10)
	require.NoError(t, err)
	require.Len(t, found, 3)
	assert.Equal(t, string(large.Record), string(found[0].Record))
	require.NoError(t, mine.Decide(t.Context(), idsOf(found), outbox.Decision{To: outbox.Discarded, By: "ari", Reason: "large"}, now))
	_, err = mine.Query(t.Context(), outbox.Filter{State: outbox.Queued}, 10) // a slow server may need longer than a change waits
	require.NoError(t, err)
	info, err := jetstreamOf(t).Stream(t.Context(), name+"-entries")
	require.NoError(t, err)
	assert.Less(t, info.CachedInfo().State.Bytes, uint64(1000), "records are gone")
}
