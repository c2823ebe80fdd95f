package storetest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"example.com/bento-go/outbox"
)

// Reopen closes a store and opens it again.
type Reopen func(t *testing.T, store outbox.Store) outbox.Store

// Model does the same random things to a store and to a reference, and compares what both say. A nil
// reopen is for stores that keep nothing.
func Model(t *testing.T, open, reference Open, reopen Reopen) {
	t.Helper()
	rapid.Check(t, func(rt *rapid.T) {
		m := &model{
			t: t, rt: rt, stores: [2]outbox.Store{open(t), reference(t)}, leases: map[string][2]outbox.Lease{},
			now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		}
		defer func() {
			for _, store := range m.stores {
				_ = store.Close()
			}
		}()
		actions := map[string]func(*rapid.T){
			"put": m.put, "acquire": m.acquire, "release": m.release, "next": m.next, "begin": m.begin, "settle": m.settle,
			"recover": m.recover, "decide": m.decide, "pause": m.pause, "forget": m.forget, "wait": m.wait, "recall": m.recall, "": m.compare,
		}
		if reopen != nil {
			actions["reopen"] = func(*rapid.T) { m.stores[0] = reopen(t, m.stores[0]) }
		}
		rt.Repeat(actions)
	})
}

// A model is a store under test and the reference, in this order.
type model struct {
	t      *testing.T
	rt     *rapid.T
	stores [2]outbox.Store
	leases map[string][2]outbox.Lease // by lane and owner
	now    time.Time
	last   int64 // the largest ID so far
}

// both does something to both, and compares what they say.
func (m *model) both(what string, do func(i int, store outbox.Store) (any, error)) {
	var said [2]string
	for i, store := range m.stores {
		result, err := do(i, store)
		said[i] = fmt.Sprintf("%+v %v", result, known(err))
	}
	if said[0] != said[1] {
		m.rt.Fatalf("%s: the store says\n%s\nand the reference\n%s", what, said[0], said[1])
	}
}

// known is the part of an error that stores have to agree on.
func known(err error) error {
	for _, kind := range []error{outbox.ErrFull, outbox.ErrLeased, outbox.ErrLost} {
		if errors.Is(err, kind) {
			return kind
		}
	}
	return err
}

var lanes = []outbox.Lane{outbox.Events, outbox.Emails}

func (m *model) lane(rt *rapid.T) outbox.Lane { return rapid.SampledFrom(lanes).Draw(rt, "lane") }

func (m *model) ids(rt *rapid.T) []int64 {
	return rapid.SliceOfNDistinct(rapid.Int64Range(1, max(m.last, 1)+1), 0, 4, rapid.ID).Draw(rt, "ids")
}

func (m *model) put(rt *rapid.T) {
	var all []outbox.Entry
	for range rapid.IntRange(1, 3).Draw(rt, "entries") {
		all = append(all, outbox.Entry{
			Lane: m.lane(rt), Policy: outbox.AtLeastOnce, Record: []byte(`{}`), Enqueued: m.now, Changed: m.now,
			Key:       rapid.SampledFrom([]string{"", "", "a", "b"}).Draw(rt, "key"),
			NotBefore: rapid.SampledFrom([]time.Time{{}, m.now.Add(time.Minute)}).Draw(rt, "not before"),
		})
	}
	m.both("put", func(_ int, store outbox.Store) (any, error) {
		results, err := store.Put(m.t.Context(), all)
		for _, r := range results {
			m.last = max(m.last, r.ID)
		}
		return results, err
	})
}

func (m *model) acquire(rt *rapid.T) {
	lane, owner := m.lane(rt), rapid.SampledFrom([]string{"me", "you"}).Draw(rt, "owner")
	held := m.leases[string(lane)+owner]
	m.both("acquire", func(i int, store outbox.Store) (any, error) {
		lease, err := store.Acquire(m.t.Context(), lane, owner, m.now, time.Minute)
		same := lease.Token == held[i].Token
		if err == nil {
			held[i] = lease
		}
		return fmt.Sprint(lease.Owner, lease.Expires, same), err
	})
	m.leases[string(lane)+owner] = held
}

// leaseOf draws a lease, perhaps one that is not good any more.
func (m *model) leaseOf(rt *rapid.T) [2]outbox.Lease {
	lane, owner := m.lane(rt), rapid.SampledFrom([]string{"me", "you"}).Draw(rt, "owner")
	held := m.leases[string(lane)+owner]
	for i := range held {
		held[i].Lane = lane
		if held[i].Token == 0 {
			held[i].Token = -1 // nobody's
		}
	}
	return held
}

