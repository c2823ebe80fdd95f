package bento

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"example.com/bento-go/gen"
)

// RetryPolicy says how often and how patiently the client repeats what may be repeated. What
// may be is the contract's word, by operation (x-bento-retry; gen/OPERATIONS.md lists all): reads
// and imports also when no answer came; events, tags and fields after 429 and 5xx; commands, drafts
// and deletions if they surely did not happen; emails not at all. Events with a unique key, and most
// commands, are like imports.
//
// A zero field takes its default.
type RetryPolicy struct {
	// MaxAttempts counts the first; 1 never retries. Default 4, at most 100.
	MaxAttempts int
	// MinBackoff is the ceiling of the first wait and doubles with each further one, up to
	// MaxBackoff; the wait itself is random below the ceiling. Defaults 1 s and 30 s.
	MinBackoff, MaxBackoff time.Duration
	// MaxWait is the longest Retry-After that is waited out; after a longer one the answer is
	// returned at once. Default 2 minutes.
	MaxWait time.Duration
	// RejectedEmails lets emails be sent again when they were surely not accepted: after 429,
	// or when no connection was made. The default is never.
	RejectedEmails bool
}

const maxAttempts = 100

func (p RetryPolicy) validate() error {
	if p.MaxAttempts < 0 || p.MaxAttempts > maxAttempts {
		return fmt.Errorf("RetryPolicy.MaxAttempts is %d: want 1 to %d, or 0 for the default", p.MaxAttempts, maxAttempts)
	}
	if p.MinBackoff < 0 || p.MaxBackoff < 0 || p.MaxWait < 0 {
		return errors.New("RetryPolicy has a negative duration: want a positive one, or 0 for the default")
	}
	return nil
}

func (p RetryPolicy) withDefaults() RetryPolicy {
	orDefault := func(field *time.Duration, d time.Duration) {
		if *field <= 0 {
			*field = d
		}
	}
	if p.MaxAttempts <= 0 {
		p.MaxAttempts = 4
	}
	orDefault(&p.MinBackoff, time.Second)
	orDefault(&p.MaxBackoff, 30*time.Second)
	orDefault(&p.MaxWait, 2*time.Minute)
	return p
}

// NewRetryTransport returns a transport that sends through next and repeats what the contract
// allows, for use below a bare generated client. A nil next is http.DefaultTransport. It gives
// up early, with the last answer, when the next wait would outlive the request's deadline, and
// when too many retries of all its requests together brought nothing. Of an error's body it
// keeps the first 64 KiB. If the policy is out of its range, every request fails, unsent, with
// [ErrInvalid].
func NewRetryTransport(next http.RoundTripper, p RetryPolicy) http.RoundTripper {
	if err := p.validate(); err != nil {
		return misused{err}
	}
	if next == nil {
		next = http.DefaultTransport
	}
	return newRetryTransport(&attemptTransport{next: next}, p)
}

func newRetryTransport(next http.RoundTripper, p RetryPolicy) *retryTransport {
	return &retryTransport{next: next, policy: p.withDefaults()}
}

type retryTransport struct {
	next   http.RoundTripper
	policy RetryPolicy
	budget budget
}

func (t *retryTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	r := t.newRun(req)
	for {
		r.state.attempts++
		resp, err := t.next.RoundTrip(req)
		if isFinal(err) { // held back: nothing was sent
			if r.state.attempts--; r.last == nil && r.lastErr == nil {
				return nil, err
			}
			return r.last, r.lastErr
		}
		r.note(resp, err)
		wait, again := r.again(req.Context(), resp, err)
		if !again {
			return resp, err
		}
		next, rewound := rewind(req)
		if rewound != nil {
			return resp, err // one answer is better than none
		}
		r.last, r.lastErr, req = resp, err, next
		if ended := sleep(req.Context(), wait); ended != nil {
			return nil, &attemptError{cause: ended}
		}
	}
}

// A run is the attempts of one request.
type run struct {
	*retryTransport
	policy   RetryPolicy
	class    gen.RetryClass
	state    *callState
	deadline time.Time // zero if there is none

	// What became of the attempt before: an answer, its body in memory, or an error.
	last    *http.Response
	lastErr error
}

func (t *retryTransport) newRun(req *http.Request) *run {
	r := &run{retryTransport: t, policy: t.policy, class: gen.RetryNever, state: callStateOf(req.Context())}
	if r.state.retry != nil {
		r.policy = *r.state.retry
	}
	if op, ok := operationOf(req); ok { // else the contract does not know it
		r.state.operation = op
		r.class = op.Retry
		if op.ID == gen.OpSendEmails && r.policy.RejectedEmails {
			r.class = gen.RetryRejected
		}
	}
	r.deadline, _ = req.Context().Deadline()
	return r
}

// note remembers what an attempt says of the request's fate, and takes the body of an error into
// memory, which frees its connection for the next attempt.
func (r *run) note(resp *http.Response, err error) {
	r.state.answered = r.state.answered || err == nil
	switch {
	case err != nil:
		r.state.doubtful = r.state.doubtful || sentUnanswered(err)
	case resp.StatusCode < 400:
		r.budget.earn()
		if r.class == gen.RetrySafe && resp.Request.Method == http.MethodGet && r.state.limit > 0 {
			hold(resp, r.state.limit+1) // should it break off, it can be asked for again
		}
	default:
		hold(resp, maxErrorBody)
		r.state.doubtful = r.state.doubtful || resp.StatusCode >= 500 && !r.state.harmless()
	}
}

// again returns whether to make another attempt, and after which wait.
func (r *run) again(ctx context.Context, resp *http.Response, err error) (wait time.Duration, ok bool) {
	if ctx.Err() != nil || r.state.attempts >= r.policy.MaxAttempts || !r.mayRepeat(resp, err) {
		return 0, false
	}
	wait = r.policy.backoff(r.state.attempts)
	if resp != nil {
		asked := retryAfter(resp.Header, time.Now())
		if asked > r.policy.MaxWait {
			return 0, false
		}
		wait = max(wait, asked)
	}
	if !r.deadline.IsZero() && time.Until(r.deadline) <= wait {
		return 0, false
	}
	return wait, limited(resp) || r.budget.take()
}

func (r *run) mayRepeat(resp *http.Response, err error) bool {
	switch {
	case r.class == gen.RetryNever && !r.state.repeatable:
		return false
	case err != nil:
		return !sentUnanswered(err) || r.state.harmless()
	case limited(resp), brokeOff(resp):
		return true
	}
	return resp.StatusCode >= 500 && !permanent(resp) && (r.state.harmless() || r.class == gen.RetryAnswered)
}

func limited(resp *http.Response) bool {
	return resp != nil && resp.StatusCode == http.StatusTooManyRequests
}

// permanent reports whether an answer says that no retry will help, whatever its status.
func permanent(resp *http.Response) bool {
	body, ok := resp.Body.(*heldBody)
	return ok && gen.PermanentFailure(string(body.content))
}

// rewind returns req with its body fresh.
func rewind(req *http.Request) (*http.Request, error) {
	if req.Body == nil || req.Body == http.NoBody {
		return req, nil
	}
	if req.GetBody == nil {
		return nil, fmt.Errorf("the body of %s cannot be sent again", req.Method)
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, err
	}
	req = req.Clone(req.Context())
	req.Body = body
	return req, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
