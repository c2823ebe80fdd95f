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
	// ErrPaused says that a lane is paused: nothing of it is begun.
	ErrPaused = errors.New("outbox: the lane is paused")
	// ErrClosed says that the sender takes no more.
	ErrClosed = errors.New("outbox: the sender is closed")
	// ErrDamaged says that the store cannot be trusted any more.
	ErrDamaged = errors.New("outbox: the store is damaged")
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
	// ErrLeased if another has it. A lease that ends later than its ttl from now was taken before the
	// clock was set back: it then ends a ttl from now. An owner that comes back to a lane that ran out,
	// and was nobody's since, has the token it had.
	Acquire(ctx context.Context, lane Lane, owner string, now time.Time, ttl time.Duration) (Lease, error)
	// Release gives the lane up.
	Release(ctx context.Context, lease Lease) error

	// Next returns at most max queued entries that are due, and no more than the first whose records come
	// to [MaxBytes], and when the next after them is due: zero if there is none. First come those that
	// waited, by NotBefore, then the others, by ID. What was tried at a time that has not come yet, because
	// the clock was set back since, waits no more. A paused lane has none.
	Next(ctx context.Context, lease Lease, max int, now time.Time) (due []Entry, later time.Time, err error)
	// Begin notes that entries are about to be sent: from queued to sending, all or none. The error is
	// ErrPaused if the lane was paused since they were due. Without ids it notes one more request of those
	// that are being sent.
	Begin(ctx context.Context, lease Lease, ids []int64, now time.Time) error
	// Begun returns when entries of the lanes were begun, by whomever: at least the last [MostBegun] times of
	// each lane, in any order. Who takes over knows so how much of a limit is used. An error that is
	// [ErrDamaged] keeps nobody from sending.
	Begun(ctx context.Context, lanes ...Lane) ([]time.Time, error)
	// Settle notes what became of entries that were being sent, all or none. An accepted entry is
	// removed, unless it has a key or a history: then only its record is. Parked and failed ones get a
	// line in their history.
	Settle(ctx context.Context, lease Lease, verdicts []Verdict, now time.Time) error
	// Recover returns the entries that a sender left as sending when it ended.
	Recover(ctx context.Context, lease Lease, max int) ([]Entry, error)

	// Pause holds a lane back, and says why; an empty reason lets it go on.
	Pause(ctx context.Context, lane Lane, reason string) error
	// Decide is a person's change of entries, all or none, from parked or failed.
	Decide(ctx context.Context, ids []int64, d Decision, now time.Time) error

	// Query returns at most max entries that match, by ID.
	Query(ctx context.Context, f Filter, max int) ([]Entry, error)
	// History is what an entry went through, oldest first; empty if there is nothing to tell.
	History(ctx context.Context, id int64) ([]Change, error)
	// Stats counts.
	Stats(ctx context.Context) (Stats, error)
	// Idle reports whether no entry is queued or being sent.
	Idle(ctx context.Context) (bool, error)
	// Forget removes settled entries of a lane, but not parked ones, that changed before a time, and their
	// keys: at most max of them, those first that changed first. Failed ones count as discarded then, by
	// CauseForgotten.
	Forget(ctx context.Context, lane Lane, before time.Time, max int) (int, error)
	// Close lets go of the store.
	Close() error
}

// A Waker is a Store that hears what other processes put, so that a sender need not wait until it asks
// the next time. What goes unheard is found then.
type Waker interface {
	// Wake calls wake, one call after the other, with a lane when something in it may be due, and with
	// all of them when it begins to hear; until ctx ends, or it hears no more: the error says why.
	Wake(ctx context.Context, wake func(Lane)) error
}

// MostBegun is the least number of recent times of sending that a store remembers for each lane: more than
// Bento takes requests in a minute. An account that is allowed more may ask a little more than that in a minute
// in which the lane changes hands.
const MostBegun = 128

// MaxBytes is about how much of records is sent at a time, in bytes: as much as a request holds.
const MaxBytes = 4 << 20

// Together is how many of the entries that are due go at a time; for stores.
func Together(due []Entry, most int) (n int) {
	for size := 0; n < min(len(due), most) && size < MaxBytes; n++ {
		size += len(due[n].Record)
	}
	return n
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
	Cause     Cause
	Reason    string
}

// A Decision is a person's.
type Decision struct {
	To         State // Queued, Accepted or Discarded
	By, Reason string
}

// A Filter selects entries. Its zero value selects all.
type Filter struct {
	Lane  Lane
	State State
	After int64 // only entries with a larger ID
	IDs   []int64
}
