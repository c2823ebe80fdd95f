package natsstore

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nuid"

	"example.com/bento-go/outbox"
)

// maxTries bounds how often something is tried again because somebody else was quicker.
const maxTries = 20

// A draft is a change of a lane that is to be made.
type draft struct {
	*lane      // as it is; not to be changed
	sheet      sheet
	changed    map[int64]*meta // nil is to be removed
	written    bool            // there is something to write
	afterwards []func()        // once it is made
}

func (l *lane) draft() *draft {
	d := &draft{lane: l, sheet: l.sheet.clone(), changed: map[int64]*meta{}}
	if l.swept == l.seq {
		d.sheet.Doomed = doomed{}
	}
	d.sheet.Stream = cmp.Or(d.sheet.Stream, l.stream)
	d.sheet.Loose = nil
	for id := range l.sheet.Loose {
		d.changed[id] = l.metas[id]
	}
	return d
}

// meta is one as the change has it so far; nil if there is none.
func (d *draft) meta(id int64) *meta {
	if m, changed := d.changed[id]; changed {
		return m
	}
	return d.metas[id]
}

func (d *draft) set(m meta) { d.changed[m.ID] = &m }
func (d *draft) drop(id int64) {
	if d.metas[id] != nil {
		d.changed[id] = nil
	}
}

// doom has the record of an entry removed.
func (d *draft) doom(m *meta) {
	into := &d.sheet.Doomed.Fresh
	if m.Held {
		into = &d.sheet.Doomed.Others
	}
	*into = append(*into, m.ID)
	d.sheet.Doomed.Others = append(d.sheet.Doomed.Others, m.parts()...)
}

