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

// A batcher cuts records into requests of the contract's size and sends them in order. It holds
// as many batches in memory, encoded, as are sent at a time.
type batcher[T any] struct {
	client    *Client
	operation string
	check     func(T) error // refuses a record before it is sent
	again     func(T) bool  // a repeat of the record changes nothing; nil: that of none
	send      batchSender
	encode    func(dst []byte, record T) ([]byte, error) // nil: as the contract's type has it
}

// A batchSender is a method of the generated client.
type batchSender func(api *gen.Client, ctx context.Context, contentType string, body io.Reader, editors ...gen.RequestEditorFn) (*http.Response, error)

// all sends a slice; what an early end leaves over counts as not sent.
func (b batcher[T]) all(ctx context.Context, records []T, opts []BatchOption) (*Result, error) {
	s, err := batchSettingsOf(b.operation, opts)
	if err != nil {
		return &Result{Read: len(records), NotSent: len(records)}, err
	}
	r := b.newBatchRun(ctx, s, len(records))
	if s.strict && !r.allValid(records) {
		return r.finish()
	}
	return r.send(slices.Values(records))
}

// seq sends a sequence; what an early end leaves over is not read, and not counted.
func (b batcher[T]) seq(ctx context.Context, records iter.Seq[T], opts []BatchOption) (*Result, error) {
	s, err := batchSettingsOf(b.operation, opts)
	if err != nil || records == nil { // no sequence is an empty one, as no slice is
		return &Result{}, err
	}
	return b.newBatchRun(ctx, s, 0).send(records)
}

// A batchRun is one call: it fills batches, sends them and keeps the books.
type batchRun[T any] struct {
	batcher[T]
	batchSettings
	ctx     context.Context //nolint:containedctx // it lives as long as the call
	total   int             // records of a slice, 0 for a sequence
	key     string          // the member that holds the records
	max     int             // records in a batch
	scratch []byte          // a record, before it is known to fit
	batch   *batch
	flights []*flight // under way, oldest first
	result  *Result
	ended   error // why no further batch is sent
}

func (b batcher[T]) newBatchRun(ctx context.Context, s batchSettings, total int) *batchRun[T] {
	op, _ := gen.OperationByID(b.operation)
	r := &batchRun[T]{
		batcher: b, batchSettings: s, ctx: ctx, total: total, key: op.BatchKey, max: op.BatchMax,
		result: &Result{},
	}
	if r.batcher.encode == nil {
		r.batcher.encode = newEncoder[T]().append
	}
	r.batch = r.newBatch()
	return r
}

func (r *batchRun[T]) send(records iter.Seq[T]) (*Result, error) {
	for record := range records {
		at := r.result.Read
		r.result.Read++
		encoded, err := r.encode(record)
		switch {
		case err == nil:
			r.put(encoded, record, at)
		case r.strict:
			r.refuse(at, err)
			r.abandon(errStrict)
		default:
			r.refuse(at, err)
		}
		if r.ended != nil {
			break
		}
	}
	r.dispatch()
	return r.finish()
}

// refuse sets a record aside.
func (r *batchRun[T]) refuse(at int, err error) {
	r.result.add(Problem{First: at, Last: at, Failed: 1, Err: invalid(r.operation, err)})
}

var errStrict = errors.New("an invalid record ends a strict call")

// finish waits for what is under way and closes the books.
func (r *batchRun[T]) finish() (*Result, error) {
	for len(r.flights) > 0 {
		r.settle()
	}
	if rest := r.total - r.result.Read; rest > 0 {
		r.result.add(Problem{First: r.result.Read, Last: r.total - 1, NotSent: rest, Err: fmt.Errorf("not sent: %w", r.ended)})
		r.result.Read = r.total
	}
	if r.result.Accepted == r.result.Read {
		return r.result, nil
	}
	slices.SortStableFunc(r.result.Problems, func(a, b Problem) int { return a.First - b.First })
	return r.result, &BatchError{Operation: r.operation, Result: *r.result}
}

