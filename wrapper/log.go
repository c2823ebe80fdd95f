package bento

import (
	"errors"
	"log/slog"
	"net/http"
	"time"
)

// logTransport logs what passes: the shape of it, never its content.
type logTransport struct {
	next    http.RoundTripper
	logger  *slog.Logger
	level   slog.Level
	message string
	shapes  bool // of bodies, which costs a reading of each
}

func (t *logTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	if !t.logger.Enabled(ctx, t.level) {
		return t.next.RoundTrip(req)
	}
	start := time.Now()
	resp, err := t.next.RoundTrip(req)
	op, _ := operationOf(req)
	state := callStateOf(ctx)
	attrs := []slog.Attr{
		slog.String("operation", op.ID),
		slog.Int("attempt", state.attempts),
		slog.Duration("duration", time.Since(start)),
		slog.Int64("request_bytes", req.ContentLength),
	}
	if state.records > 0 {
		attrs = append(attrs, slog.Int("records", state.records))
	}
	if t.shapes {
		if shape := shapeOf(req); shape != "" {
			attrs = append(attrs, slog.String("body", shape))
		}
	}
	if err != nil {
		attrs = append(attrs, slog.String("failure", failureClass(err)))
	} else {
		attrs = append(attrs, slog.Int("status", resp.StatusCode), slog.Int64("answer_bytes", resp.ContentLength))
	}
	t.logger.LogAttrs(ctx, t.level, t.message, attrs...)
	return resp, err
}

// failureClass names a failure without its text, which may hold a host, an address or a path.
func failureClass(err error) string {
	var timeout interface{ Timeout() bool }
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case sentUnanswered(err):
		return "no answer"
	default:
		return "not sent"
	}
}
