package memstore

import (
	"context"
	"time"

	"example.com/bento-go/outbox"
)

// Acquire is as [outbox.Store] has it.
func (s *Store) Acquire(ctx context.Context, name outbox.Lane, owner string, now time.Time, ttl time.Duration) (outbox.Lease, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return outbox.Lease{}, err
	}
	defer unlock()
	l := s.lanes[name]
	if l.lease.Expires.After(now.Add(l.ttl)) { // the clock was set back
		l.lease.Expires = now.Add(l.ttl)
	}
	held := now.Before(l.lease.Expires)
	switch {
	case held && l.lease.Owner != owner:
		return outbox.Lease{}, outbox.ErrLeased
	case l.lease.Owner != owner:
		l.lease = outbox.Lease{Lane: name, Owner: owner, Token: l.lease.Token + 1}
	}
	l.lease.Expires, l.ttl = now.Add(ttl), ttl
	return l.lease, nil
}

// Release is as [outbox.Store] has it.
func (s *Store) Release(ctx context.Context, lease outbox.Lease) error {
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if held := &s.lanes[lease.Lane].lease; held.Token == lease.Token {
		held.Expires = time.Time{}
	}
	return nil
}

// holds reports whether the lease is still good.
func (s *Store) holds(lease outbox.Lease, now time.Time) bool {
	held := s.lanes[lease.Lane].lease
	return held.Token == lease.Token && now.Before(held.Expires)
}

// Pause is as [outbox.Store] has it.
func (s *Store) Pause(ctx context.Context, name outbox.Lane, reason string) error {
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	s.lanes[name].Paused = reason
	return nil
}
