package main

import (
	"fmt"

	"example.com/bento-go/cmd/bentoctl/internal/intake"
	bento "example.com/bento-go/wrapper"
)

// An importTally counts what became of the rows of a file.
type importTally struct {
	Read     int                     `json:"read"`
	Accepted int                     `json:"accepted"`
	Queued   int                     `json:"queued,omitempty"`   // kept in an outbox
	Withheld map[intake.Standing]int `json:"withheld,omitempty"` // not to be written to, by standing
	LeftOut  int                     `json:"left_out,omitempty"` // wrong, and not sent
	Failed   int                     `json:"failed,omitempty"`   // refused by Bento
	Unknown  int                     `json:"unknown,omitempty"`  // sent, and nobody knows
	Told     []string                `json:"problems,omitempty"` // at most maxProblems, in words
}

const maxProblems = 20

func (t *importTally) tell(format string, args ...any) {
	if len(t.Told) < maxProblems {
		t.Told = append(t.Told, fmt.Sprintf(format, args...))
	}
}

// count takes in what became of records that stand at lines.
func (t *importTally) count(result *bento.Result, lines []int) {
	t.Accepted += result.Accepted
	t.Failed += result.Failed
	t.Unknown += result.Unknown
	for _, p := range result.Problems {
		if p.First == p.Last {
			t.tell("line %d: %v", lines[p.First], p.Err)
		} else {
			t.tell("lines %d to %d: %v", lines[p.First], lines[p.Last], p.Err)
		}
	}
}

func (t *importTally) add(other importTally) {
	t.Read += other.Read
	t.Accepted += other.Accepted
	t.Queued += other.Queued
	t.LeftOut += other.LeftOut
	t.Failed += other.Failed
	t.Unknown += other.Unknown
	for standing, n := range other.Withheld {
		if t.Withheld == nil {
			t.Withheld = map[intake.Standing]int{}
		}
		t.Withheld[standing] += n
	}
	t.Told = append(t.Told, other.Told[:min(len(other.Told), maxProblems-len(t.Told))]...)
}

func (t *importTally) withheld() int {
	n := 0
	for _, of := range t.Withheld {
		n += of
	}
	return n
}
