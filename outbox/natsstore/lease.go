package natsstore

import (
	"context"
	"time"

	"example.com/bento-go/outbox"
)

// Acquire is as [outbox.Store] has it.
func (s *Store) Acquire(ctx context.Context, name outbox.Lane, owner string, now time.Time, ttl time.Duration) (lease outbox.Lease, err error) {
	var taken bool
	err = s.change(ctx, name, func(d *draft) error {
		held := &d.sheet
		if latest := nanos(now) + held.TTL; held.Expires > latest { // a clock was set back, or this one is wrong
			right, err := s.mayShorten(ctx, held, owner)
			if taken = !right; taken || err != nil {
				return err
			}
			held.Expires = latest
			d.written = true
		}
		holds := nanos(now) < held.Expires
		if taken = holds && held.Owner != owner; taken {
			return nil
		}
		if held.Owner != owner {
			if err := s.whole(ctx, d.lane); err != nil {
				return err
			}
			held.Token++
		}
		lease = outbox.Lease{Lane: name, Owner: owner, Token: held.Token, Expires: now.Add(ttl)}
		held.Owner, held.Expires, held.TTL, d.written = owner, nanos(lease.Expires), int64(ttl), true
		return nil
	})
	switch {
	case err != nil:
		return outbox.Lease{}, err
	case taken:
		return outbox.Lease{}, outbox.ErrLeased
	}
	return lease, nil
}

// mayShorten reports whether the time of this machine can be held against a lease: its owner may, and others
// whose clock is the server's.
func (s *Store) mayShorten(ctx context.Context, held *sheet, owner string) (bool, error) {
	if held.Owner == owner {
		return true, nil
	}
	c, err := s.inspect(ctx, "")
	return err == nil && s.agrees(ctx, c.ahead, held.TTL), err
}

// Release is as [outbox.Store] has it.
func (s *Store) Release(ctx context.Context, lease outbox.Lease) error {
	return s.change(ctx, lease.Lane, func(d *draft) error {
		if d.sheet.Token == lease.Token && d.sheet.Expires != 0 {
			d.sheet.Expires, d.written = 0, true
		}
		return nil
	})
}

// holds is ErrLost unless the lane is still the lease's; expired matters unless now is zero.
func (d *draft) holds(lease outbox.Lease, now time.Time) error {
	if d.sheet.Token != lease.Token || !now.IsZero() && nanos(now) >= d.sheet.Expires {
		return outbox.ErrLost
	}
	return nil
}

// Pause is as [outbox.Store] has it.
func (s *Store) Pause(ctx context.Context, name outbox.Lane, reason string) error {
	return s.change(ctx, name, func(d *draft) error {
		d.written = d.sheet.Paused != reason
		d.sheet.Paused = reason
		return nil
	})
}
