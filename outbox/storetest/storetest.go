// Package storetest holds every [outbox.Store] to the same cases.
package storetest

import (
	"testing"
	"time"

	"example.com/bento-go/outbox"
)

// room is how many bytes a store of a test holds, at least.
const room = 1 << 20

// An Open makes a store that is empty, with room for a megabyte of records and not for a hundred.
type Open func(t *testing.T) outbox.Store

// Run holds what open makes to all cases.
func Run(t *testing.T, open Open) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, *bench){
		"what is put is next, in order":               putNext,
		"a key is kept once":                          keys,
		"a full store keeps nothing of a call":        full,
		"a lane has one sender at a time":             leases,
		"who lost the lane changes nothing":           fencing,
		"who lost an idle lane is told":               fencingIdle,
		"when entries were begun is known to others":  begun,
		"what waits is not due":                       notBefore,
		"all or none":                                 atomic,
		"what was in flight is recovered":             recovered,
		"a paused lane has nothing next":              paused,
		"a person decides about parked and failed":    decisions,
		"queries select":                              queries,
		"what is settled is forgotten, parked is not": forget,
		"a context that has ended changes nothing":    ended,
		"what is accepted leaves its key at most":     leaves,
		"parked, failed and decided are history":      histories,
		"verdicts are counted by their cause":         totals,
		"a clock that is set back keeps nobody":       setBack,
		"what waited goes before what is new":         order,
		"what is old is forgotten in portions":        forgetSome,
		"what comes to much is sent in parts":         large,
		"an owner that comes back has its token":      comesBack,
	} {
		t.Run(name, func(t *testing.T) {
			store := open(t)
			t.Cleanup(func() { _ = store.Close() })
			test(t, &bench{t, store, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)})
		})
	}
}
