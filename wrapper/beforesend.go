package bento

import (
	"context"
	"errors"
)

// WithBeforeSend calls do when the turn of a request of the call has come, right before it is sent, and
// again before each repeat: for whoever notes what may have arrived. Batches that are under way at the
// same time call it at the same time. If do fails, the request is not sent, and the call ends: the error
// is [ErrCanceled], with that of do as its cause.
func WithBeforeSend(do func(context.Context) error) CallOption {
	return callOption(func(s *callSettings) error {
		if do == nil {
			return errors.New("WithBeforeSend: there is nothing to do: leave it out instead")
		}
		s.before = do
		return nil
	})
}

// mayLeave reports why a request must not be sent: its context has ended, or the caller says so.
func mayLeave(ctx context.Context) error {
	if before := callStateOf(ctx).before; before != nil && ctx.Err() == nil {
		if err := before(ctx); err != nil {
			return &withheldError{err}
		}
	}
	return ctx.Err()
}

// A withheldError says that the caller kept the request back, by [WithBeforeSend].
type withheldError struct{ cause error }

func (e *withheldError) Error() string { return "kept back: " + e.cause.Error() }
func (e *withheldError) Unwrap() error { return e.cause }
