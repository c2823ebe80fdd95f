package natsstore

import (
	"context"
	"slices"
	"time"
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
// next sheet, too.
func (s *Store) tidy(ctx context.Context, l *lane) {
	if l.swept == l.seq || time.Now().Before(l.sweepAt) {
		return
	}
	short, cancel := context.WithTimeout(ctx, sweepFor)
	defer cancel()
	if err := s.sweep(short, l); err != nil {
		l.sweepAt = time.Now().Add(sweepAgain)
		s.logger.WarnContext(ctx, "natsstore: what is delivered is still in the stream; it is removed later", "lane", l.name, "error", err.Error())
	}
}

// sweep removes the messages that the lane's sheet dooms. To do so twice, or late, does no harm:
// what is doomed stays doomed.
func (s *Store) sweep(ctx context.Context, l *lane) error {
	if l.swept == l.seq || l.sheet.Doomed.len() == 0 {
		l.swept = l.seq
		return nil
	}
	through := l.settledThrough()
	left := slices.DeleteFunc(slices.Clone(l.sheet.Doomed.Fresh), func(id int64) bool { return id <= through })
	if len(left) < len(l.sheet.Doomed.Fresh) {
		if err := s.purge(ctx, s.subjects.fresh(l.name), through); err != nil {
			return err
		}
	}
	if err := s.remove(ctx, append(left, l.sheet.Doomed.Others...)); err != nil {
		return err
	}
	l.swept = l.seq
	return nil
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
