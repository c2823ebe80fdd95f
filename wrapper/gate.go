package bento

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"example.com/bento-go/gen"
)

const (
	// headroom is the part of a limit that is used: clocks and networks differ a little.
	headroom = 0.97
	// maxPause bounds how long one 429 shuts a family, whatever its Retry-After says: a program
	// without a deadline would hang for as long.
	maxPause = 2 * time.Minute
	// minSpeed bounds how far refusals slow a family down.
	minSpeed = 1.0 / 64
	// slackPart is the part of a window whose turns may be used late, those of a while in which nobody asked
	// or could, or in a long window ahead of time. In no window does that come to more than the limit.
	slackPart = 4
	// calm is how many windows without a refusal make the recovery faster.
	calm = 5
)

// A gate lets the requests of a family through one at a time, an interval apart. Whoever stands
// in it waits for the next opening; the others queue behind in the order in which they came.
//
// The interval follows what the server takes: a refusal slows it down to what was taken lately,
// and each window without one speeds it up again, by a little at first.
type gate struct {
	family string
	limit  gen.Rate
	burst  int           // requests of a window that need not keep the interval
	turn   chan struct{} // held by whoever waits for the opening

	mu       sync.Mutex
	open     time.Time   // when it opens next
	began    time.Time   // the first request
	passed   []time.Time // what passed within the last window, oldest first
	speed    float64     // part of the limit that is used, headroom aside: 1 is all of it
	stepped  time.Time   // when speed last changed
	steps    int         // windows without a refusal since the last one
	refusals int         // in a row
	line     int         // requests that wait, whoever holds the turn included
}

func newGate(family string, limit gen.Rate) *gate {
	g := &gate{family: family, limit: limit, turn: make(chan struct{}, 1), speed: 1}
	if limit.Per >= time.Hour { // an interval of minutes is no use to somebody who wants three numbers
		g.burst = limit.Requests / slackPart
	}
	return g
}

// pass waits for the request's turn and takes it.
func (g *gate) pass(ctx context.Context) (at time.Time, err error) {
	if err := ctx.Err(); err != nil { // which is nobody else's doing
		return at, err
	}
	deadline, bounded := ctx.Deadline()
	if wait := g.join(time.Now()); bounded && time.Until(deadline) < wait {
		g.leave()
		return at, &paceError{g.family, g.limit, wait}
	}
	defer g.leave()
	select {
	case g.turn <- struct{}{}:
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return at, &paceError{g.family, g.limit, 0}
		}
		return at, ctx.Err()
	}
	defer func() { <-g.turn }()
	for { // a 429 may put the opening off while somebody waits for it
		at = time.Now()
		wait := g.next(at)
		if wait <= 0 {
			return at, nil
		}
		if bounded && time.Until(deadline) < wait {
			return at, &paceError{g.family, g.limit, wait}
		}
		if err := sleep(ctx, wait); err != nil {
			return at, err
		}
	}
}

// giveBack is for a turn that was not used: nothing was sent.
func (g *gate) giveBack(at time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if i, found := slices.BinarySearchFunc(g.passed, at, time.Time.Compare); found {
		g.passed = slices.Delete(g.passed, i, i+1)
		if g.speed == 1 { // else it may be shut by a refusal
			g.open = g.open.Add(-g.interval())
		}
	}
}

// join enters the line, and estimates how long it is until the end of it has its turn.
func (g *gate) join(now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	wait := max(0, g.open.Sub(now))
	if g.burst == 0 {
		wait += time.Duration(g.line) * g.interval()
	}
	g.line++
	return wait
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.line--
}

// begin is for a gate that had not been used before.
func (g *gate) begin(now time.Time) {
	if g.began.IsZero() {
		g.began, g.stepped, g.open = now, now, now
	}
}

