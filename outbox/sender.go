package outbox

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
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

// nudge makes whoever waits on c go on.
func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Run sends until [Sender.Close] or [Sender.Stop] is done, which let finish what is in flight, or until ctx
// ends, which breaks it off: an email among it is parked. So give it a ctx that no signal ends. It then returns
// nil; an error only, and at once, if the sender has no client. Run it once: other senders, of this process or
// of others, may run on the same store.
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
	lanesEnded := map[Lane]chan struct{}{}
	for _, lane := range Lanes {
		lanesEnded[lane] = make(chan struct{})
	}
	for _, lane := range Lanes {
		l := &laneSender{Sender: s, lane: lane, op: lane.operation(), lanesEnded: lanesEnded}
		parts.Go(func() {
			defer close(lanesEnded[lane])
			l.run(ctx)
		})
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
