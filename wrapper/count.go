package bento

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"example.com/bento-go/gen"
)

// maxNamed bounds the records that one answer names as refused; Bento names 20.
const maxNamed = 20

// tally turns what Bento says of a batch into problems: first that of the batch, whose Err is nil if
// there is none, then one for each record that is named as refused, at its position in the batch.
func (c *Client) tally(answer gen.BatchResult, n int) []Problem {
	single := c.named(answer, n)
	failed := 0
	if answer.Failed != nil {
		failed = *answer.Failed
	}
	if failed > 0 {
		failed = max(failed-len(single), 0)
	}
	whole := count(answer.Results, failed, n-len(single))
	if whole.Failed > 0 && len(single) > 0 {
		whole.Err = fmt.Errorf("Bento refused %d more, and does not say which", whole.Failed)
	}
	whole.Last = n - 1
	return append([]Problem{whole}, single...)
}

// named are the records that an answer names as refused.
func (c *Client) named(answer gen.BatchResult, n int) []Problem {
	var single []Problem
	for _, e := range answer.Errors {
		twice := slices.ContainsFunc(single, func(p Problem) bool { return p.First == e.Index })
		if e.Index < 0 || e.Index >= n || twice || len(single) == maxNamed { // one that was never sent is none
			continue
		}
		why := firstNonEmpty(oneLine(c.scrub.text(e.Error)), "Bento does not say why")
		single = append(single, Problem{First: e.Index, Last: e.Index, Failed: 1, Counted: true, Err: errors.New(why)})
	}
	return single
}

// refusal turns an error into problems as tally does. If Bento says that it refuses all n records, as it
// does of events, those that it names have an error of their own, which says what is wrong with them.
func (c *Client) refusal(err error, n int) (problems []Problem, stop error) {
	whole, stop := classify(err, n)
	whole.Last = n - 1
	var e *Error
	var answer gen.BatchResult
	if errors.As(err, &e) {
		_ = json.Unmarshal(e.Body, &answer) // what is none counts nothing
	}
	if answer.Failed == nil || *answer.Failed != n || stop != nil {
		return []Problem{whole}, stop
	}
	whole.Counted = true
	single := c.named(answer, n)
	of := func(message string) *Error {
		part := *e
		part.Message, part.Fields = message, nil
		return &part
	}
	for i, p := range single {
		single[i].Err = of(p.Err.Error())
	}
	switch whole.Failed -= len(single); {
	case whole.Failed == 0:
		whole.Err = nil
	case len(single) > 0:
		whole.Err = of(e.Message)
	}
	return append([]Problem{whole}, single...), nil
}

// count turns Bento's counts into ours. What they leave out is unknown, and all of it if they
// contradict themselves: no answer says which records it took.
func count(results, failed, n int) Problem {
	if results < 0 || failed < 0 || failed > n-results {
		return Problem{Unknown: n, Err: errContradiction}
	}
	p := Problem{Accepted: results, Failed: failed, Unknown: n - results - failed, Counted: true}
	switch {
	case p.Unknown > 0:
		p.Err = errShortCount
	case p.Failed > 0:
		p.Err = fmt.Errorf("Bento accepted the batch but refused %d of its %d records, and does not say which: check their addresses and types", p.Failed, n)
	}
	return p
}
