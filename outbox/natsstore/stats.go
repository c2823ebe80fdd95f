package natsstore

import (
	"context"
	"maps"
	"slices"
	"time"

	"example.com/bento-go/outbox"
)

// Stats is as [outbox.Store] has it.
func (s *Store) Stats(ctx context.Context) (outbox.Stats, error) {
	stats := outbox.Stats{Lanes: map[outbox.Lane]outbox.LaneStats{}}
	err := s.all(ctx, func(lanes []*lane) error {
		messages, _, err := s.countAll(ctx, lanes)
		if err != nil {
			return err
		}
		for _, l := range lanes {
			of := l.stats(messages[l.name])
			if of.Depth() > 0 {
				if of.Oldest, err = s.oldest(ctx, l); err != nil {
					return err
				}
			}
			stats.Lanes[l.name] = of
		}
		return nil
	})
	return stats, err
}

// Idle is as [outbox.Store] has it. Lanes that change all the time are not.
func (s *Store) Idle(ctx context.Context) (idle bool, err error) {
	err = s.all(ctx, func(lanes []*lane) error {
		messages, still, err := s.countAll(ctx, lanes)
		if err != nil {
			return err
		}
		idle = still
		for _, l := range lanes {
			of := l.stats(messages[l.name])
			idle = idle && of.Depth() == 0
		}
		return nil
	})
	return idle, err
}

// maxLooks bounds how often it is looked whether two streams fit.
const maxLooks = 20

// countAll reads the lanes and counts the messages of the entries of each, at a time when nothing of the
// lanes changed in between; what is put meanwhile is new. If there is no such time, the lanes are as they
// were read after the last count, which may be off by what was sent and put meanwhile, and are not still.
func (s *Store) countAll(ctx context.Context, lanes []*lane) (messages map[outbox.Lane]int, still bool, err error) {
	seen := make([]int64, len(lanes))
	for look := range maxLooks {
		still = messages != nil
		if err := s.syncAll(ctx, lanes); err != nil {
			return nil, false, err
		}
		for i, l := range lanes {
			still = still && seen[i] == l.seq
			seen[i] = l.seq
		}
		if still || look == maxLooks-1 {
			break
		}
		c, err := s.inspect(ctx, s.subjects.heads(""))
		if err != nil {
			return nil, false, err
		}
		messages = map[outbox.Lane]int{}
		for subject, n := range c.of {
			messages[s.subjects.laneOf(subject)] += n
		}
		if do := s.counted.Load(); do != nil {
			(*do)()
		}
	}
	return messages, still, nil
}

// stats are those of a lane that has so many messages: one for each entry that is
// neither done nor lost.
func (l *lane) stats(messages int) outbox.LaneStats {
	of := outbox.LaneStats{States: map[outbox.State]int{}, Paused: l.sheet.Paused}
	if l.sheet.Expires != 0 {
		of.Sender, of.Lease = l.sheet.Owner, moment(l.sheet.Expires)
	}
	for state, by := range l.sheet.Totals {
		for cause, n := range maps.All(by) {
			of.Count(state, cause, n)
		}
	}
	if n := len(l.flying()); n > 0 {
		of.States[outbox.Sending] = n
		messages -= n
	}
	for _, m := range l.metas {
		if m.Lost && !m.done() {
			messages++
		}
		switch m.State {
		case outbox.Queued, gone:
		case outbox.Parked, outbox.Failed:
			messages--
			of.States[m.State]++
		default:
			of.States[m.State]++
		}
	}
	if messages > 0 {
		of.States[outbox.Queued] = messages
	}
	return of
}

// oldest is when the first entry that waits, by ID, was enqueued.
func (s *Store) oldest(ctx context.Context, l *lane) (time.Time, error) {
	if err := s.readHeld(ctx, l); err != nil {
		return time.Time{}, err
	}
	if err := s.readFresh(ctx, l, 1); err != nil {
		return time.Time{}, err
	}
	ids := slices.Collect(maps.Keys(l.flying()))
	for id, m := range l.active {
		if m.State == outbox.Queued {
			ids = append(ids, id)
		}
	}
	for id := range l.held {
		if l.metas[id] == nil {
			ids = append(ids, id)
		}
	}
	for _, m := range l.usable(1) {
		ids = append(ids, m.ID)
	}
	if len(ids) == 0 {
		return time.Time{}, nil
	}
	m, err := s.find(ctx, l.draft(), slices.Min(ids))
	if err != nil || m == nil {
		return time.Time{}, err
	}
	return moment(m.Enqueued), nil
}
