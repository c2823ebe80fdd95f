package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// A verdict is what became of a mutant.
type verdict struct {
	killer string // a test, (time), (crash), or "" for a survivor
	tried  bool
}

// run tries the mutants and logs how far it is.
func (s settings) run(ctx context.Context, p *plan, b *bench) []verdict {
	var ids []int
	for id, m := range p.mutants {
		if !m.refused && s.only.MatchString(m.key()) {
			ids = append(ids, id)
		}
	}
	verdicts := make([]verdict, len(p.mutants))
	var mu sync.Mutex
	done, alive, told := 0, 0, time.Now()
	each(s.workers, ids, func(id int) {
		killer := b.kill(ctx, id)
		mu.Lock()
		defer mu.Unlock()
		verdicts[id] = verdict{killer, true}
		done++
		if killer == "" {
			alive++
			fmt.Fprintf(s.log, "%s:%d: %s: %s\n", p.mutants[id].file, p.mutants[id].line, p.mutants[id].function, p.mutants[id].change)
		}
		if time.Since(told) > 5*time.Second || done == len(ids) {
			told = time.Now()
			fmt.Fprintf(s.log, "%s: %d of %d mutants tried, %d survive\n", p.path, done, len(ids), alive)
		}
	})
	return verdicts
}

// report prints the survivors and the figures, and returns whether all is killed or explained.
func (s settings) report(p *plan, b *bench, verdicts []verdict) (bool, error) {
	explained, err := explanations(s.document, p.path)
	if err != nil {
		return false, err
	}
	killed, known, open := 0, 0, 0
	gone := map[string]string{} // what is explained and does not survive, and why
	for key := range explained {
		if s.only.MatchString(key) {
			gone[key] = "there is no such mutant"
		}
	}
	for id, v := range verdicts {
		m := p.mutants[id]
		switch {
		case !v.tried:
		case v.killer != "":
			killed++
			if explained[m.key()] {
				gone[m.key()] = v.killer + " kills it"
			}
			if s.killed {
				fmt.Fprintf(s.out, "%s:%d: killed by %s: %s\n", m.file, m.line, v.killer, m.change)
			}
		case explained[m.key()]:
			known++
			delete(gone, m.key())
		default:
			open++
			fmt.Fprintf(s.out, "%s:%d: survives %d tests\n  %s\n", m.file, m.line, len(b.reached[id]), asRow(m))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(gone)) {
		fmt.Fprintf(s.out, "%s explains a mutant that does not survive: %s (%s)\n", s.document, key, gone[key])
	}
	fmt.Fprintf(s.out, "%s: %d mutants, %d killed, %d survive and are explained, %d survive\n", p.path, killed+known+open, killed, known, open)
	return open+len(gone) == 0, nil
}