// drawers are the numbers of those that the change writes, if there is room.
func (d *draft) drawers() []int64 {
	all := map[int64]bool{}
	for id := range d.changed {
		all[id/drawerSize] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// messages are those that make the change, the sheet last. What its usual drawers leave is in the sheet; if
// that is too large, as many drawers are written as there is room for.
func (d *draft) messages(s *Store, room int) ([]*nats.Msg, error) {
	drawers := d.drawers()
	sheet, written, err := d.withLoose(s, drawers[:min(len(drawers), s.most)])
	if err == nil && len(sheet.Data) > int(s.conn.MaxPayload())-headersFor {
		sheet, written, err = d.withLoose(s, drawers[:min(len(drawers), room)])
	}
	if err != nil {
		return nil, err
	}
	var all []*nats.Msg
	for _, n := range written {
		msg := nats.NewMsg(s.subjects.drawer(d.name, n))
		if inside := drawerOf(n, d.meta); len(inside) > 0 {
			if msg.Data, err = encode(inside); err != nil {
				return nil, err
			}
		} else {
			msg.Header.Set(headerTTL, emptyFor.String())
		}
		all = append(all, msg)
	}
	return append(all, sheet), nil
}

// withLoose is the message of the sheet, with what is in none of the drawers that are written.
func (d *draft) withLoose(s *Store, written []int64) (*nats.Msg, []int64, error) {
	d.sheet.Loose = map[int64]*meta{}
	for id, m := range d.changed {
		if _, found := slices.BinarySearch(written, id/drawerSize); !found {
			d.sheet.Loose[id] = m.brief()
		}
	}
	msg := nats.NewMsg(s.subjects.laneState(d.name))
	msg.Header.Set(headerExpected, strconv.FormatInt(d.seq, 10))
	var err error
	msg.Data, err = encode(&d.sheet)
	return msg, written, err
}

// roomOf is how many drawers each of the changes may write that are made in one transaction.
func roomOf(made []*draft) int {
	room, need := MaxPut-len(made), 0
	for _, d := range made {
		need += len(d.drawers())
	}
	if need <= room {
		return room
	}
	return room / len(made)
}

// headersFor is what a message needs beside its data, at most.
const headersFor = 1 << 10

// encode is v in JSON. What would be read by a browser stays as it is: it would be six times as long.
func encode(v any) ([]byte, error) {
	var text bytes.Buffer
	to := json.NewEncoder(&text)
	to.SetEscapeHTML(false)
	err := to.Encode(v)
	return bytes.TrimSuffix(text.Bytes(), []byte{'\n'}), err
}

// made takes the change in, of which the sheet has a sequence.
func (d *draft) made(seq int64) {
	d.lane.sheet, d.seq, d.applied = d.sheet, seq, seq
	for id, m := range d.changed {
		if d.keep(id, m); m == nil {
			d.forgotten(id)
		}
	}
	for _, do := range d.afterwards {
		do()
	}
}

// change changes a lane: plan says how, from what is known of it, and may be asked again when somebody
// else was quicker. What is known may be old at first: the change is made only if nothing has
// happened since, and an error of plan, or that there is nothing to change, counts only if it looked at
// the lane as it is.
func (s *Store) change(ctx context.Context, name outbox.Lane, plan func(*draft) error) error {
	return s.changeOne(ctx, name, true, plan)
}

// look is change for a plan that may only read: what is known has to be new.
func (s *Store) look(ctx context.Context, name outbox.Lane, plan func(*draft) error) error {
	return s.changeOne(ctx, name, false, plan)
}

func (s *Store) changeOne(ctx context.Context, name outbox.Lane, mayBeOld bool, plan func(*draft) error) error {
	l, err := s.lane(ctx, s.lanes, name)
	if err != nil {
		return err
	}
	defer l.give()
	return s.changeAll(ctx, []*lane{l}, mayBeOld && l.seq > 0 && l.epoch == s.link.number() && time.Since(l.read) < emptyFor/3, func(all []*draft) error { return plan(all[0]) })
}

// changeAll changes lanes, whose turns the caller has, in one transaction.
func (s *Store) changeAll(ctx context.Context, lanes []*lane, mayBeOld bool, plan func([]*draft) error) error {
	for _, l := range lanes {
		if l.sheet.Doomed.len() >= maxDoomed {
			if err := s.sweep(ctx, l); err != nil {
				return err
			}
		}
	}
	op, unsure, last := nuid.Next(), false, error(nil)
	for try := range maxTries {
		if try > 0 || !mayBeOld {
			if err := s.readAll(ctx, lanes); err != nil {
				return err
			}
		}
		drafts := make([]*draft, len(lanes))
		for i, l := range lanes {
			if unsure && l.sheet.Op == op {
				return nil // it was made, though its answer was lost
			}
			drafts[i] = l.draft()
		}
		err := plan(drafts)
		written := slices.ContainsFunc(drafts, func(d *draft) bool { return d.written })
		switch old := try == 0 && mayBeOld; {
		case old && (err != nil || !written):
			continue
		case err != nil || !written:
			return err
		}
		err = s.commit(ctx, op, drafts)
		switch last = err; {
		case err == nil:
			return nil
		case errors.Is(err, errConflict):
			if err := pause(ctx, rand.N(time.Duration(1+try)*time.Millisecond)); err != nil { //nolint:gosec // not for a secret
				return err
			}
		case errors.Is(err, errDisconnected) || errors.Is(err, context.DeadlineExceeded):
			if unsure = true; ctx.Err() != nil || s.await(ctx) != nil {
				return err
			}
		default:
			return err
		}
	}
	return fmt.Errorf("natsstore: gave up after %d tries to change what others change all the time, or a cluster that does not answer or refuses: %w", maxTries, last)
}

// commit makes changes in one transaction, and removes what they doom.
func (s *Store) commit(ctx context.Context, op string, drafts []*draft) error {
	var before, sheets []*nats.Msg
	made := slices.DeleteFunc(slices.Clone(drafts), func(d *draft) bool { return !d.written })
	room := roomOf(made)
	for _, d := range made {
		d.sheet.Op = op
		all, err := d.messages(s, room)
		if err != nil {
			return err
		}
		before, sheets = append(before, all[:len(all)-1]...), append(sheets, all[len(all)-1])
	}
	last, err := s.publishSoon(ctx, append(before, sheets...))
	if err != nil {
		return err
	}
	for i, d := range made {
		d.made(last - int64(len(made)-1-i))
	}
	if crash := s.committed.Load(); crash != nil {
		if err := (*crash)(); err != nil {
			return err
		}
	}
	for _, d := range made {
		if err := s.tidy(ctx, d.lane); err != nil {
			return err
		}
	}
	return nil
}

// publishSoon is publish for what is looked for if no answer comes soon.
func (s *Store) publishSoon(ctx context.Context, all []*nats.Msg) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, changeFor)
	defer cancel()
	return s.publish(ctx, all)
}
