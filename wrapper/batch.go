package bento

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"

	"example.com/bento-go/gen"
)

// A batcher cuts records into requests of the contract's size and sends them in order, one at
// a time. It holds one batch in memory.
type batcher[T any] struct {
	client    *Client
	operation string
	check     func(T) error  // refuses a record before it is sent
	keyed     func([]T) bool // nil: no record of this operation ever is
	send      func(ctx context.Context, records []T) (*http.Response, error)
}

// all sends a slice; what an early end leaves over counts as not sent.
func (b batcher[T]) all(ctx context.Context, records []T) (*Result, error) {
	return b.run(ctx, func(yield func(T) bool) {
		for _, record := range records {
			if !yield(record) {
				return
			}
		}
	}, len(records))
}

// seq sends a sequence; what an early end leaves over is not read, and not counted.
func (b batcher[T]) seq(ctx context.Context, records iter.Seq[T]) (*Result, error) {
	return b.run(ctx, records, 0)
}

func (b batcher[T]) run(ctx context.Context, records iter.Seq[T], total int) (*Result, error) {
	op, _ := gen.OperationByID(b.operation)
	result := &Result{}
	var (
		batch = make([]T, 0, min(op.BatchMax, max(total, 1)))
		first int
		ended error // why no further batch is sent
	)
	flush := func(last int) bool {
		if len(batch) == 0 {
			return true
		}
		var p Problem
		p, ended = b.request(ctx, batch)
		p.First, p.Last = first, last
		result.Requests++
		result.add(p)
		clear(batch)
		batch = batch[:0]
		return ended == nil
	}
	for record := range records {
		at := result.Read
		result.Read++
		if err := b.check(record); err != nil {
			result.add(Problem{First: at, Last: at, Failed: 1, Err: invalid(b.operation, err)})
			continue
		}
		if len(batch) == 0 {
			first = at
		}
		batch = append(batch, record)
		if len(batch) == op.BatchMax && !flush(at) {
			break
		}
	}
	if ended == nil {
		flush(result.Read - 1)
	}
	if rest := total - result.Read; rest > 0 {
		result.add(Problem{First: result.Read, Last: total - 1, NotSent: rest, Err: fmt.Errorf("not sent: %w", ended)})
		result.Read = total
	}
	return result, b.verdict(result)
}

// request sends one batch. The second result is not nil when sending more makes no sense.
func (b batcher[T]) request(ctx context.Context, records []T) (Problem, error) {
	ctx = withCallState(ctx, &callState{keyed: b.keyed != nil && b.keyed(records)})
	answer, err := call[gen.BatchResult](ctx, b.client, b.operation, func(ctx context.Context) (*http.Response, error) {
		return b.send(ctx, records)
	})
	if err != nil {
		return classify(err, len(records))
	}
	return count(answer, len(records)), nil
}

// classify says what a failed request means for its n records, and whether the next batch
// would fare the same.
func classify(err error, n int) (Problem, error) {
	p := Problem{Err: err}
	var e *Error
	switch {
	case !errors.As(err, &e), errors.Is(err, ErrOutcomeUnknown):
		p.Unknown = n
	case e.StatusCode == 0 && !e.Is(ErrInvalid):
		p.NotSent = n
	default:
		p.Failed = n
	}
	for _, ownFault := range []error{ErrBadRequest, ErrUnprocessable, ErrInvalid} {
		if errors.Is(err, ownFault) {
			return p, nil
		}
	}
	return p, err
}

// count turns Bento's counts into ours. What they leave out is unknown: no answer says which
// records it took.
func count(answer gen.BatchResult, n int) Problem {
	failed := 0
	if answer.Failed != nil {
		failed = *answer.Failed
	}
	p := Problem{Accepted: min(max(answer.Results, 0), n)}
	p.Failed = min(max(failed, 0), n-p.Accepted)
	p.Unknown = n - p.Accepted - p.Failed
	switch {
	case p.Unknown > 0:
		p.Err = errShortCount
	case p.Failed > 0:
		p.Err = fmt.Errorf("Bento accepted the batch but refused %d of its %d records, and does not say which: check their addresses and types", p.Failed, n)
	}
	return p
}

func (b batcher[T]) verdict(r *Result) error {
	if r.Accepted == r.Read {
		return nil
	}
	return &BatchError{Operation: b.operation, Result: *r}
}
