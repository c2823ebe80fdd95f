package outbox

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
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

	leaders
	meters  map[Lane]*meter
	wake    map[Lane]chan struct{} // something was enqueued here
	settled chan struct{}          // something was settled here, or may be seen anew
	mu      sync.Mutex
	closed  bool
	refused map[Cause]int64
	stop    chan struct{} // lanes end after what they are at
	stopped bool
	cuts    []context.CancelFunc // break off what is in flight
	running sync.WaitGroup       // only added to under mu, until it is stopped
}

type settings struct {
	name      string
	logger    *slog.Logger
	linger    time.Duration
	poll      time.Duration
	retention time.Duration
	leaseFor  time.Duration
}

// An Option adjusts a Sender at [New].
type Option func(*settings)

// WithLogger logs what is parked, failed and paused, and each minute what waits: ids, counts and
// reasons, never records.
func WithLogger(l *slog.Logger) Option { return func(s *settings) { s.logger = l } }

// WithName names the sender in leases and histories; the default is the host's name and the
// process's number.
func WithName(name string) Option { return func(s *settings) { s.name = name } }

// WithLinger makes a batch that is not full wait for more; the default is 100 ms.
func WithLinger(d time.Duration) Option { return func(s *settings) { s.linger = d } }

// WithLease makes a lane a sender's for so long, and is renewed in time; the default is 10 s. It is how
// long nothing is sent after a sender was killed, and how long a sender may stall.
func WithLease(d time.Duration) Option {
	return func(s *settings) { s.leaseFor = max(d, minLease) }
}

// minLease is below what any store could renew in time.
const minLease = 30 * time.Millisecond

// WithRetention keeps what is settled, and its keys, for so long; the default is 7 days.
func WithRetention(d time.Duration) Option { return func(s *settings) { s.retention = d } }

// New returns a sender; nothing is sent until [Sender.Run]. Retries and their waits are the sender's:
// the client's own are not used. Its pace is. Whoever only enqueues, or decides, needs no client: nil.
func New(client *bento.Client, store Store, opts ...Option) *Sender {
	host, _ := os.Hostname()
	s := &Sender{
		client: client, store: store, meters: map[Lane]*meter{}, refused: map[Cause]int64{},
		settings: settings{
			name: fmt.Sprintf("%s/%d", host, os.Getpid()), logger: slog.New(slog.DiscardHandler),
			linger: 100 * time.Millisecond, poll: 500 * time.Millisecond, retention: 7 * 24 * time.Hour, leaseFor: 10 * time.Second,
		},
		leaders: leaders{held: map[Lane]time.Time{}},
		wake:    map[Lane]chan struct{}{}, settled: make(chan struct{}, 1), stop: make(chan struct{}),
	}
	for _, opt := range opts {
		opt(&s.settings)
	}
	s.owner = s.name + "/" + rand.Text()[:8] // two of one name are two
	for _, lane := range Lanes {
		s.wake[lane], s.meters[lane] = make(chan struct{}, 1), &meter{}
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
	receipts, err := s.enqueue(ctx, items)
	if err != nil {
		s.refuse(err, len(items))
	}
	return receipts, err
}

func (s *Sender) enqueue(ctx context.Context, items []Item) ([]Receipt, error) {
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return nil, ErrClosed
	}
	entries, err := Entries(time.Now(), items...)
	if err != nil {
		return nil, err
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

// refuse counts what was not taken.
func (s *Sender) refuse(err error, n int) {
	cause := causeOther
	switch {
	case errors.Is(err, ErrFull):
		cause = causeFull
	case errors.Is(err, bento.ErrInvalid):
		cause = causeInvalid
	case errors.Is(err, ErrClosed):
		cause = causeClosed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused[cause] += int64(n)
}

// nudge makes whoever waits on c go on.
func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Run sends until ctx ends, or until [Sender.Close] or [Sender.Stop] is done; then it returns nil. What is
// in flight when ctx ends is broken off, and may so become unknown; the others let it finish. Run it
// once; other processes may run senders of their own on the same store.
func (s *Sender) Run(ctx context.Context) error {
	if s.client == nil {
		return errNoClient
	}
	ctx, cut := context.WithCancel(ctx)
	defer cut()
	if !s.begin(cut) {
		return nil
	}
	defer s.running.Done()
	var parts sync.WaitGroup
	for _, lane := range Lanes {
		l := &laneSender{Sender: s, lane: lane, op: lane.operation()}
		parts.Go(func() { l.run(ctx) })
	}
	parts.Go(func() { s.report(ctx) })
	if waker, hears := s.store.(Waker); hears {
		parts.Go(func() { s.listen(ctx, waker) })
	}
	parts.Wait()
	return nil
}

// begin notes that the sender runs, unless it was stopped before.
func (s *Sender) begin(cut context.CancelFunc) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return false
	}
	s.cuts = append(s.cuts, cut)
	s.running.Add(1)
	return true
}

var errNoClient = errors.New("outbox: a sender without a client cannot run: give New a client")

// reportEvery is how often what waits is logged.
const reportEvery = time.Minute

// report logs what waits, until the sender ends.
func (s *Sender) report(ctx context.Context) {
	every := time.NewTicker(reportEvery)
	defer every.Stop()
	for {
		select {
		case <-every.C:
		case <-s.stop:
			return
		case <-ctx.Done():
			return
		}
		if !s.logger.Enabled(ctx, slog.LevelInfo) {
			continue
		}
		stats, err := s.Stats(ctx)
		if err != nil {
			continue // the lanes tell
		}
		for _, lane := range Lanes {
			if of := stats.Lanes[lane]; of.Depth()+of.States[Parked] > 0 || of.Rate > 0 {
				s.logger.LogAttrs(ctx, slog.LevelInfo, "outbox", slog.String("lane", string(lane)), slog.Any("stats", of))
			}
		}
	}
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

// maxBlind is how often, one after the other, Flush looks in vain whether anything waits: about half a
// minute.
const maxBlind = 60

// Flush waits until nothing waits any more, or until ctx ends; the error is then a
// [*RemainingError]. What is parked does not wait: it is for a person. A store that cannot be asked for
// half a minute ends it, too.
func (s *Sender) Flush(ctx context.Context) error {
	timer := time.NewTicker(s.poll)
	defer timer.Stop()
	for blind := 0; ; {
		idle, err := s.store.Idle(context.WithoutCancel(ctx))
		switch {
		case err == nil && idle:
			return nil
		case err == nil:
			blind = 0
		case errors.Is(err, ErrClosed), errors.Is(err, ErrDamaged), blind == maxBlind:
			return err
		default:
			blind++
		}
		var settled <-chan struct{}
		if blind == 0 {
			settled = s.settled
		}
		select {
		case <-settled:
		case <-timer.C:
		case <-ctx.Done():
			return s.remaining(context.WithoutCancel(ctx), ctx.Err())
		}
	}
}

func (s *Sender) remaining(ctx context.Context, cause error) error {
	stats, err := s.store.Stats(ctx)
	if err != nil {
		return errors.Join(cause, err)
	}
	return &RemainingError{Waiting: stats.Waiting(), Parked: stats.Parked(), cause: cause}
}

// finishFor is how long Close waits for what is in flight, when its context is over.
const finishFor = 5 * time.Second

// Close takes no more, goes on sending until nothing waits or ctx ends, then ends Run as [Sender.Stop]
// does, with five seconds more for what is in flight. What is left stays in the store, and the
// [*RemainingError] says how much. The store is the caller's to close.
func (s *Sender) Close(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	err := s.Flush(ctx)
	finish, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishFor)
	defer cancel()
	s.Stop(finish)
	if left := (*RemainingError)(nil); errors.As(err, &left) { // perhaps it is less now
		if err = s.remaining(context.WithoutCancel(ctx), ctx.Err()); errors.As(err, &left) && left.Waiting == 0 {
			return nil
		}
	}
	return err
}

// Stop begins nothing new, lets what is in flight finish, and ends Run. When ctx ends before, what is in
// flight is broken off: events arrive again, emails are parked. What waits stays in the store.
func (s *Sender) Stop(ctx context.Context) {
	s.mu.Lock()
	if !s.stopped {
		s.stopped = true
		close(s.stop)
	}
	cuts := s.cuts
	s.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		s.running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return
	case <-ctx.Done():
	}
	for _, cut := range cuts {
		cut()
	}
	<-ended
}

