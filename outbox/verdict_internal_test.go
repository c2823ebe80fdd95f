package outbox

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	bento "example.com/bento-go/wrapper"
)

// What the client says of a group, and what becomes of an entry in it, by its policy.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	doubt := func(kind error) error { return fmt.Errorf("%w: %w", kind, bento.ErrOutcomeUnknown) }
	odd := errors.New("the answer counts fewer")
	for name, tc := range map[string]struct {
		problem     bento.Problem
		least, most State
		pauses      bool
	}{
		"counted as accepted":           {bento.Problem{Accepted: 1}, Accepted, Accepted, false},
		"a bad request":                 {bento.Problem{Failed: 1, Err: bento.ErrBadRequest}, Failed, Failed, false},
		"unprocessable":                 {bento.Problem{Failed: 1, Err: bento.ErrUnprocessable}, Failed, Failed, false},
		"counted as failed":             {bento.Problem{Failed: 1, Err: odd}, Failed, Failed, false},
		"rate limited":                  {bento.Problem{Failed: 1, Err: bento.ErrRateLimited}, Queued, Queued, false},
		"held back by the pace":         {bento.Problem{NotSent: 1, Err: bento.ErrPaced}, Queued, Queued, false},
		"no connection":                 {bento.Problem{NotSent: 1, Err: bento.ErrNetwork}, Queued, Queued, false},
		"wrong keys":                    {bento.Problem{Failed: 1, Err: bento.ErrUnauthorized}, Queued, Queued, true},
		"a blocked account":             {bento.Problem{Failed: 1, Err: bento.ErrForbidden}, Queued, Queued, true},
		"a redirect":                    {bento.Problem{Failed: 1, Err: bento.ErrRedirected}, Queued, Queued, true},
		"a server error, harmless":      {bento.Problem{Failed: 1, Err: bento.ErrServer}, Queued, Queued, false},
		"a server error, in doubt":      {bento.Problem{Unknown: 1, Err: doubt(bento.ErrServer)}, Queued, Parked, false},
		"no answer":                     {bento.Problem{Unknown: 1, Err: doubt(bento.ErrTimeout)}, Queued, Parked, false},
		"an answer that counts too few": {bento.Problem{Unknown: 1, Err: odd}, Accepted, Parked, false},
		"some of a batch refused":       {bento.Problem{Accepted: 3, Failed: 1, Err: odd}, Accepted, Accepted, false},
	} {
		for policy, want := range map[Policy]State{AtLeastOnce: tc.least, AtMostOnce: tc.most} {
			result := &bento.Result{Problems: []bento.Problem{tc.problem}}
			all, paused := verdicts([]Entry{{ID: 7, Policy: policy, Attempts: 1}}, result, tc.problem.Err, now)
			assert.Equal(t, want, all[0].State, "%s, %s", name, policy)
			assert.Equal(t, want == Queued, all[0].NotBefore.After(now), name)
			assert.Equal(t, tc.pauses, paused != "", name)
		}
	}
	all, _ := verdicts([]Entry{{Policy: AtMostOnce}}, &bento.Result{NotSent: 1}, bento.ErrInvalid, now)
	assert.Equal(t, Queued, all[0].State, "an error that names no record is no success")
}

func TestTheWaitGrowsAndIsBounded(t *testing.T) {
	t.Parallel()
	for attempts := range 100 {
		wait := backoff(attempts)
		assert.GreaterOrEqual(t, wait, minBackoff/2)
		assert.LessOrEqual(t, wait, maxBackoff+minBackoff/2)
		if attempts <= 2 {
			assert.LessOrEqual(t, wait, 2*minBackoff+minBackoff/2)
		}
	}
}
