package natsstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"example.com/bento-go/outbox"
)

// What is doomed and cannot be removed now, since its stream has no leader, say, is removed later:
// sweepFor bounds the attempt, sweepAgain is the wait after one that failed, and maxDoomed bounds the
// messages that a sheet may doom.
const (
	sweepFor   = time.Second
	sweepAgain = 5 * time.Second
	maxDoomed  = 20_000
)

// tidy sweeps the lane if that can be done soon. Nobody has to wait for it: what stays is doomed in the
// next sheet, too. The only error is that the stream is damaged.
func (s *Store) tidy(ctx context.Context, l *lane) error {
	if l.swept == l.seq || time.Now().Before(l.sweepAt) {
		return nil
	}
	short, cancel := context.WithTimeout(ctx, sweepFor)
	defer cancel()
	err := s.sweep(short, l)
	if errors.Is(err, outbox.ErrDamaged) {
		return err
	}
	if err != nil {
		l.sweepAt = time.Now().Add(sweepAgain)
		s.logger.WarnContext(ctx, "natsstore: what is delivered is still in the stream; it is removed later", "lane", l.name, "error", err.Error())
	}
	return nil
}

// sweep removes the messages that the lane's sheet dooms. To do so twice, or late, does no harm:
// what is doomed stays doomed.
func (s *Store) sweep(ctx context.Context, l *lane) error {
	if l.swept == l.seq || l.sheet.Doomed.len() == 0 {
		l.swept = l.seq
		return nil
	}
	through := l.settledThrough()
	var together, left []int64
	for _, id := range l.sheet.Doomed.Fresh {
		if id <= through {
			together = append(together, id)
		} else {
			left = append(left, id)
		}
	}
	if len(together) > 0 {
		if err := s.purgeKnown(ctx, l, together); err != nil {
			return err
		}
	}
	if err := s.remove(ctx, append(left, l.sheet.Doomed.Others...)); err != nil {
		return err
	}
	l.swept = l.seq
	return nil
}

// purgeKnown removes fresh messages, before the last of which there are no others.
func (s *Store) purgeKnown(ctx context.Context, l *lane, ids []int64) error {
	through := slices.Max(ids)
	if time.Since(l.surveyed) > surveyFor {
		if err := s.survey(ctx, l, through); err != nil {
			return err
		}
	}
	l.purged = time.Now()
	n, err := s.purge(ctx, s.subjects.fresh(l.name), through)
	if err == nil && n > len(ids) { // it went back since the survey
		err = fmt.Errorf("%w: the stream %s went back, and %d entries are removed that nobody has sent; %s", outbox.ErrDamaged, s.streams.entries, n-len(ids), rescue)
	}
	return err
}

// settledThrough is up to where all fresh entries may be removed.
func (l *lane) settledThrough() int64 {
	through := l.sheet.Cursor
	for _, f := range l.sheet.Flights {
		through = min(through, slices.Min(f.IDs)-1)
	}
	for id, m := range l.active {
		if !m.Held {
			through = min(through, id-1)
		}
	}
	return through
}