// allValid checks a whole slice before anything of it is sent.
func (r *batchRun[T]) allValid(records []T) bool {
	valid := 0
	for at, record := range records {
		_, err := r.encode(record)
		if err == nil {
			valid++
			continue
		}
		r.refuse(at, err)
	}
	if valid == len(records) {
		return true
	}
	r.result.Read = len(records)
	if valid > 0 {
		r.result.add(Problem{Last: len(records) - 1, NotSent: valid, Err: fmt.Errorf("not sent: %w", errStrict)})
	}
	return false
}

// abandon ends the call; the records of the batch under way count as not sent.
func (r *batchRun[T]) abandon(err error) {
	r.ended = err
	if r.batch.n > 0 {
		r.result.add(Problem{First: r.batch.first, Last: r.batch.last, NotSent: r.batch.n, Err: fmt.Errorf("not sent: %w", err)})
		r.batch = r.newBatch()
	}
}

// encode checks a record and writes it to the scratch.
func (r *batchRun[T]) encode(record T) ([]byte, error) {
	if err := r.check(record); err != nil {
		return nil, err
	}
	var err error
	if r.scratch, err = r.batcher.encode(r.scratch[:0], record); err != nil {
		return nil, err
	}
	if room := r.maxBytes - len(r.key) - len(`{"":[]}`); len(r.scratch) > room {
		return nil, fmt.Errorf("the record is %d bytes, more than a request of %d may hold: shorten it, or allow more (WithBatchBytes)", len(r.scratch), r.maxBytes)
	}
	return r.scratch, nil
}

// put adds a record to the batch. A batch that has no room for it is sent before, one that is
// full then is sent after.
func (r *batchRun[T]) put(encoded []byte, record T, at int) {
	if len(r.batch.body)+len(encoded)+len(",]}") > r.maxBytes {
		if r.dispatch(); r.ended != nil {
			r.result.add(Problem{First: at, Last: at, NotSent: 1, Err: fmt.Errorf("not sent: %w", r.ended)})
			return
		}
	}
	r.batch.add(encoded, at)
	if r.batch.n == 1 {
		expect := r.max
		if r.total > 0 {
			expect = min(expect, r.total-at)
		}
		r.batch.body = slices.Grow(r.batch.body, min(expect*(len(encoded)+8), r.maxBytes, maxGuess))
		r.batch.places = slices.Grow(r.batch.places, expect)
	}
	r.batch.repeatable = r.batch.repeatable && (r.repeatable || r.again != nil && r.again(record))
	if r.batch.n == r.max {
		r.dispatch()
	}
}

// maxGuess bounds the room, in bytes, that is made on the word of one record.
const maxGuess = 1 << 20

// request sends one batch. The first problem is its own, and if Bento names records that it
// refused, theirs follow. The second result is not nil when sending more makes no sense.
func (r *batchRun[T]) request(batch *batch, f *flight) ([]Problem, error) {
	state := &callState{callSettings: r.callSettings, records: batch.n}
	state.repeatable = batch.repeatable
	if r.response != nil {
		f.response = &Response{}
		state.response = f.response
	}
	answer, err := perform[gen.BatchResult](r.ctx, r.client, r.operation, state, func(ctx context.Context) (*http.Response, error) {
		return r.batcher.send(r.client.api, ctx, "application/json", bytes.NewReader(batch.closed()))
	})
	var problems []Problem
	if err == nil {
		problems = r.client.tally(answer, batch.n)
	} else {
		problems, err = r.client.refusal(err, batch.n)
	}
	for i := range problems {
		problems[i].First, problems[i].Last = batch.places[problems[i].First].at, batch.places[problems[i].Last].at
	}
	return problems, err
}

// classify says what a failed request means for its n records, and whether the next batch
// would fare the same.
func classify(err error, n int) (Problem, error) {
	p := Problem{Err: err}
	var e *Error
	switch {
	case !errors.As(err, &e):
		p.Unknown = n
	case e.neverLeft: // whatever its cause says
		p.NotSent = n
	case e.stopped:
		p.Failed = n
	case errors.Is(err, ErrOutcomeUnknown):
		p.Unknown = n
	case errors.Is(err, ErrInvalid): // it could not even be built
		p.NotSent = n
	default:
		p.Failed = n
	}
	if blamesRecords(err) {
		return p, nil
	}
	return p, err
}
