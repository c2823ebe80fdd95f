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
		cause       Cause
	}{
		"counted as accepted":           {bento.Problem{Accepted: 1}, Accepted, Accepted, false, ""},
		"a bad request":                 {bento.Problem{Failed: 1, Err: bento.ErrBadRequest}, Failed, Failed, false, "bad_request"},
		"unprocessable":                 {bento.Problem{Failed: 1, Err: bento.ErrUnprocessable}, Failed, Failed, false, "unprocessable"},
		"counted as failed":             {bento.Problem{Failed: 1, Err: odd}, Failed, Failed, false, "counted"},
		"rate limited":                  {bento.Problem{Failed: 1, Err: bento.ErrRateLimited}, Queued, Queued, false, "rate_limited"},
		"held back by the pace":         {bento.Problem{NotSent: 1, Err: bento.ErrPaced}, Queued, Queued, false, "paced"},
		"no connection":                 {bento.Problem{NotSent: 1, Err: bento.ErrNetwork}, Queued, Queued, false, "network"},
		"wrong keys":                    {bento.Problem{Failed: 1, Err: bento.ErrUnauthorized}, Queued, Queued, true, "unauthorized"},
		"a blocked account":             {bento.Problem{Failed: 1, Err: bento.ErrForbidden}, Queued, Queued, true, "forbidden"},
		"a redirect":                    {bento.Problem{Failed: 1, Err: bento.ErrRedirected}, Queued, Queued, true, "redirected"},
		"a server error, harmless":      {bento.Problem{Failed: 1, Err: bento.ErrServer}, Queued, Queued, false, "server"},
		"a server error, in doubt":      {bento.Problem{Unknown: 1, Err: doubt(bento.ErrServer)}, Queued, Parked, false, "server"},
		"no answer":                     {bento.Problem{Unknown: 1, Err: doubt(bento.ErrTimeout)}, Queued, Parked, false, "timeout"},
		"an answer that counts too few": {bento.Problem{Unknown: 1, Err: odd}, Accepted, Parked, false, "counted"},
	} {
		for policy, want := range map[Policy]State{AtLeastOnce: tc.least, AtMostOnce: tc.most} {
			result := &bento.Result{Problems: []bento.Problem{tc.problem}}
			j := judge([]Entry{{ID: 7, Policy: policy, Attempts: 1}}, result, tc.problem.Err, now)
			v := j.verdicts[0]
			assert.Equal(t, want, v.State, "%s, %s", name, policy)
			assert.Equal(t, want == Queued, v.NotBefore.After(now), name)
			assert.Equal(t, tc.pauses, j.paused != "", name)
			assert.Equal(t, tc.cause, v.Cause, name)
			assert.Zero(t, j.together, name)
		}
	}
	j := judge([]Entry{{Policy: AtMostOnce}}, &bento.Result{NotSent: 1}, bento.ErrInvalid, now)
	assert.Equal(t, Queued, j.verdicts[0].State, "an error that names no record is no success")
}

// What Bento names as refused has failed, whatever is said of the rest.
func TestVerdictsOfWhatBentoNames(t *testing.T) {
	t.Parallel()
	named := bento.Problem{First: 3, Last: 3, Failed: 1, Err: errors.New("no such type")}
	for name, tc := range map[string]struct {
		problems []bento.Problem
		others   State
		lost     int
	}{
		"all of them":  {[]bento.Problem{named}, Accepted, 0},
		"some of them": {[]bento.Problem{{Last: 9, Accepted: 7, Failed: 2, Err: errors.New("2 more")}, named}, Accepted, 2},
	} {
		j := judge(make([]Entry, 10), &bento.Result{Problems: tc.problems}, errors.New("partly"), time.Now())
		for i, v := range j.verdicts {
			if i == named.First {
				assert.Equal(t, Verdict{State: Failed, Cause: causeCounted, Reason: "no such type"}, v, name)
				continue
			}
			assert.Equal(t, tc.others, v.State, name)
		}
		assert.Equal(t, tc.lost, j.lost, name)
	}
}

