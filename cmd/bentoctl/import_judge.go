package main

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"example.com/bento-go/conformance"
	"example.com/bento-go/gen"
)

// A contractJudge asks the contract about records. It reads the contract when it is first asked: a
// file of columns needs no judge.
type contractJudge struct {
	checker *conformance.Checker
	body    []byte
}

// maxRounds is how often a batch is judged whole.
const maxRounds = 4

// judge returns what the contract says against records of a batch, by their positions.
func (c *contractJudge) judge(operation string, records []json.RawMessage) (wrong map[int]string, err error) {
	if c.checker == nil {
		if c.checker, err = conformance.New(); err != nil {
			return nil, err
		}
	}
	wrong = map[int]string{}
	left, places := records, make([]int, len(records))
	for at := range places {
		places[at] = at
	}
	for rounds := 0; ; rounds++ { // what is said of one body has an end, and the rest may be wrong, too
		found, whole := c.ask(operation, left)
		if whole != "" || rounds == maxRounds { // one of them spoils the others: is no JSON, say
			for i := range left {
				of, alone := c.ask(operation, left[i:i+1])
				if reason := cmp.Or(alone, of[0]); reason != "" {
					wrong[places[i]] = reason
				}
			}
			return wrong, nil
		}
		if len(found) == 0 {
			return wrong, nil
		}
		var good []json.RawMessage
		var of []int
		for i, record := range left {
			if reason, isWrong := found[i]; isWrong {
				wrong[places[i]] = reason
				continue
			}
			good, of = append(good, record), append(of, places[i])
		}
		if left, places = good, of; len(left) == 0 {
			return wrong, nil
		}
	}
}

// ask judges a body of records. whole is what is wrong with it but with no record of it.
func (c *contractJudge) ask(operation string, records []json.RawMessage) (wrong map[int]string, whole string) {
	op, _ := gen.OperationByID(operation)
	c.body = append(append(append(c.body[:0], `{"`...), op.BatchKey...), `":[`...)
	for i, record := range records {
		if i > 0 {
			c.body = append(c.body, ',')
		}
		c.body = append(c.body, record...)
	}
	c.body = append(c.body, "]}"...)
	_, findings := c.checker.CheckRequest(&conformance.Request{
		Method: op.Method, URL: gen.ServerURL + op.Path, Header: http.Header{"Content-Type": {"application/json"}}, Body: c.body,
	})
	wrong = map[int]string{}
	for _, f := range findings {
		if f.Severity != conformance.SeverityError || !strings.HasPrefix(f.Rule, "request.body") {
			continue // credentials and the like are not here
		}
		rest, _ := strings.CutPrefix(f.Pointer, "/"+op.BatchKey+"/")
		place, member, _ := strings.Cut(rest, "/")
		at, err := strconv.Atoi(place)
		if err != nil || at >= len(records) {
			whole = f.Message
		} else if wrong[at] == "" {
			wrong[at] = strings.TrimSpace(strings.ReplaceAll(member, "/", ".") + " " + f.Message)
		}
	}
	return wrong, whole
}
