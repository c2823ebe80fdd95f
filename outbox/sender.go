package outbox

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	bento "example.com/bento-go/wrapper"
)

// A Sender takes records and delivers them. It is safe for concurrent use.
type Sender struct {
	client *bento.Client
	store  Store
	settings
	owner string // names this sender among all that share the store

	wake    map[Lane]chan struct{} // something was enqueued here
	settled chan struct{}          // something was settled here, or may be seen anew
	mu      sync.Mutex
	closed  bool
	stop    chan struct{} // lanes end after what they are at
	stopped sync.Once
	running sync.WaitGroup
}

type settings struct {
	logger    *slog.Logger
	linger    time.Duration
	poll      time.Duration
	retention time.Duration
	leaseFor  time.Duration
}

// An Option adjusts a Sender at [New].
type Option func(*settings)

// WithLogger logs what is parked, failed and paused: ids, counts and reasons, never records.
func WithLogger(l *slog.Logger) Option { return func(s *settings) { s.logger = l } }

// WithLinger makes a batch that is not full wait for more; the default is 100 ms.
func WithLinger(d time.Duration) Option { return func(s *settings) { s.linger = d } }

// WithLease makes a lane a sender's for so long, and is renewed in time; the default is 30 s. It is how
// long nothing is sent after a sender was killed.
func WithLease(d time.Duration) Option { return func(s *settings) { s.leaseFor = d } }

// WithRetention keeps what is settled, and its keys, for so long; the default is 7 days.
func WithRetention(d time.Duration) Option { return func(s *settings) { s.retention = d } }

// New returns a sender; nothing is sent until [Sender.Run]. Retries and their waits are the sender's:
// the client's own are not used. Its pace is.
func New(client *bento.Client, store Store, opts ...Option) *Sender {
	s := &Sender{
		client: client, store: store, owner: rand.Text(),
		settings: settings{logger: slog.New(slog.DiscardHandler), linger: 100 * time.Millisecond, poll: 500 * time.Millisecond, retention: 7 * 24 * time.Hour, leaseFor: 30 * time.Second},
		wake:     map[Lane]chan struct{}{}, settled: make(chan struct{}, 1), stop: make(chan struct{}),
	}
	for _, opt := range opts {
		opt(&s.settings)
	}
	for _, lane := range Lanes {
		s.wake[lane] = make(chan struct{}, 1)
	}
	return s
}

// A Receipt is what Enqueue gives for an item.
type Receipt struct {
	ID        int64
	Duplicate bool // its key was known: ID is that of the first
}

// Enqueue keeps the items, all or none, and returns when they are as safe as the store makes them.
// The error is [bento.ErrInvalid] if one of them is not what the contract describes, [ErrFull], or
// [ErrClosed].
func (s *Sender) Enqueue(ctx context.Context, items ...Item) ([]Receipt, error) {
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return nil, ErrClosed
	}
	entries, now := make([]Entry, len(items)), time.Now()
	for i, item := range items {
		if item.err != nil {
			return nil, fmt.Errorf("outbox: item %d: %w", i, item.err)
		}
		entries[i] = item.entry
		entries[i].Enqueued, entries[i].Changed = now, now
	}
	results, err := s.store.Put(ctx, entries)
	if err != nil {
		return nil, err
	}
	receipts := make([]Receipt, len(results))
	for i, r := range results {
		receipts[i] = Receipt(r)
		nudge(s.wake[entries[i].Lane])
	}
	return receipts, nil
}

// nudge makes whoever waits on c go on.
func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Run sends until ctx ends, or until [Sender.Close] is done; then it returns nil. What is in flight
// when ctx ends is broken off, and may so become unknown; Close lets it finish. Run it once; other
// processes may run senders of their own on the same store.
func (s *Sender) Run(ctx context.Context) error {
	for _, lane := range Lanes {
		l := &laneSender{Sender: s, lane: lane, op: lane.operation()}
		s.running.Go(func() { l.run(ctx) })
	}
	s.running.Wait()
	return nil
}

