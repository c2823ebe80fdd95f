package natsstore

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"example.com/bento-go/outbox"
)

// drawerSize is how many entries, by their IDs, have their metas in one message: a batch of a thousand
// that failed is a message for each of them otherwise, which is more than a transaction holds.
const drawerSize = 32

// maxDrawers bounds the drawers that a change of one lane writes, so that one of all lanes fits into a
// transaction.
const maxDrawers = 240

// emptyFor is how long an empty drawer is kept, for those who have read a fuller one; who has not read
// for a third of that begins anew.
const emptyFor = time.Hour

// A lane is what this store knows of one, as far as it has read.
type lane struct {
	name  outbox.Lane
	turn  chan struct{} // holds one token: who has it may use the rest
	epoch uint64        // of the connection, when it was read

	sheet   sheet
	seq     int64 // of the sheet; 0 if there is none yet
	metas   map[int64]*meta
	active  map[int64]*meta // those of metas that are not done, which are few
	applied int64           // sequence up to which it was read
	read    time.Time
	swept   int64     // seq of the sheet whose doomed messages are removed
	sweepAt time.Time // not before then, if there is no need

	stream   int64     // which the entries' stream was found to be; 0 if nobody has looked
	wholeAt  time.Time // when that was
	surveyed time.Time // when nothing was found up to the cursor that nobody knows
	purged   time.Time // when something was

	queue // of what is not in metas
}

func newLane(name outbox.Lane) *lane {
	l := &lane{name: name, turn: make(chan struct{}, 1)}
	l.turn <- struct{}{}
	l.reset()
	return l
}

// reset forgets what was read.
func (l *lane) reset() {
	l.sheet, l.seq, l.applied, l.swept, l.sweepAt = sheet{}, 0, 0, 0, time.Time{}
	l.metas, l.active = map[int64]*meta{}, map[int64]*meta{}
	l.queue = queue{}
	l.stream, l.wholeAt, l.surveyed = 0, time.Time{}, time.Time{}
}

