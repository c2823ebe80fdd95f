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
	unknown         // nobody knows
	unheard         // the account or the address is refused, whatever is sent: the lane has to wait
)

// A Cause is why a verdict is what it is, or why Enqueue refused; there are few, so that they can be
// counted.
type Cause string

// Causes that are none of Bento's errors, which have the names in causes.
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
//	unheard    queued, paused     queued, paused
//	unknown    queued, later      parked
func (o outcome) verdict(e Entry, cause Cause, reason string, later time.Time) Verdict {
	v := Verdict{ID: e.ID, Cause: cause, Reason: reason}
	switch {
	case o == arrived:
		v.State = Accepted
	case o == refused:
		v.State = Failed
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

// verdicts are those of a batch, by what the client says. What is queued again waits together, so that
// it goes together.
func verdicts(batch []Entry, result *bento.Result, err error, now time.Time) (all []Verdict, paused string) {
	attempts := 0
	for _, e := range batch {
		attempts = max(attempts, e.Attempts)
	}
	later, rest, cause, reason := now.Add(backoff(attempts)), arrived, causeNone, ""
	if err != nil && len(result.Problems) == 0 { // nothing of it was even begun
		rest, cause, reason = unsent, causeOther, brief(err.Error())
	}
	all = make([]Verdict, len(batch))
	for i, e := range batch {
		all[i] = rest.verdict(e, cause, reason, later)
	}
	for _, p := range result.Problems {
		o, cause := classify(p)
		reason := ""
		if p.Err != nil {
			reason = brief(p.Err.Error())
		}
		for i := max(p.First, 0); i <= min(p.Last, len(batch)-1); i++ {
			all[i] = o.in(p, batch[i]).verdict(batch[i], cause, reason, later)
		}
		if o == unheard {
			paused = reason
		}
	}
	return all, paused
}

// in is the outcome of one entry in a group. Where Bento answered with odd counts, it took the
// batch, and does not say what of it: sending all again would double the others.
func (o outcome) in(p bento.Problem, e Entry) outcome {
	answered := p.Accepted > 0 || o == unknown && !errors.Is(p.Err, bento.ErrOutcomeUnknown)
	if answered && (o == refused || e.Policy == AtLeastOnce) {
		return arrived
	}
	return o
}

// maxReason bounds a reason that is kept, in bytes.
const maxReason = 500

func brief(text string) string {
	if len(text) > maxReason {
		text = strings.ToValidUTF8(text[:maxReason], "") + "…"
	}
	return text
}
