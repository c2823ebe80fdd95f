package outbox

import (
	"context"
	"errors"
	"time"
)

// Errors of a Store, and of a Sender.
var (
	// ErrFull says that the store has no room; nothing of the call was kept.
	ErrFull = errors.New("outbox: the store is full: wait until some of it is delivered, discard what failed, or give it more room")
	// ErrLeased says that another sender has the lane.
	ErrLeased = errors.New("outbox: another sender has the lane")
	// ErrLost says that the lane was lost to another sender, or that an entry is not in the state
	// that the change begins from: nothing was changed.
	ErrLost = errors.New("outbox: the lane or an entry of it was lost to another sender")
	// ErrClosed says that the sender takes no more.
	ErrClosed = errors.New("outbox: the sender is closed")
)

// A Store keeps entries. Every method that changes something returns when the change is as durable
// as the store makes it. It is safe for concurrent use, by several processes if the store says so.
// Times are the sender's, so that a test can have its own.
//
// Package storetest holds every store to the same cases.
type Store interface {
	// Put keeps entries, all or none, and sets their IDs, which grow. An entry whose key is known in its
	// lane is not kept again: its result names the first. The error is ErrFull if there is no room.
	Put(ctx context.Context, entries []Entry) ([]PutResult, error)

	// Acquire makes owner the only sender of a lane until now+ttl, or extends that. The error is
	// ErrLeased if another has it.
	Acquire(ctx context.Context, lane Lane, owner string, now time.Time, ttl time.Duration) (Lease, error)
	// Release gives the lane up.
	Release(ctx context.Context, lease Lease) error

	// Next returns at most max queued entries that are due, oldest first, and when the next after them
	// is due: zero if there is none. A paused lane has none.
	Next(ctx context.Context, lease Lease, max int, now time.Time) (due []Entry, later time.Time, err error)
	// Begin notes that entries are about to be sent: from queued to sending, all or none.
	Begin(ctx context.Context, lease Lease, ids []int64, now time.Time) error
	// Settle notes what became of entries that were being sent, all or none.
	Settle(ctx context.Context, lease Lease, verdicts []Verdict, now time.Time) error
	// Recover returns the entries that a sender left as sending when it ended.
	Recover(ctx context.Context, lease Lease, max int) ([]Entry, error)

	// Pause holds a lane back, and says why; an empty reason lets it go on.
	Pause(ctx context.Context, lane Lane, reason string) error
	// Decide is a person's change of entries, all or none, from parked or failed.
	Decide(ctx context.Context, ids []int64, to State, reason string, now time.Time) error

	// Query returns at most max entries that match, by ID.
	Query(ctx context.Context, f Filter, max int) ([]Entry, error)
	// Stats counts.
	Stats(ctx context.Context) (Stats, error)
	// Forget removes settled entries, but not parked ones, that changed before a time, and their keys.
	Forget(ctx context.Context, before time.Time) (int, error)
	// Close lets go of the store.
	Close() error
}

// A PutResult is what became of an entry of a Put.
type PutResult struct {
	ID        int64
	Duplicate bool // it was kept before, under ID
}

// A Lease is the right to send a lane.
type Lease struct {
	Lane    Lane
	Owner   string
	Token   int64 // grows with each owner
	Expires time.Time
}

// A Verdict is what became of an entry that was sent.
type Verdict struct {
	ID        int64
	State     State
	NotBefore time.Time // of one that is queued again
	Reason    string
}

// A Filter selects entries. Its zero value selects all.
type Filter struct {
	Lane  Lane
	State State
	After int64 // only entries with a larger ID
	IDs   []int64
}

// Stats are counts at a moment.
type Stats struct {
	Lanes map[Lane]LaneStats
}

// LaneStats are those of a lane.
type LaneStats struct {
	States map[State]int
	Oldest time.Time // when the oldest entry that waits was enqueued; zero if none does
	Paused string    // why, or empty
}

// Waiting is how many entries are still to be delivered.
func (s Stats) Waiting() int {
	n := 0
	for _, lane := range s.Lanes {
		n += lane.States[Queued] + lane.States[Sending]
	}
	return n
}
