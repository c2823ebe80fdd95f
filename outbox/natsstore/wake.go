package natsstore

import (
	"context"

	"github.com/nats-io/nats.go"

	"example.com/bento-go/outbox"
)

// wake tells other machines that there is something to send. Who misses it finds it when it asks, a
// little later.
func (p *putting) wake(s *Store) {
	told := map[outbox.Lane]bool{}
	for _, e := range p.entries {
		if !told[e.Lane] {
			told[e.Lane] = true
			_ = s.conn.Publish(s.subjects.wake(e.Lane), nil)
		}
	}
}

// Wake is as [outbox.Waker] has it: that ctx ends is no error.
func (s *Store) Wake(ctx context.Context, wake func(outbox.Lane)) error {
	heard := make(chan *nats.Msg, 64)
	sub, err := s.conn.ChanSubscribe(s.subjects.wake(""), heard)
	if err != nil {
		return s.why(ctx, err)
	}
	defer func() { _ = sub.Unsubscribe() }()
	for _, lane := range outbox.Lanes { // what came before is not heard
		wake(lane)
	}
	for {
		select {
		case msg := <-heard:
			if lane := s.subjects.laneOf(msg.Subject); lane != "" {
				wake(lane)
			}
		case <-s.ended:
			return outbox.ErrClosed
		case <-ctx.Done():
			return nil
		}
	}
}