// A RemainingError says what Flush and Close leave: it is in the store, and will be sent by the next
// sender.
type RemainingError struct {
	Waiting int // queued, or being sent
	Parked  int // for a person to decide
	cause   error
}

func (e *RemainingError) Error() string {
	return fmt.Sprintf("outbox: %d entries wait in the store, and %d are parked", e.Waiting, e.Parked)
}

func (e *RemainingError) Unwrap() error { return e.cause }

// Flush waits until nothing waits any more, or until ctx ends; the error is then a
// [*RemainingError]. What is parked does not wait: it is for a person.
func (s *Sender) Flush(ctx context.Context) error {
	timer := time.NewTicker(s.poll)
	defer timer.Stop()
	for {
		if waits, err := s.waits(context.WithoutCancel(ctx)); err != nil || !waits {
			return err
		}
		select {
		case <-s.settled:
		case <-timer.C:
		case <-ctx.Done():
			return s.remaining(context.WithoutCancel(ctx), ctx.Err())
		}
	}
}

// waits reports whether anything is still to be delivered.
func (s *Sender) waits(ctx context.Context) (bool, error) {
	for _, lane := range Lanes {
		for _, state := range []State{Queued, Sending} {
			if found, err := s.store.Query(ctx, Filter{Lane: lane, State: state}, 1); err != nil || len(found) > 0 {
				return true, err
			}
		}
	}
	return false, nil
}

func (s *Sender) remaining(ctx context.Context, cause error) error {
	stats, err := s.store.Stats(ctx)
	if err != nil {
		return err
	}
	left := &RemainingError{Waiting: stats.Waiting(), cause: cause}
	for _, lane := range stats.Lanes {
		left.Parked += lane.States[Parked]
	}
	return left
}

// Close takes no more, goes on sending until nothing waits or ctx ends, lets what is in flight
// finish, and ends Run. What is left stays in the store, and the [*RemainingError] says how much.
// The store is the caller's to close.
func (s *Sender) Close(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	err := s.Flush(ctx)
	s.stopped.Do(func() { close(s.stop) })
	s.running.Wait()
	return err
}

// Stats counts what is in the store.
func (s *Sender) Stats(ctx context.Context) (Stats, error) { return s.store.Stats(ctx) }

// Resend queues parked or failed entries anew: a person has decided that a second delivery does no
// harm. The reason is kept with them.
func (s *Sender) Resend(ctx context.Context, reason string, ids ...int64) error {
	return s.decide(ctx, Queued, reason, ids)
}

// Confirm says that parked entries did arrive.
func (s *Sender) Confirm(ctx context.Context, reason string, ids ...int64) error {
	return s.decide(ctx, Accepted, reason, ids)
}

// Discard gives parked or failed entries up.
func (s *Sender) Discard(ctx context.Context, reason string, ids ...int64) error {
	return s.decide(ctx, Discarded, reason, ids)
}

var errNoReason = errors.New("outbox: a decision needs a reason, which is kept")

func (s *Sender) decide(ctx context.Context, to State, reason string, ids []int64) error {
	if reason == "" {
		return errNoReason
	}
	if err := s.store.Decide(ctx, ids, to, brief(reason), time.Now()); err != nil {
		return err
	}
	for _, lane := range Lanes {
		nudge(s.wake[lane])
	}
	return nil
}

// Pause holds a lane back; Resume lets it go on.
func (s *Sender) Pause(ctx context.Context, lane Lane, reason string) error {
	if reason == "" {
		return errNoReason
	}
	return s.store.Pause(ctx, lane, brief(reason))
}

// Resume lets a lane go on that was paused, by a person or because Bento refused the account.
func (s *Sender) Resume(ctx context.Context, lane Lane) error {
	defer nudge(s.wake[lane])
	return s.store.Pause(ctx, lane, "")
}
