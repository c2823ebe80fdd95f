package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"example.com/bento-go/outbox"
)

// Reopen closes a store and opens it again.
type Reopen func(t *testing.T, store outbox.Store) outbox.Store

// Model does the same random things to a store and to a reference, and compares what both say. A nil
// reopen is for stores that keep nothing. The IDs of a store may have gaps, and are compared by their
// order.
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
			"put": m.put, "acquire": m.acquire, "release": m.release, "next": m.next, "begin": m.begin, "begun": m.begun, "settle": m.settle,
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
	ids    [2][]int64 // in order, of each store
}

// number is the place of an ID among those of a store, from 1 on, and grows as they do.
func (m *model) number(i int, id int64) int64 {
	at, known := slices.BinarySearch(m.ids[i], id)
	if !known {
		if at < len(m.ids[i]) {
			m.rt.Fatalf("the ID %d of store %d comes after larger ones", id, i)
		}
		m.ids[i] = append(m.ids[i], id)
	}
	return int64(at + 1)
}

// id is the reverse of number; of a number that there is not yet it is that of no entry.
func (m *model) id(i int, number int64) int64 {
	if number > int64(len(m.ids[i])) {
		return 1<<40 + number
	}
	return m.ids[i][number-1]
}

// idsOf are the IDs of numbers.
func (m *model) idsOf(i int, numbers []int64) (all []int64) {
	for _, n := range numbers {
		all = append(all, m.id(i, n))
	}
	return all
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

func (m *model) numbers(rt *rapid.T) []int64 {
	return rapid.SliceOfNDistinct(rapid.Int64Range(1, int64(max(len(m.ids[0]), 1)+1)), 0, 4, rapid.ID).Draw(rt, "ids")
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
	m.both("put", func(i int, store outbox.Store) (any, error) {
		results, err := store.Put(m.t.Context(), all)
		for n := range results {
			results[n].ID = m.number(i, results[n].ID)
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
		return fmt.Sprint(m.shown(i, due), later.UTC()), err
	})
}

func (m *model) begin(rt *rapid.T) {
	held, numbers := m.leaseOf(rt), m.numbers(rt)
	m.both("begin", func(i int, store outbox.Store) (any, error) {
		return nil, store.Begin(m.t.Context(), held[i], m.idsOf(i, numbers), m.now)
	})
}

func (m *model) begun(*rapid.T) {
	m.both("begun", func(_ int, store outbox.Store) (any, error) {
		all, err := store.Begun(m.t.Context(), lanes...)
		slices.SortFunc(all, time.Time.Compare)
		for i := range all {
			all[i] = all[i].UTC()
		}
		return all, err
	})
}

func (m *model) settle(rt *rapid.T) {
	held := m.leaseOf(rt)
	var all []outbox.Verdict
	for _, number := range m.numbers(rt) {
		all = append(all, outbox.Verdict{ID: number, State: rapid.SampledFrom([]outbox.State{outbox.Accepted, outbox.Failed, outbox.Parked, outbox.Queued}).Draw(rt, "state"), Cause: "cause", Reason: "because"})
	}
	m.both("settle", func(i int, store outbox.Store) (any, error) {
		of := slices.Clone(all)
		for n := range of {
			of[n].ID = m.id(i, of[n].ID)
		}
		return nil, store.Settle(m.t.Context(), held[i], of, m.now)
	})
}

func (m *model) recover(rt *rapid.T) {
	held := m.leaseOf(rt)
	m.both("recover", func(i int, store outbox.Store) (any, error) {
		left, err := store.Recover(m.t.Context(), held[i], 10)
		return m.shown(i, left), err
	})
}

func (m *model) decide(rt *rapid.T) {
	numbers, to := m.numbers(rt), rapid.SampledFrom([]outbox.State{outbox.Queued, outbox.Discarded, outbox.Accepted}).Draw(rt, "to")
	m.both("decide", func(i int, store outbox.Store) (any, error) {
		return nil, store.Decide(m.t.Context(), m.idsOf(i, numbers), outbox.Decision{To: to, By: "ari", Reason: "a reason"}, m.now)
	})
}

func (m *model) pause(rt *rapid.T) {
	lane, reason := m.lane(rt), rapid.SampledFrom([]string{"", "the keys"}).Draw(rt, "reason")
	m.both("pause", func(_ int, store outbox.Store) (any, error) { return nil, store.Pause(m.t.Context(), lane, reason) })
}

func (m *model) forget(rt *rapid.T) {
	before := m.now.Add(-time.Duration(rapid.IntRange(-1, 3).Draw(rt, "minutes")) * time.Minute)
	lane, most := m.lane(rt), rapid.IntRange(1, 3).Draw(rt, "most")
	m.both("forget", func(_ int, store outbox.Store) (any, error) { return store.Forget(m.t.Context(), lane, before, most) })
}

func (m *model) wait(rt *rapid.T) {
	m.now = m.now.Add(time.Duration(rapid.IntRange(-20, 90).Draw(rt, "seconds")) * time.Second) // clocks are set back, too
}

// compare looks at all there is, after each step.
func (m *model) compare(*rapid.T) {
	m.both("query", func(i int, store outbox.Store) (any, error) {
		all, err := store.Query(m.t.Context(), outbox.Filter{}, 1000)
		return m.shown(i, all), err
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
	m.both("histories", func(i int, store outbox.Store) (any, error) {
		var text strings.Builder
		for n, id := range m.ids[i] {
			changes, err := store.History(m.t.Context(), id)
			if err != nil {
				return nil, err
			}
			for _, c := range changes {
				fmt.Fprintln(&text, n, c.At.UTC(), c.By, c.State, c.Reason)
			}
		}
		return text.String(), nil
	})
}

func (m *model) shown(i int, entries []outbox.Entry) string {
	var text strings.Builder
	for _, e := range entries {
		fmt.Fprintln(&text, m.number(i, e.ID), e.Lane, e.Key, e.State, e.Attempts, e.Reason, e.NotBefore.UTC(), e.Changed.UTC(), string(e.Record))
	}
	return text.String()
}