// next takes the turn and returns 0, or returns how long it is until then.
func (g *gate) next(now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.begin(now)
	g.recover(now)
	for len(g.passed) > 0 && now.Sub(g.passed[0]) >= g.window() {
		g.passed = g.passed[1:]
	}
	if wait := g.open.Sub(now); wait > 0 {
		return wait
	}
	if room := g.room(); len(g.passed) >= room {
		return g.passed[len(g.passed)-room].Add(g.window()).Sub(now)
	}
	if g.passed = append(g.passed, now); len(g.passed) >= int(float64(g.burst)*g.speed) {
		g.open = g.from(now).Add(g.interval())
	}
	return 0
}

// room is how many may pass in a window. Where each keeps the interval, that sees to the speed.
func (g *gate) room() int {
	if g.burst == 0 {
		return g.limit.Requests
	}
	return max(1, int(float64(g.limit.Requests)*g.speed))
}

// from is what the next interval begins with: now, or earlier if there are turns to make up for.
func (g *gate) from(now time.Time) time.Time {
	if g.speed < 1 || g.burst > 0 {
		return now
	}
	return later(g.open, now.Add(-g.slack()))
}

// slack is how late a turn may be used.
func (g *gate) slack() time.Duration { return g.limit.Per / slackPart }

// window is the span in which the limit counts, and a little more.
func (g *gate) window() time.Duration { return g.limit.Per + g.limit.Per/100 }

func (g *gate) interval() time.Duration {
	return time.Duration(float64(g.limit.Per) / (headroom * g.speed * float64(g.limit.Requests)))
}

// recover speeds up for each window without a refusal: by a fiftieth of the limit, and after some
// calm by a tenth.
func (g *gate) recover(now time.Time) {
	for g.speed < 1 && now.Sub(g.stepped) >= g.limit.Per {
		g.stepped = g.stepped.Add(g.limit.Per)
		g.steps++
		step := 0.02
		if g.steps > calm {
			step = 0.1
		}
		g.speed = min(1, g.speed+step)
	}
}

func (g *gate) accepted() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refusals = 0
}

// refused shuts the gate for as long as the server asked. A server that named no time is given
// an eighth of the window, and twice as much each time it refuses again.
func (g *gate) refused(asked time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	if asked <= 0 {
		asked = g.limit.Per >> max(0, 3-g.refusals)
	}
	g.refusals++
	if open := now.Add(min(asked, maxPause)); open.After(g.open) {
		g.open = open
	}
	if g.refusals == 1 {
		g.slow(now)
	}
	g.stepped, g.steps = now, 0
}

// slow goes down to what was taken in the last window, by half at most and by a twentieth at
// least: three of them if the speed was found too high within this window. Before a whole window
// has passed, half is the guess.
func (g *gate) slow(now time.Time) {
	factor, least := 0.5, 0.95
	if now.Sub(g.stepped) < g.limit.Per && g.steps == 0 {
		least = 0.85
	}
	if now.Sub(g.began) >= g.limit.Per {
		taken := float64(len(g.passed)-1) / float64(g.limit.Requests)
		factor = math.Min(math.Max(taken/g.speed, factor), least)
	}
	g.speed = math.Max(g.speed*factor, minSpeed)
}

// A paceError says that a request's turn would come too late.
type paceError struct {
	family string
	limit  gen.Rate
	wait   time.Duration
}

func (e *paceError) Error() string {
	per, named := map[time.Duration]string{time.Second: "a second", time.Minute: "a minute", time.Hour: "an hour", 24 * time.Hour: "a day"}[e.limit.Per]
	if !named {
		per = "in " + e.limit.Per.String()
	}
	if e.wait == 0 {
		return fmt.Sprintf("held back: of %d requests %s to %s, others took their turn before it until the deadline", e.limit.Requests, per, e.family)
	}
	return fmt.Sprintf("held back: of %d requests %s to %s, its turn comes in %s, after the deadline", e.limit.Requests, per, e.family, e.wait.Round(time.Second))
}

// Unwrap makes it a deadline's error.
func (e *paceError) Unwrap() error { return context.DeadlineExceeded }
