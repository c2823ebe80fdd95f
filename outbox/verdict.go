package outbox

import (
	"errors"
	"math/rand/v2"
	"time"

	bento "example.com/bento-go/wrapper"
)

// An outcome is what became of a group of entries that were sent together.
type outcome int

const (
	arrived outcome = iota
	refused         // for what is in it
	unsent          // it surely did not arrive
	unknown         // nobody knows
	unheard         // the account, or the pace, does not let it through: the lane has to wait
)

// outcomeOf classifies what the client says of a group of records, by this table:
//
//	the records were counted as …   and the error is …            outcome
//	accepted                        –                             arrived
//	not sent                        –                             unsent
//	unknown                         –                             unknown
//	failed                          401, 403, a redirect          unheard
//	failed                          429, 5xx, no connection       unsent
//	failed                          anything else                 refused
func outcomeOf(p bento.Problem) outcome {
	switch {
	case p.Unknown > 0:
		return unknown
	case p.Failed == 0 && p.NotSent == 0:
		return arrived
	case is(p.Err, bento.ErrUnauthorized, bento.ErrForbidden, bento.ErrRedirected, bento.ErrNotFound):
		return unheard
	case p.NotSent > 0, is(p.Err, bento.ErrRateLimited, bento.ErrServer, bento.ErrNetwork, bento.ErrTimeout, bento.ErrPaced, bento.ErrCanceled):
		return unsent
	}
	return refused
}

func is(err error, kinds ...error) bool {
	for _, kind := range kinds {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

// verdict is what an outcome means for an entry.
//
//	outcome    at least once      at most once
//	arrived    accepted           accepted
//	refused    failed             failed
//	unsent     queued, later      queued, later
//	unheard    queued, paused     queued, paused
//	unknown    queued, later      parked
func (o outcome) verdict(e Entry, reason string, later time.Time) Verdict {
	v := Verdict{ID: e.ID, Reason: reason}
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
	later, rest, reason := now.Add(backoff(attempts)), arrived, ""
	if err != nil && len(result.Problems) == 0 { // nothing of it was even begun
		rest, reason = unsent, brief(err.Error())
	}
	all = make([]Verdict, len(batch))
	for i, e := range batch {
		all[i] = rest.verdict(e, reason, later)
	}
	for _, p := range result.Problems {
		o, reason := outcomeOf(p), ""
		if p.Err != nil {
			reason = brief(p.Err.Error())
		}
		for i := max(p.First, 0); i <= min(p.Last, len(batch)-1); i++ {
			all[i] = o.in(p, batch[i]).verdict(batch[i], reason, later)
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
		text = text[:maxReason] + "…"
	}
	return text
}
