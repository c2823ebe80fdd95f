package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	bento "example.com/bento-go/wrapper"
)

// requestFor bounds a request, its turn in the pace's line included.
const requestFor = 2 * time.Minute

// deliver sends a batch: it notes the intent when its turn has come, sends, and notes what became of it.
func (l *laneSender) deliver(ctx context.Context, batch []Entry) error {
	ids, records, harmless := make([]int64, len(batch)), make([]json.RawMessage, len(batch)), true
	for i := range batch {
		ids[i], records[i] = batch[i].ID, batch[i].Record
		harmless = harmless && batch[i].Harmless
		batch[i].Attempts++
	}
	l.unsent = intent{} // it tells nothing of what is sent now
	intent := intent{Sender: l.Sender, lease: l.lease, ids: ids}
	result, sendErr := l.send(ctx, records, harmless, intent.note)
	if intent.err == nil && !intent.noted { // its turn did not come, or it cannot be sent at all
		intent.err = l.store.Begin(ctx, l.lease, ids, time.Now())
	}
	if intent.err != nil {
		l.unsent = intent
		return intent.err
	}
	now := time.Now()
	j := judge(batch, result, sendErr, now)
	failed := l.note(j.verdicts, now)
	if j.paused == "" {
		l.complain(ctx, failed, j.verdicts[0])
	}
	if l.learn(batch, failed && j.paused == "", j.together) && j.verdicts[0].State == Queued && j.verdicts[0].Cause == "server" {
		j.verdicts[0].State, j.verdicts[0].NotBefore = Failed, time.Time{}
		j.verdicts[0].Reason = brief("Bento fails on this record, while others arrive: " + j.verdicts[0].Reason)
	}
	if err := l.settle(ctx, j.verdicts); err != nil {
		return err
	}
	if j.lost > 0 {
		l.log(ctx, slog.LevelWarn, "outbox: Bento refused some of a batch, and does not say which", slog.Int("refused", j.lost),
			slog.Int64("first", ids[0]), slog.Int64("last", ids[len(ids)-1]))
	}
	if j.paused != "" {
		l.log(ctx, slog.LevelError, "outbox paused", slog.String("reason", j.paused))
		return l.store.Pause(context.WithoutCancel(ctx), l.lane, j.paused)
	}
	return nil
}

// send makes the request, and keeps the lease while it waits for its turn and is under way.
func (l *laneSender) send(ctx context.Context, records []json.RawMessage, harmless bool, before func(context.Context) error) (*bento.Result, error) {
	opts := []bento.BatchOption{bento.WithRetry(bento.RetryPolicy{MaxAttempts: 1}), bento.WithBisection(), bento.WithBeforeSend(before)}
	if harmless {
		opts = append(opts, bento.WithHarmlessRepeat())
	}
	request, cancel := context.WithTimeout(ctx, requestFor)
	defer cancel()
	kept := l.keep(request, cancel)
	result, err := l.client.SendRaw(request, l.op.ID, records, opts...)
	cancel()
	<-kept
	return result, err
}

// keep renews the lease until the request has ended, at once if what came before took long, and breaks it
// off if the lane is lost. The channel it returns is closed when it has ended, which it does with the
// request.
func (l *laneSender) keep(request context.Context, lost context.CancelFunc) <-chan struct{} {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		beat := time.NewTicker(l.leaseFor / 3)
		defer beat.Stop()
		for {
			if errors.Is(l.renew(request, time.Now()), ErrLost) {
				lost()
			}
			select {
			case <-request.Done():
				return
			case <-beat.C:
			}
		}
	}()
	return ended
}

const (
	// settleFor bounds an attempt to note what became of a batch, which no end of the sender may
	// prevent.
	settleFor = 30 * time.Second
	// settleEvery is the wait before the next attempt.
	settleEvery = time.Second
)

// settle notes verdicts. A store that cannot take them now, since its disk is full, say, is asked
// until it can: what nobody notes is in doubt, and somebody has to decide about it.
func (l *laneSender) settle(ctx context.Context, all []Verdict) error {
	defer nudge(l.settled)
	for {
		err := l.settleOnce(ctx, all)
		if errors.Is(err, ErrLost) {
			l.disown(ctx, all)
		}
		if err == nil || errors.Is(err, ErrLost) || errors.Is(err, ErrClosed) || errors.Is(err, ErrDamaged) {
			return err
		}
		l.tell(ctx, err)
		if l.ended(ctx) {
			return err
		}
		l.pauseBefore(ctx, settleEvery)
		if err := l.renew(ctx, time.Now()); errors.Is(err, ErrLost) {
			l.disown(ctx, all)
			return err
		}
	}
}

// pauseBefore waits, whatever is enqueued meanwhile.
func (l *laneSender) pauseBefore(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-l.stop:
	case <-ctx.Done():
	}
}

func (l *laneSender) settleOnce(ctx context.Context, all []Verdict) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleFor)
	defer cancel()
	now := time.Now()
	if err := l.store.Settle(ctx, l.lease, all, now); err != nil {
		return err
	}
	accepted := 0
	for _, v := range all {
		switch v.State {
		case Accepted:
			accepted++
		case Parked, Failed:
			l.log(ctx, slog.LevelWarn, "outbox "+string(v.State), slog.Int64("id", v.ID), slog.String("reason", v.Reason))
		case Queued, Sending, Discarded:
		}
	}
	l.meters[l.lane].add(accepted, now)
	return nil
}

// disown tells what this sender knows of entries that are another's now.
func (l *laneSender) disown(ctx context.Context, all []Verdict) {
	known := map[State]int{}
	for _, v := range all {
		known[v.State]++
	}
	l.log(ctx, slog.LevelWarn, "outbox lane lost with a batch in flight", slog.Int64("first", all[0].ID), slog.Int64("last", all[len(all)-1].ID),
		slog.Int("accepted", known[Accepted]), slog.Int("failed", known[Failed]), slog.Int("unknown", known[Parked]), slog.Int("unsent", known[Queued]))
}
