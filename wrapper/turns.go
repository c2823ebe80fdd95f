package bento

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"example.com/bento-go/gen"
)

// CountTurns tells the client when requests went out lately that share the limit of an operation (such as
// [gen.OpTrackEvents]), by whomever, in any order, and that nobody else sends any more. The client counts
// them as its own: one that takes over from another makes up for the turns that were missed in between, and
// the two together ask no more than the limit in any window. The client's own turns may be among them, if
// they were noted within a quarter of a second; they are not counted twice. A time ahead is another clock's
// mistake: it counts as now, or not at all if it is more than a quarter of the window ahead. Where the
// client has no pace for the operation there is nothing to count.
//
// It sends nothing, and is safe for concurrent use. The error says that there is no such operation, or no
// client.
func (c *Client) CountTurns(operation string, at ...time.Time) error {
	if c == nil || c.pace == nil {
		return errors.New("CountTurns: there is no client: make the one with New")
	}
	op, known := gen.OperationByID(operation)
	if !known {
		return fmt.Errorf("CountTurns: the contract has no operation %q: want one of the constants gen.Op…", operation)
	}
	if limit := c.pace.pace.limit(op.Limit); limit.Requests > 0 {
		c.pace.gate(op.Limit.Name, limit).count(time.Now(), at)
	}
	return nil
}

// A turn of this gate may have been noted by somebody so long after it, or, as rounding has it, before.
const notedAfter, notedBefore = 250 * time.Millisecond, time.Millisecond

// count takes turns of others into account, and knows its own among them.
func (g *gate) count(now time.Time, taken []time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.begin(now)
	all, own := slices.Clone(g.passed), g.passed
	for _, t := range g.onOwnClock(now, taken) {
		for len(own) > 0 && t.Sub(own[0]) > notedAfter {
			own = own[1:]
		}
		if len(own) > 0 && own[0].Sub(t) < notedBefore {
			own = own[1:]
			continue
		}
		all = append(all, t)
	}
	if len(all) == len(g.passed) {
		return
	}
	slices.SortFunc(all, time.Time.Compare)
	g.passed = all
	if open := g.after(all, now); g.burst == 0 && (g.speed == 1 || open.After(g.open)) {
		g.open = open
	}
}

// onOwnClock is times, in order, by this machine's clock as nobody can set it; without those that are too
// far ahead.
func (g *gate) onOwnClock(now time.Time, taken []time.Time) (all []time.Time) {
	for _, t := range taken {
		if ahead := t.Sub(now); ahead < g.slack() {
			all = append(all, now.Add(min(ahead, 0)))
		}
	}
	slices.SortFunc(all, time.Time.Compare)
	return all
}

// after is when a gate opens that has let these turns through, as far as they are of the last window, one
// after the other, and that was open at each.
func (g *gate) after(all []time.Time, now time.Time) (open time.Time) {
	for len(all) > 1 && now.Sub(all[0]) >= g.window() {
		all = all[1:]
	}
	open = all[0]
	for _, t := range all {
		if open = later(open, t.Add(-g.slack())); open.After(t) {
			open = t
		}
		open = open.Add(g.interval())
	}
	return open
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
