package natsstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"example.com/bento-go/outbox"
)

// The entries' stream may go back: a backup is restored, a server comes up without what it had
// acknowledged, or somebody makes the stream anew. New entries then get the numbers of old ones, and
// what is known of those would be held against them: they would not be sent, and removed.
const (
	wholeFor  = time.Minute     // after that a reader makes sure of the stream again
	surveyFor = 5 * time.Second // after that it is looked what a purge would remove
	lagFor    = time.Second     // after a purge, replicas may not have it yet
)

// rescue is what to do about an outbox that has gone back.
const rescue = "take out what is left (nats stream backup), and begin a new outbox with another name"

// A condition is what the server says of the entries' stream.
type condition struct {
	made  int64 // which tells it from another of the same name
	last  int64 // sequence
	bytes int64
	most  int64         // bytes
	ahead time.Duration // of this machine's clock the server's is
	of    map[string]int
}

// inspect asks for the condition of the entries' stream; of tells the messages of subjects, if there is a
// filter.
func (s *Store) inspect(ctx context.Context, filter string) (c condition, err error) {
	request := map[string]string{}
	if filter != "" {
		request["subjects_filter"] = filter
	}
	asked := s.clock.now()
	a, err := s.call(ctx, "STREAM.INFO."+s.streams.entries, request)
	if err == nil {
		err = a.err()
	}
	if err != nil || a.State == nil || a.Config == nil {
		return c, errors.Join(fmt.Errorf("natsstore: look at the stream %s", s.streams.entries), err)
	}
	return condition{
		made: nanos(a.Created), last: a.State.Last, bytes: a.State.Bytes, most: a.Config.MaxBytes, of: a.State.Subjects,
		ahead: ahead(a.Time, asked, s.clock.now()),
	}, nil
}

// whole makes sure that the entries' stream is the one that the lane's sheet tells of, and has not lost
// what it had acknowledged.
func (s *Store) whole(ctx context.Context, l *lane) error {
	c, err := s.inspect(ctx, "")
	if err != nil {
		return err
	}
	switch known := l.sheet.Stream; {
	case known != 0 && known != c.made:
		return fmt.Errorf("%w: the stream %s is not the one that this outbox had, but was made anew, at %v; %s", outbox.ErrDamaged, s.streams.entries, moment(c.made).Round(time.Second), rescue)
	case c.last < l.sheet.Cursor:
		return fmt.Errorf("%w: the stream %s ends with message %d, and %d was delivered: the servers lost what they had acknowledged (see sync_interval of NATS); %s", outbox.ErrDamaged, s.streams.entries, c.last, l.sheet.Cursor, rescue)
	}
	s.agrees(ctx, c.ahead, l.sheet.TTL)
	l.stream, l.wholeAt = c.made, time.Now()
	return nil
}

// bare reports whether no fresh message is to be found up to the cursor.
func (l *lane) bare() bool {
	if l.swept != l.seq || len(l.sheet.Flights) > 0 {
		return false
	}
	for _, m := range l.active {
		if !m.Held {
			return false
		}
	}
	return true
}

// known reports whether it is known why a fresh message up to the cursor is there.
func (l *lane) known(id int64) bool {
	return l.flies(id) || l.active[id] != nil || l.swept != l.seq && slices.Contains(l.sheet.Doomed.Fresh, id)
}

// survey makes sure that each fresh message up to a sequence is known.
func (s *Store) survey(ctx context.Context, l *lane, through int64) error {
	begun := time.Now()
	first, err := s.next(ctx, s.streams.entries, s.subjects.fresh(l.name), 1)
	if err != nil {
		return err
	}
	if first != nil && first.seq <= through {
		if !l.known(first.seq) {
			return s.stray(first.seq, l)
		}
		if err := s.surveyFrom(ctx, l, first.seq+1, through); err != nil {
			return err
		}
	}
	l.surveyed = begun
	return nil
}

func (s *Store) surveyFrom(ctx context.Context, l *lane, from, through int64) error {
	doomed := map[int64]bool{}
	for _, id := range l.sheet.Doomed.Fresh {
		doomed[id] = true
	}
	for more := true; more; {
		for doomed[from] { // needs no look
			from++
		}
		if from > through {
			return nil
		}
		var all []stored
		var err error
		if all, more, err = s.fetch(ctx, s.streams.entries, s.subjects.fresh(l.name), from, surveyMessages); err != nil {
			return err
		}
		for _, got := range all {
			if from = got.seq + 1; from > through+1 {
				return nil
			}
			if doomed[got.seq] || l.known(got.seq) {
				continue
			}
			if left, err := s.get(ctx, s.streams.entries, map[string]int64{"seq": got.seq}); err != nil || left != nil { // of which the leader knows
				return errors.Join(err, s.stray(got.seq, l))
			}
		}
	}
	return nil
}

// surveyMessages is how many messages are looked at together: there are mostly none.
const surveyMessages = 64

// stray is that of a message nobody knows.
func (s *Store) stray(seq int64, l *lane) error {
	return fmt.Errorf("%w: message %d of the stream %s is not known, though all up to %d was delivered: the stream went back, by a backup or since the servers lost what they had acknowledged (see sync_interval of NATS), and has taken entries since, which are not sent; %s", outbox.ErrDamaged, seq, s.streams.entries, l.sheet.Cursor, rescue)
}
