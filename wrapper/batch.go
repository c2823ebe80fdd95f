package bento

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"slices"

	"example.com/bento-go/gen"
)

// A batcher cuts records into requests of the contract's size and sends them in order, one at
// a time. It holds one batch in memory, encoded.
type batcher[T any] struct {
	client    *Client
	operation string
	check     func(T) error // refuses a record before it is sent
	again     func(T) bool  // a repeat of the record changes nothing; nil: that of none
	expect    int           // records in a batch, to make room for them
	send      func(ctx context.Context, contentType string, body io.Reader, editors ...gen.RequestEditorFn) (*http.Response, error)
}

// all sends a slice; what an early end leaves over counts as not sent.
func (b batcher[T]) all(ctx context.Context, records []T) (*Result, error) {
	return b.run(ctx, slices.Values(records), len(records))
}

// seq sends a sequence; what an early end leaves over is not read, and not counted.
func (b batcher[T]) seq(ctx context.Context, records iter.Seq[T]) (*Result, error) {
	return b.run(ctx, records, 0)
}

func (b batcher[T]) run(ctx context.Context, records iter.Seq[T], total int) (*Result, error) {
	op, _ := gen.OperationByID(b.operation)
	b.expect = op.BatchMax
	if total > 0 {
		b.expect = min(total, op.BatchMax)
	}
	result, encoder, batch := &Result{}, newEncoder[T](), newBatch(op.BatchKey)
	var ended error // why no further batch is sent
	flush := func(last int) {
		if batch.n == 0 {
			return
		}
		var p Problem
		p, ended = b.request(ctx, batch)
		p.First, p.Last = batch.first, last
		result.Requests++
		result.add(p)
		if ended != nil {
			return
		}
		batch = newBatch(op.BatchKey)
	}
	for record := range records {
		at := result.Read
		result.Read++
		if err := b.take(batch, encoder, record, at); err != nil {
			result.add(Problem{First: at, Last: at, Failed: 1, Err: invalid(b.operation, err)})
			continue
		}
		if batch.n == op.BatchMax {
			if flush(at); ended != nil {
				break
			}
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

// maxGuess bounds the room, in bytes, that is made on the word of one record.
const maxGuess = 1 << 20

// A batch is the body of a request under way. Its buffer is its own: a transport may read it
// even after the answer came.
type batch struct {
	body  []byte
	n     int
	first int // position of its first record in the source
	// repeatable: so is every record.
	repeatable bool
}

func newBatch(key string) *batch {
	return &batch{body: []byte(`{"` + key + `":[`), repeatable: true}
}

// take checks a record and adds it to the batch, or leaves the batch as it was.
func (b batcher[T]) take(batch *batch, encoder *encoder[T], record T, at int) error {
	if err := b.check(record); err != nil {
		return err
	}
	before := len(batch.body)
	if batch.n > 0 {
		batch.body = append(batch.body, ',')
	}
	body, err := encoder.append(batch.body, record)
	if err != nil {
		batch.body = batch.body[:before]
		return err
	}
	if batch.n == 0 {
		batch.first = at
		body = slices.Grow(body, min(b.expect*(len(body)+8), maxGuess))
	}
	batch.body = body
	batch.n++
	batch.repeatable = batch.repeatable && b.again != nil && b.again(record)
	return nil
}

// request sends one batch. The second result is not nil when sending more makes no sense.
func (b batcher[T]) request(ctx context.Context, batch *batch) (Problem, error) {
	ctx = withCallState(ctx, &callState{repeatable: batch.repeatable})
	batch.body = append(batch.body, "]}"...)
	answer, err := call[gen.BatchResult](ctx, b.client, b.operation, func(ctx context.Context) (*http.Response, error) {
		return b.send(ctx, "application/json", bytes.NewReader(batch.body))
	})
	if err != nil {
		return classify(err, batch.n)
	}
	return count(answer, batch.n), nil
}

// classify says what a failed request means for its n records, and whether the next batch
// would fare the same.
func classify(err error, n int) (Problem, error) {
	p := Problem{Err: err}
	var e *Error
	switch {
	case !errors.As(err, &e), errors.Is(err, ErrOutcomeUnknown):
		p.Unknown = n
	case e.neverLeft:
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