// Stats counts what is in the store, and adds what only this sender knows: rates and refusals.
func (s *Sender) Stats(ctx context.Context) (Stats, error) {
	stats, err := s.store.Stats(ctx)
	if err != nil {
		return stats, err
	}
	now := time.Now()
	for lane, of := range stats.Lanes {
		of.Rate = s.meters[lane].rate(now)
		stats.Lanes[lane] = of
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	stats.Refused = maps.Clone(s.refused)
	return stats, nil
}

// Resend queues parked or failed entries anew: a person has decided that a second delivery does no
// harm. Who decided (a name or an address, say) and why is kept in the history of each.
func (s *Sender) Resend(ctx context.Context, by, reason string, ids ...int64) error {
	return s.decide(ctx, Decision{Queued, by, reason}, ids)
}

// Confirm says that parked entries did arrive.
func (s *Sender) Confirm(ctx context.Context, by, reason string, ids ...int64) error {
	return s.decide(ctx, Decision{Accepted, by, reason}, ids)
}

// Discard gives parked or failed entries up; their records are removed at once.
func (s *Sender) Discard(ctx context.Context, by, reason string, ids ...int64) error {
	return s.decide(ctx, Decision{Discarded, by, reason}, ids)
}

var errNoReason = errors.New("outbox: it needs a name and a reason, which are kept")

func (s *Sender) decide(ctx context.Context, d Decision, ids []int64) error {
	if d.By == "" || d.Reason == "" {
		return errNoReason
	}
	d.By, d.Reason = brief(d.By), brief(d.Reason)
	if err := s.store.Decide(ctx, ids, d, time.Now()); err != nil {
		return err
	}
	for _, lane := range Lanes {
		nudge(s.wake[lane])
	}
	return nil
}

// Entries returns at most max entries that match, by ID; the next are those with a larger one. Those
// that were accepted are not kept, unless they have a key or a history.
func (s *Sender) Entries(ctx context.Context, f Filter, max int) ([]Entry, error) {
	return s.store.Query(ctx, f, max)
}

// History is what an entry went through beside being sent: that it was parked or failed, and what was
// decided; oldest first.
func (s *Sender) History(ctx context.Context, id int64) ([]Change, error) {
	return s.store.History(ctx, id)
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