// take waits for the turn of a lane.
func (l *lane) take(ctx context.Context) error {
	select {
	case <-l.turn:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *lane) give() { l.turn <- struct{}{} }

// flies reports whether an entry is in flight.
func (l *lane) flies(id int64) bool {
	return slices.ContainsFunc(l.sheet.Flights, func(f flight) bool { return slices.Contains(f.IDs, id) })
}

// flying is when each entry in flight was begun.
func (l *lane) flying() map[int64]int64 {
	all := map[int64]int64{}
	for _, f := range l.sheet.Flights {
		for _, id := range f.IDs {
			all[id] = f.Begun
		}
	}
	return all
}

// shown is an entry as it is seen, which one in flight is differently than its meta has it.
func (l *lane) shown(m *meta, flying map[int64]int64) outbox.Entry {
	e := m.entry(l.name)
	if at, flies := flying[m.ID]; flies {
		e.State, e.Changed = outbox.Sending, moment(at)
		e.Attempts++
	}
	return e
}

// catchUp reads what has changed since the lane was read last, to the end, as the leader of the stream
// has it.
func (s *Store) catchUp(ctx context.Context, l *lane) error {
	if epoch := s.link.number(); l.epoch != epoch || time.Since(l.read) > emptyFor/3 {
		l.reset()
		l.epoch = epoch
	}
	for range maxTries {
		begun := time.Now()
		next, err := s.next(ctx, s.streams.state, s.subjects.stateOf(l.name), l.applied+1)
		if err != nil {
			return err
		}
		if next == nil {
			l.read = begun
			return s.trust(ctx, l)
		}
		if err := s.applyAll(ctx, l); err != nil {
			return err
		}
		if l.applied < next.seq { // it was read from a server that lags behind
			if err := pause(ctx, 20*time.Millisecond); err != nil {
				return err
			}
		}
	}
	return fmt.Errorf("natsstore: the lane %s changes faster than it can be read, or a server of the cluster lags behind", l.name)
}

// trust is whole once in a while, and whenever all was read anew. What was read is not to be used if it fails.
func (s *Store) trust(ctx context.Context, l *lane) error {
	if time.Since(l.wholeAt) < wholeFor {
		return nil
	}
	err := s.whole(ctx, l)
	if err != nil {
		l.read = time.Time{}
	}
	return err
}

// applyAll applies what some server of the cluster has.
func (s *Store) applyAll(ctx context.Context, l *lane) error {
	for more := true; more; {
		var all []stored
		var err error
		if all, more, err = s.fetch(ctx, s.streams.state, s.subjects.stateOf(l.name), l.applied+1, fetchMessages); err != nil {
			return err
		}
		for _, msg := range all {
			if err := s.apply(l, msg); err != nil {
				return err
			}
		}
	}
	return nil
}

// readAll is catchUp for several lanes, at once.
func (s *Store) readAll(ctx context.Context, lanes []*lane) error {
	return each(lanes, func(l *lane) error {
		if err := s.catchUp(ctx, l); err != nil {
			return err
		}
		return s.tidy(ctx, l)
	})
}

// syncAll is readAll for those who look into the entries' stream: what is doomed is gone from it.
func (s *Store) syncAll(ctx context.Context, lanes []*lane) error {
	return each(lanes, func(l *lane) error {
		if err := s.catchUp(ctx, l); err != nil {
			return err
		}
		return s.sweep(ctx, l)
	})
}

func each(lanes []*lane, do func(*lane) error) error {
	if len(lanes) == 1 {
		return do(lanes[0])
	}
	var all sync.WaitGroup
	errs := make([]error, len(lanes))
	for i, l := range lanes {
		all.Go(func() { errs[i] = do(l) })
	}
	all.Wait()
	return cmp.Or(errs...) // one tells enough: they are mostly alike
}

// apply takes in a message of the state stream, which somebody else has written.
func (s *Store) apply(l *lane, msg stored) error {
	l.applied = msg.seq
	if msg.subject == s.subjects.laneState(l.name) {
		var read sheet
		if err := json.Unmarshal(msg.data, &read); err != nil {
			return fmt.Errorf("%w: message %d of the stream %s cannot be read: %w", outbox.ErrDamaged, msg.seq, s.streams.state, err)
		}
		l.sheet, l.seq = read, msg.seq
		l.queue = queue{}
		for id, m := range read.Loose {
			l.keep(id, m)
		}
		return nil
	}
	number, found := strings.CutPrefix(msg.subject, s.subjects.drawers(l.name))
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || !found {
		return fmt.Errorf("%w: message %d of the stream %s has the subject %s: something else publishes there", outbox.ErrDamaged, msg.seq, s.streams.state, msg.subject)
	}
	var inside []*meta
	if len(msg.data) > 0 {
		if err := json.Unmarshal(msg.data, &inside); err != nil {
			return fmt.Errorf("%w: message %d of the stream %s cannot be read: %w", outbox.ErrDamaged, msg.seq, s.streams.state, err)
		}
	}
	for id := n * drawerSize; id < (n+1)*drawerSize; id++ {
		l.keep(id, nil)
	}
	for _, m := range inside {
		l.keep(m.ID, m)
	}
	return nil
}

// keep takes in what an entry is now; nil if nothing of it is left.
func (l *lane) keep(id int64, m *meta) {
	delete(l.metas, id)
	delete(l.active, id)
	if m != nil {
		l.metas[id] = m
	}
	if m != nil && !m.done() {
		l.active[id] = m
	}
}

// drawerOf is what belongs into a drawer, by ID.
func drawerOf(n int64, find func(id int64) *meta) (inside []*meta) {
	for id := n * drawerSize; id < (n+1)*drawerSize; id++ {
		if m := find(id); m != nil {
			inside = append(inside, m)
		}
	}
	return inside
}

// hooks let tests do something between two steps: crash, say.
type hooks struct {
	committed atomic.Pointer[func() error]
	counted   atomic.Pointer[func()]
}

// pause waits.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
