package bento

import (
	"errors"
	"fmt"
	"strings"
)

// A Result says what became of the records that were handed over. Every record read is counted
// once: Read = Accepted + Failed + Unknown + NotSent.
type Result struct {
	Read int
	// Accepted records were taken by Bento, by its own count.
	Accepted int
	// Failed records were refused, by Bento or here; or they ended in a 5xx, and sending them
	// again is harmless.
	Failed int
	// Unknown records left, and no answer said what became of them, or only a 5xx: sending them
	// again may repeat their effect.
	Unknown int
	// NotSent records were never sent, because an earlier failure or the context ended the call.
	NotSent int
	// Requests counts the batches that were sent, each once however often it was retried.
	Requests int
	// Problems lists what was not wholly accepted, in order: every batch; the records that Bento
	// names as refused, of a batch of events 20 at most; and of the records that were refused here
	// the first 1000.
	Problems []Problem

	refused int // records refused here
}

const (
	// maxRefused bounds the records refused here that a call remembers.
	maxRefused = 1000
	// maxBodies bounds the error bodies that a call keeps.
	maxBodies = 100
)

// A Problem is a batch that was not wholly accepted, or a single record that was refused, here or
// by Bento.
type Problem struct {
	// First and Last are the positions of its records in the source, from 0, both included.
	// Records that are a problem of their own lie between them without being part of the batch's.
	First, Last int
	// The batch's part of the Result's counts.
	Accepted, Failed, Unknown, NotSent int
	// Counted says that Failed is Bento's own count, so that each of them was refused. Otherwise a
	// batch that failed was refused as a whole, and one of its records may be to blame.
	Counted bool
	// Err says why; it is never nil.
	Err error
}

func (p Problem) Error() string {
	if p.First == p.Last {
		return fmt.Sprintf("record %d: %v", p.First, p.Err)
	}
	return fmt.Sprintf("records %d to %d: %v", p.First, p.Last, p.Err)
}

// Unwrap returns Err.
func (p Problem) Unwrap() error { return p.Err }

func (r *Result) add(p Problem) {
	r.Accepted += p.Accepted
	r.Failed += p.Failed
	r.Unknown += p.Unknown
	r.NotSent += p.NotSent
	if p.Err == nil {
		return
	}
	var e *Error
	switch isError := errors.As(p.Err, &e); {
	case isError && e.Attempts == 0 && p.Failed == 1: // refused here
		if r.refused++; r.refused > maxRefused {
			return
		}
	case isError && len(r.Problems) > maxBodies+r.refused:
		e.Body = nil
	}
	r.Problems = append(r.Problems, p)
}

// A BatchError says that not every record was accepted. Result tells which; errors.Is and
// errors.As see every problem's error.
type BatchError struct {
	Operation string
	Result    Result
}

func (e *BatchError) Error() string {
	r := &e.Result
	var b strings.Builder
	fmt.Fprintf(&b, "bento: %s: %d of %d records accepted", e.Operation, r.Accepted, r.Read)
	for _, part := range []struct {
		count int
		word  string
	}{{r.Failed, "failed"}, {r.Unknown, "unknown"}, {r.NotSent, "not sent"}} {
		if part.count > 0 {
			fmt.Fprintf(&b, ", %d %s", part.count, part.word)
		}
	}
	if len(r.Problems) > 0 {
		fmt.Fprintf(&b, "; first: %s", strings.TrimPrefix(r.Problems[0].Error(), "bento: "))
	}
	return b.String()
}

// Unwrap returns the error of each problem.
func (e *BatchError) Unwrap() []error {
	errs := make([]error, len(e.Result.Problems))
	for i, p := range e.Result.Problems {
		errs[i] = p
	}
	return errs
}

// errContradiction is the problem of a batch whose answer counts what cannot be.
var errContradiction = errors.New("Bento's answer counts more records than were sent: look in Bento which of them arrived")

// errShortCount is the problem of a batch whose answer counts fewer records than were sent.
var errShortCount = errors.New("Bento's answer counts fewer records than were sent, and does not say which")
