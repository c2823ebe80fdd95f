package outbox

import (
	"time"

	"example.com/bento-go/gen"
)

// A Lane is a kind of record. Its records are sent in the order they were enqueued, as far as
// retries allow.
type Lane string

// The lanes.
const (
	Events      Lane = "events"
	Subscribers Lane = "subscribers"
	Commands    Lane = "commands"
	Emails      Lane = "emails"
)

// Lanes are all of them.
var Lanes = []Lane{Events, Subscribers, Commands, Emails}

var operations = map[Lane]string{
	Events: gen.OpTrackEvents, Subscribers: gen.OpImportSubscribers, Commands: gen.OpRunCommands, Emails: gen.OpSendEmails,
}

// operation is the one that a lane sends by.
func (l Lane) operation() gen.Operation {
	op, _ := gen.OperationByID(operations[l])
	return op
}

// A Policy says what to do with a record when nobody knows whether it arrived.
type Policy string

// The policies.
const (
	// AtLeastOnce sends it again; the default of all lanes but Emails.
	AtLeastOnce Policy = "at-least-once"
	// AtMostOnce parks it; that of Emails. A 5xx of a record whose repeat does no harm leaves no doubt.
	AtMostOnce Policy = "at-most-once"
)

// A State is where an entry is on its way.
//
//	queued → sending → accepted | failed | queued | parked
//	parked | failed → queued (resend) | discarded | accepted (confirm)
type State string

// The states.
const (
	Queued    State = "queued"
	Sending   State = "sending" // noted before the request, so that a crash leaves a trace
	Accepted  State = "accepted"
	Failed    State = "failed"    // Bento refused it for what is in it
	Parked    State = "parked"    // nobody knows whether it arrived: a person decides
	Discarded State = "discarded" // by a person
)

// States are all of them.
var States = []State{Queued, Sending, Accepted, Failed, Parked, Discarded}

// Waits reports whether something is still to become of an entry by itself.
func (s State) Waits() bool { return s == Queued || s == Sending }

// Done reports whether an entry needs its record no more.
func (s State) Done() bool { return s == Accepted || s == Discarded }

// An Entry is a record on its way.
type Entry struct {
	ID   int64
	Lane Lane
	// Key is the caller's own name of the record: of entries with one key, only the first is kept. It
	// is empty if the caller gave none.
	Key    string
	Policy Policy
	// Harmless is whether Bento drops a repeat, as of events with a unique key.
	Harmless bool
	Record   []byte // JSON; empty once it is accepted or discarded
	State    State
	Attempts int
	Reason   string // of the last change, in words that hold no address
	// Enqueued and Changed are when; NotBefore is the earliest time of the next attempt.
	Enqueued, NotBefore, Changed time.Time
}

// A Change is a line of an entry's history: that it was parked or failed, or what a person decided.
type Change struct {
	At     time.Time `json:"at"`
	By     string    `json:"by"` // the sender, or the person
	State  State     `json:"state"`
	Reason string    `json:"reason"`
}
