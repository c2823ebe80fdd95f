package natsstore

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/nats-io/nats.go"

	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/internal/together"
)

// A Store is an [outbox.Store] in a NATS cluster.
type Store struct {
	conn     *nats.Conn
	link     connection
	logger   *slog.Logger
	part     int // bytes of a record in one message
	most     int // drawers that a change writes
	subjects subjects
	streams  streams
	lanes    map[outbox.Lane]*lane              // of who sends
	views    map[outbox.Lane]*lane              // of who looks, who may have to wait: the sender does not wait for him
	refusal  atomic.Pointer[refusal]            // what the server did not permit last
	opening  atomic.Pointer[context.CancelFunc] // ends Open, which waits for what is not permitted
	closed   atomic.Bool
	ended    chan struct{}
	closing  sync.Once
	copied   atomic.Bool     // the entries' stream is on several servers, of which some may lag behind
	group    *together.Group // calls of Put
	clock    clock
	hooks
}

// streams are the names of those of an outbox.
type streams struct{ entries, state string }

// Open connects to a cluster, by one URL or several with commas between them, and opens the outbox
// there, or makes it. The schemes are nats, tls, ws and wss; where one is left out it is that of the first. It needs nats-server 2.12 or newer, with
// JetStream.
//
// The logger is told what weakens the promises: see [WithLogger].
func Open(ctx context.Context, url string, opts ...Option) (*Store, error) {
	set := settings{name: DefaultName, logger: slog.New(slog.DiscardHandler)}
	for _, opt := range opts {
		opt(&set)
	}
	s := &Store{
		logger: set.logger, most: maxDrawers, subjects: subjects{set.name}, streams: streams{set.name + "-entries", set.name + "-state"},
		lanes: map[outbox.Lane]*lane{}, views: map[outbox.Lane]*lane{}, ended: make(chan struct{}),
	}
	s.group = together.New(atATime, s.putAll)
	s.link.made()
	for _, name := range outbox.Lanes {
		s.lanes[name], s.views[name] = newLane(name), newLane(name)
	}
	if err := s.open(ctx, url, set); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close is as [outbox.Store] has it. It ends what is under way.
func (s *Store) Close() error {
	s.closing.Do(func() {
		s.closed.Store(true)
		close(s.ended)
		if s.conn != nil {
			s.conn.Close()
		}
	})
	return nil
}