// Of several records of which Bento says only how many it took, those whose repeat is harmless are sent
// again in parts, an email would be in doubt, and of the others it is told how many.
func TestVerdictsOfAGroup(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	counted := errors.New("Bento accepted the batch but refused 2 of its 10 records")
	refusal := &bento.Error{StatusCode: 422}
	for name, tc := range map[string]struct {
		problem        bento.Problem
		entry          Entry
		want           State
		together, lost int
	}{
		"some refused, harmless":      {bento.Problem{Last: 9, Accepted: 8, Failed: 2, Err: counted}, Entry{Policy: AtLeastOnce, Harmless: true}, Queued, 10, 0},
		"some refused":                {bento.Problem{Last: 9, Accepted: 8, Failed: 2, Err: counted}, Entry{Policy: AtLeastOnce}, Accepted, 0, 2},
		"some refused, at most once":  {bento.Problem{Last: 9, Accepted: 8, Failed: 2, Err: counted}, Entry{Policy: AtMostOnce}, Parked, 0, 0},
		"too few counted, harmless":   {bento.Problem{Last: 9, Accepted: 8, Unknown: 2, Err: counted}, Entry{Policy: AtLeastOnce, Harmless: true}, Queued, 10, 0},
		"all refused, by count":       {bento.Problem{Last: 9, Failed: 10, Err: counted}, Entry{Policy: AtLeastOnce}, Failed, 0, 0},
		"refused, too many to find":   {bento.Problem{Last: 9, Failed: 10, Err: refusal}, Entry{Policy: AtLeastOnce}, Queued, 10, 0},
		"refused, each of them":       {bento.Problem{Last: 9, Failed: 10, Counted: true, Err: refusal}, Entry{Policy: AtLeastOnce}, Failed, 0, 0},
		"refused, and found":          {bento.Problem{Failed: 1, Err: refusal}, Entry{Policy: AtLeastOnce}, Failed, 0, 0},
		"all accepted":                {bento.Problem{Last: 9, Accepted: 10}, Entry{Policy: AtMostOnce}, Accepted, 0, 0},
		"none counted, at least once": {bento.Problem{Last: 9, Unknown: 10, Err: counted}, Entry{Policy: AtLeastOnce}, Accepted, 0, 10},
	} {
		batch := make([]Entry, tc.problem.Last+1)
		for i := range batch {
			batch[i] = tc.entry
		}
		j := judge(batch, &bento.Result{Problems: []bento.Problem{tc.problem}}, tc.problem.Err, now)
		for _, v := range j.verdicts {
			assert.Equal(t, tc.want, v.State, name)
		}
		assert.Equal(t, tc.together, j.together, name)
		assert.Equal(t, tc.lost, j.lost, name)
	}
}

// A portion halves until it is one record, and grows again when there is nothing to find.
func TestAPortionHalvesAndGrows(t *testing.T) {
	t.Parallel()
	var p portion
	batch := func(n, attempts int) []Entry {
		all := make([]Entry, n)
		all[0].Attempts = attempts
		return all
	}
	assert.Len(t, p.portionOf(batch(1000, 5)), 1000)
	p.learn(batch(1000, 1), false, 700)
	assert.Len(t, p.portionOf(batch(1000, 1)), 350)
	assert.Len(t, p.portionOf(batch(1000, 0)), 1000, "what is fresh goes whole")
	p.learn(batch(350, 2), false, 0)
	assert.Len(t, p.portionOf(batch(1000, 1)), 700)
	p.learn(batch(700, 2), false, 0)
	assert.Len(t, p.portionOf(batch(1000, 1)), 1000)
	for range 30 { // an outage: nobody else gets through
		assert.False(t, p.learn(batch(1000, 30), true, 0))
		p.others = false
	}
	for n := 500; n > 0; n /= 2 {
		p.others = true
		assert.False(t, p.learn(batch(2*n, suspected), true, 0))
		assert.Len(t, p.portionOf(batch(1000, suspected)), n)
	}
	p.others = true
	assert.True(t, p.learn(batch(1, condemned), true, 0))
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
