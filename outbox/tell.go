package outbox

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// tell logs what is wrong with the store.
func (l *laneSender) tell(ctx context.Context, err error) {
	if err == nil || errors.Is(err, ErrLeased) || ctx.Err() != nil {
		return
	}
	if l.aboutStore.due(err.Error()) {
		l.log(ctx, slog.LevelError, "outbox store", slog.String("error", err.Error()))
	}
}

// complain logs that nothing of a batch got through, and why; or that something does again.
func (l *laneSender) complain(ctx context.Context, failed bool, v Verdict) {
	switch {
	case failed && l.aboutBento.due(v.Reason):
		l.log(ctx, slog.LevelWarn, "outbox: nothing gets through", slog.String("reason", v.Reason), slog.Time("again", l.until))
	case !failed && l.aboutBento.what != "":
		l.aboutBento = nag{}
		l.log(ctx, slog.LevelInfo, "outbox: it gets through again")
	}
}

func (l *laneSender) log(ctx context.Context, level slog.Level, what string, attrs ...slog.Attr) {
	l.logger.LogAttrs(ctx, level, what, append([]slog.Attr{slog.String("lane", string(l.lane))}, attrs...)...)
}

// A nag says the same thing once a minute.
type nag struct {
	what string
	at   time.Time
}

// due reports whether a thing is to be said now.
func (n *nag) due(what string) bool {
	now := time.Now()
	if what == n.what && now.Sub(n.at) <= time.Minute {
		return false
	}
	n.what, n.at = what, now
	return true
}
