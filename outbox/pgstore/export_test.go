package pgstore

import (
	"context"
	"time"

	"example.com/bento-go/outbox"
)

// Schema is the schema's name as a statement has it.
func (s *Store) Schema() string { return s.schema }

// Usable is what is said of a server of a version.
func Usable(version int) error { return facts{server: version, encoding: "UTF8"}.usable() }

// Name is the schema's name.
func (s *Store) Name() string { return s.channel }

// SetQuiet sets how long nothing may be heard before the connection is tried.
func (s *Store) SetQuiet(d time.Duration) { s.quiet = d }

// SetAbandoned sets after how long a transaction is given up of which the server hears nothing.
func (s *Store) SetAbandoned(d time.Duration) { s.abandoned = d }

// Freeze holds a lane, as in the middle of a call, until it may go on, and returns what becomes of it.
func (s *Store) Freeze(ctx context.Context, lane outbox.Lane, held chan<- struct{}, goOn <-chan struct{}) error {
	return s.change(ctx, func(ctx context.Context, q querier) error {
		err := s.run(ctx, q, "UPDATE outbox.lanes SET paused = 'frozen' WHERE lane = $1", string(lane))
		close(held)
		<-goOn
		return err
	})
}

// SetClock makes a machine's clock wrong by so much.
func (s *Store) SetClock(by time.Duration) { s.clock = func() time.Time { return time.Now().Add(by) } }
