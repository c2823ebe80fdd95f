package outbox

import (
	"errors"
	"math/rand/v2"
	"strings"
	"time"

	bento "example.com/bento-go/wrapper"
)

// An outcome is what became of a group of entries that were sent together.
type outcome int

const (
	arrived outcome = iota
	refused         // for what is in it
	unsent          // it surely did not arrive, or arrived where a repeat is harmless
	mixed           // some of them are refused, and nobody knows which: they go again, in parts
	unknown         // nobody knows
	unheard         // the account or the address is refused, whatever is sent: the lane has to wait
)

// A Cause is why a verdict is what it is, or why Enqueue refused; there are few, so that they can be
// counted. Most are an error of the client's by its name, as unauthorized, rate_limited, server, timeout
// and bad_request; and counted (Bento refused some of a batch, by its own count), sender_ended (while
// the record was in flight), full, invalid, closed and other.
type Cause string

// Causes that are none of the client's errors.
const (
	causeNone    Cause = ""
	causeCounted Cause = "counted"      // Bento's own count of what it took
	causeEnded   Cause = "sender_ended" // while it was in flight
	causeOther   Cause = "other"
	causeFull    Cause = "full"
	causeInvalid Cause = "invalid"
	causeClosed  Cause = "closed"
	// CauseDecided is that a person decided; for stores.
	CauseDecided Cause = "decided"
	// CauseForgotten is that nobody decided as long as the entry was kept; for stores.
	CauseForgotten Cause = "forgotten"
	// CauseDamaged is that the store found the record damaged; for stores.
	CauseDamaged Cause = "damaged"
)

// causes are the errors of the client, by what they mean for a group of records that it counts as
// failed or not sent. The first that fits counts.
var causes = []struct {
	err     error
	cause   Cause
	outcome outcome
}{
	{bento.ErrUnauthorized, "unauthorized", unheard},
	{bento.ErrForbidden, "forbidden", unheard},
	{bento.ErrRedirected, "redirected", unheard},
	{bento.ErrNotFound, "not_found", unheard}, // no record makes a path wrong: BaseURL does
	{bento.ErrRateLimited, "rate_limited", unsent},
	{bento.ErrServer, "server", unsent},
	{bento.ErrTimeout, "timeout", unsent},
	{bento.ErrCanceled, "canceled", unsent},
	{bento.ErrPaced, "paced", unsent},
	{bento.ErrNetwork, "network", unsent},
	{bento.ErrBadRequest, "bad_request", refused},
	{bento.ErrUnprocessable, "unprocessable", refused},
	{bento.ErrConflict, "conflict", refused},
	{bento.ErrUnexpectedAnswer, "unexpected_answer", refused},
	{bento.ErrInvalid, "invalid", refused},
}

// classify says what a problem means for its records, and why.
func classify(p bento.Problem) (outcome, Cause) {
	o, cause := refused, causeOther
	if p.Failed+p.Unknown > 0 && !errors.As(p.Err, new(*bento.Error)) {
		cause = causeCounted
	}
	for _, c := range causes {
		if errors.Is(p.Err, c.err) {
			o, cause = c.outcome, c.cause
			break
		}
	}
	switch {
	case p.Unknown > 0:
		o = unknown
	case p.Failed == 0 && p.NotSent == 0:
		o, cause = arrived, causeNone
	case p.NotSent > 0 && o == refused:
		o = unsent
	}
	return o, cause
}

// verdict is what an outcome means for an entry.
//
//	outcome    at least once      at most once
//	arrived    accepted           accepted
//	refused    failed             failed
//	unsent     queued, later      queued, later
//	mixed      queued             queued
//	unheard    queued, paused     queued, paused
//	unknown    queued, later      parked
func (o outcome) verdict(e Entry, cause Cause, reason string, later time.Time) Verdict {
	v := Verdict{ID: e.ID, Cause: cause, Reason: reason}
	switch {
	case o == arrived:
		v.State = Accepted
	case o == refused:
		v.State = Failed
	case o == mixed:
		v.State = Queued
	case o == unknown && e.Policy == AtMostOnce:
		v.State = Parked
	default:
		v.State, v.NotBefore = Queued, later
	}
	return v
}

// The wait before the next attempt: random below a ceiling that doubles.
const (
	minBackoff = time.Second
	maxBackoff = 5 * time.Minute
)

func backoff(attempts int) time.Duration {
	ceiling := minBackoff << min(max(attempts-1, 0), 20)
	if ceiling > maxBackoff || ceiling <= 0 {
		ceiling = maxBackoff
	}
	return minBackoff/2 + rand.N(ceiling) //nolint:gosec // not for a secret
}

// A judgement is what became of a batch.
type judgement struct {
	verdicts []Verdict
	paused   string // why the lane has to wait; empty if it need not
	together int    // of the entries that were refused together, the most
	lost     int    // entries that Bento refused among others that it took, without saying which
}

// judge says what became of a batch, by what the client says. What is queued again waits together, so
// that it goes together.
func judge(batch []Entry, result *bento.Result, err error, now time.Time) (j judgement) {
	attempts := 0
	for _, e := range batch {
		attempts = max(attempts, e.Attempts)
	}
	later, rest, cause, reason := now.Add(backoff(attempts)), arrived, causeNone, ""
	if err != nil && len(result.Problems) == 0 { // nothing of it was even begun
		rest, cause, reason = unsent, causeOther, brief(err.Error())
	}
	j.verdicts = make([]Verdict, len(batch))
	for i, e := range batch {
		j.verdicts[i] = rest.verdict(e, cause, reason, later)
	}
	for _, p := range result.Problems {
		j.take(batch, p, later)
	}
	return j
}

// take takes in one problem.
func (j *judgement) take(batch []Entry, p bento.Problem, later time.Time) {
	o, cause := classify(p)
	reason := ""
	if p.Err != nil {
		reason = brief(p.Err.Error())
	}
	first, last := max(p.First, 0), min(p.Last, len(batch)-1)
	took := false
	for i := first; i <= last; i++ {
		what := o.in(p, batch[i])
		if what == mixed {
			j.together = max(j.together, last-first+1)
		}
		took = took || what == arrived
		j.verdicts[i] = what.verdict(batch[i], cause, reason, later)
	}
	if o == unheard {
		j.paused = reason
	}
	if took && o != arrived {
		j.lost += p.Failed + p.Unknown
	}
}

// in is the outcome of one entry in a group.
func (o outcome) in(p bento.Problem, e Entry) outcome {
	alone := p.First == p.Last
	odd := o == unknown && !errors.Is(p.Err, bento.ErrOutcomeUnknown) // Bento answered, with odd counts
	switch {
	case o == refused && p.Accepted == 0 && !alone && !p.Counted && errors.As(p.Err, new(*bento.Error)):
		return mixed // nothing of it was taken, for one of them perhaps
	case o == arrived, p.Accepted == 0 && !odd:
		return o
	case e.Policy == AtMostOnce:
		return unknown
	case e.Harmless && !alone:
		return mixed
	}
	return arrived // most of it was: sending all again would double the others
}

// maxReason bounds a reason that is kept, in bytes.
const maxReason = 500

func brief(text string) string {
	if len(text) > maxReason {
		text = strings.ToValidUTF8(text[:maxReason], "") + "…"
	}
	return text
}