func (m *model) release(rt *rapid.T) {
	held := m.leaseOf(rt)
	m.both("release", func(i int, store outbox.Store) (any, error) { return nil, store.Release(m.t.Context(), held[i]) })
}

func (m *model) next(rt *rapid.T) {
	held, most := m.leaseOf(rt), rapid.IntRange(1, 4).Draw(rt, "most")
	m.both("next", func(i int, store outbox.Store) (any, error) {
		due, later, err := store.Next(m.t.Context(), held[i], most, m.now)
		return fmt.Sprint(shown(due), later.UTC()), err
	})
}

func (m *model) begin(rt *rapid.T) {
	held, ids := m.leaseOf(rt), m.ids(rt)
	m.both("begin", func(i int, store outbox.Store) (any, error) {
		return nil, store.Begin(m.t.Context(), held[i], ids, m.now)
	})
}

func (m *model) settle(rt *rapid.T) {
	held := m.leaseOf(rt)
	var all []outbox.Verdict
	for _, id := range m.ids(rt) {
		all = append(all, outbox.Verdict{ID: id, State: rapid.SampledFrom([]outbox.State{outbox.Accepted, outbox.Failed, outbox.Parked, outbox.Queued}).Draw(rt, "state"), Cause: "cause", Reason: "because"})
	}
	m.both("settle", func(i int, store outbox.Store) (any, error) {
		return nil, store.Settle(m.t.Context(), held[i], all, m.now)
	})
}

func (m *model) recover(rt *rapid.T) {
	held := m.leaseOf(rt)
	m.both("recover", func(i int, store outbox.Store) (any, error) {
		left, err := store.Recover(m.t.Context(), held[i], 10)
		return shown(left), err
	})
}

func (m *model) decide(rt *rapid.T) {
	ids, to := m.ids(rt), rapid.SampledFrom([]outbox.State{outbox.Queued, outbox.Discarded, outbox.Accepted}).Draw(rt, "to")
	m.both("decide", func(_ int, store outbox.Store) (any, error) {
		return nil, store.Decide(m.t.Context(), ids, outbox.Decision{To: to, By: "ari", Reason: "a reason"}, m.now)
	})
}

func (m *model) pause(rt *rapid.T) {
	lane, reason := m.lane(rt), rapid.SampledFrom([]string{"", "the keys"}).Draw(rt, "reason")
	m.both("pause", func(_ int, store outbox.Store) (any, error) { return nil, store.Pause(m.t.Context(), lane, reason) })
}

func (m *model) forget(rt *rapid.T) {
	before := m.now.Add(-time.Duration(rapid.IntRange(-1, 3).Draw(rt, "minutes")) * time.Minute)
	m.both("forget", func(_ int, store outbox.Store) (any, error) { return store.Forget(m.t.Context(), before) })
}

func (m *model) wait(rt *rapid.T) {
	m.now = m.now.Add(time.Duration(rapid.IntRange(-20, 90).Draw(rt, "seconds")) * time.Second) // clocks are set back, too
}

// compare looks at all there is, after each step.
func (m *model) compare(*rapid.T) {
	m.both("query", func(_ int, store outbox.Store) (any, error) {
		all, err := store.Query(m.t.Context(), outbox.Filter{}, 1000)
		return shown(all), err
	})
	m.both("idle", func(_ int, store outbox.Store) (any, error) { return store.Idle(m.t.Context()) })
	m.both("stats", func(_ int, store outbox.Store) (any, error) {
		stats, err := store.Stats(m.t.Context())
		var text strings.Builder
		for _, lane := range outbox.Lanes {
			of := stats.Lanes[lane]
			fmt.Fprintln(&text, lane, of.States, of.Oldest.UTC(), of.Paused, of.Totals, of.Sender, of.Lease.UTC())
		}
		return text.String(), err
	})
}

// recall looks at all histories.
func (m *model) recall(*rapid.T) {
	m.both("histories", func(_ int, store outbox.Store) (any, error) {
		var text strings.Builder
		for id := range m.last + 1 {
			changes, err := store.History(m.t.Context(), id)
			if err != nil {
				return nil, err
			}
			for _, c := range changes {
				fmt.Fprintln(&text, id, c.At.UTC(), c.By, c.State, c.Reason)
			}
		}
		return text.String(), nil
	})
}

func shown(entries []outbox.Entry) string {
	var text strings.Builder
	for _, e := range entries {
		fmt.Fprintln(&text, e.ID, e.Lane, e.Key, e.State, e.Attempts, e.Reason, e.NotBefore.UTC(), e.Changed.UTC(), string(e.Record))
	}
	return text.String()
}
