package bento

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"example.com/bento-go/gen"
)

// RetryPolicy says how often and how patiently the client repeats what may be repeated. What
// may be is the contract's word, by operation (x-bento-retry): reads and imports also when no
// answer came, events after 429 and 5xx, emails never.
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
		return fmt.Errorf("RetryPolicy has a negative duration: want a positive one, or 0 for the default")
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
// up early, with the last answer, when the next wait would outlive the request's deadline.
func NewRetryTransport(next http.RoundTripper, p RetryPolicy) http.RoundTripper {
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
}

func (t *retryTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	state := callStateOf(req.Context())
	may := t.mayRepeat(req, state)
	for n := 1; ; n++ {
		state.attempts = n
		resp, err := t.next.RoundTrip(req)
		state.answered = state.answered || err == nil
		state.lost = state.lost || err != nil && sentUnanswered(err)
		if n == t.policy.MaxAttempts || req.Context().Err() != nil || !may(resp, err) {
			return resp, err
		}
		wait, ok := t.wait(req, resp, n)
		if !ok {
			return resp, err
		}
		next, rewound := rewind(req)
		if rewound != nil {
			return resp, err // one answer is better than none
		}
		discard(resp)
		if ended := sleep(req.Context(), wait); ended != nil {
			return nil, &attemptError{cause: ended}
		}
		req = next
	}
}

// mayRepeat returns the judge of this request's attempts.
func (t *retryTransport) mayRepeat(req *http.Request, state *callState) func(*http.Response, error) bool {
	class := gen.RetryNever // an operation that the contract does not know
	if op, ok := gen.MatchOperation(req.Method, req.URL.Path); ok {
		class = op.Retry
		if op.ID == gen.OpSendEmails && t.policy.RejectedEmails {
			class = gen.RetryRejected
		}
	}
	return func(resp *http.Response, err error) bool {
		if err != nil {
			notSent := !sentUnanswered(err)
			return !isFinal(err) && class != gen.RetryNever && (notSent || class == gen.RetrySafe || class == gen.RetryAnswered && state.keyed)
		}
		switch {
		case resp.StatusCode == http.StatusTooManyRequests:
			return class != gen.RetryNever
		case resp.StatusCode >= 500:
			return class == gen.RetrySafe || class == gen.RetryAnswered
		}
		return false
	}
}

// wait returns how long to wait after the n-th attempt, and false if that is too long.
func (t *retryTransport) wait(req *http.Request, resp *http.Response, n int) (time.Duration, bool) {
	wait := t.policy.backoff(n)
	if resp != nil {
		asked := retryAfter(resp.Header, time.Now())
		if asked > t.policy.MaxWait {
			return 0, false
		}
		wait = max(wait, asked)
	}
	deadline, bounded := req.Context().Deadline()
	return wait, !bounded || time.Until(deadline) > wait
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

// discard reads what little an error answer holds, so that its connection can be used again.
func discard(resp *http.Response) {
	if resp == nil {
		return
	}
	_, _ = io.CopyN(io.Discard, resp.Body, maxErrorBody)
	_ = resp.Body.Close()
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
