package bento

import (
	"errors"
	"net/http"
)

// A flight is a batch that is being sent.
type flight struct {
	done     chan struct{}
	problems []Problem // of the batch, or of its parts
	requests int
	ended    error
	response *Response // the raw answer, if somebody asked for it
	panicked any       // what a transport of the user's panicked with
}

// dispatch sends the batch and begins the next one. It waits until there is room for another
// flight, and if there is room for one only, until it has landed.
func (r *batchRun[T]) dispatch() {
	if r.batch.n == 0 {
		return
	}
	for len(r.flights) >= r.concurrency {
		r.settle()
	}
	if r.ended != nil {
		r.abandon(r.ended)
		return
	}
	f, batch := &flight{done: make(chan struct{})}, r.batch
	r.flights = append(r.flights, f)
	r.batch = r.newBatch()
	if r.concurrency == 1 {
		r.fly(f, batch)
		r.settle()
		return
	}
	go r.fly(f, batch)
}

// fly sends a batch, and its parts if it is refused and they may be told apart.
func (r *batchRun[T]) fly(f *flight, whole *batch) {
	defer close(f.done)
	defer func() { f.panicked = recover() }()
	b := bisector{flight: f, request: func(part *batch) ([]Problem, error) { return r.request(part, f) }}
	if r.bisect {
		b.left = MaxBisections
	}
	b.send(whole)
}

// settle waits for the oldest flight and enters what became of it.
func (r *batchRun[T]) settle() {
	f := r.flights[0]
	r.flights = r.flights[1:]
	<-f.done
	if f.panicked != nil { // where the caller can catch it
		panic(f.panicked)
	}
	for _, p := range f.problems {
		r.result.add(p)
	}
	r.result.Requests += f.requests
	if f.response != nil && f.response.StatusCode != 0 {
		*r.response = *f.response
	}
	if r.ended == nil {
		r.ended = f.ended
	}
	if r.progress != nil {
		counts := *r.result
		counts.Problems = nil
		r.progress(counts)
	}
}

// MaxBisections is how many requests [WithBisection] spends on one batch, beyond the first.
const MaxBisections = 64

// A bisector sends a batch, and halves it as long as it is refused for its records.
type bisector struct {
	request func(*batch) ([]Problem, error)
	left    int // requests that it may still spend
	flight  *flight
}

func (b *bisector) send(batch *batch) {
	problems, err := b.request(batch)
	p := problems[0]
	if e := (*Error)(nil); p.NotSent == 0 && (!errors.As(p.Err, &e) || !e.stopped) {
		b.flight.requests++
	}
	if p.Counted || !blamesRecords(p.Err) || batch.n == 1 || b.left < 2 {
		b.flight.problems = append(b.flight.problems, problems...)
		b.flight.ended = err
		return
	}
	b.left -= 2
	half := batch.n / 2
	b.send(batch.part(0, half))
	if rest := batch.part(half, batch.n); b.flight.ended == nil {
		b.send(rest)
	} else {
		b.flight.problems = append(b.flight.problems, Problem{First: rest.first, Last: rest.last, NotSent: rest.n, Err: b.flight.ended})
	}
}

// blamesRecords reports whether Bento surely refused a request, or a transport stopped it, for what is in it.
func blamesRecords(err error) bool {
	var e *Error
	if errors.Is(err, ErrOutcomeUnknown) || errors.As(err, &e) && e.neverLeft {
		return false
	}
	return errors.Is(err, ErrBadRequest) || errors.Is(err, ErrUnprocessable) ||
		e != nil && (e.stopped || e.StatusCode == http.StatusRequestEntityTooLarge)
}
