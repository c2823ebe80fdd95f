package main

import (
	"context"
	"fmt"
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
	tried, known, open := 0, 0, 0
	stale := map[string]bool{}
	for key := range explained {
		stale[key] = s.only.MatchString(key)
	}
	for id, v := range verdicts {
		m := p.mutants[id]
		if !v.tried {
			continue
		}
		tried++
		switch {
		case v.killer != "":
			if s.killed {
				fmt.Fprintf(s.out, "%s:%d: killed by %s: %s\n", m.file, m.line, v.killer, m.change)
			}
			continue
		case explained[m.key()]:
			known++
			delete(stale, m.key())
			continue
		}
		open++
		reached := ""
		if len(b.reached[id]) == 0 {
			reached = " (no test reaches it)"
		}
		fmt.Fprintf(s.out, "%s:%d: survives%s\n  %s\n", m.file, m.line, reached, asRow(m))
	}
	old := 0
	for key, is := range stale {
		if is {
			old++
			fmt.Fprintf(s.out, "%s explains a mutant that does not survive: %s\n", s.document, key)
		}
	}
	fmt.Fprintf(s.out, "%s: %d mutants, %d killed, %d survive and are explained, %d survive\n", p.path, tried, tried-known-open, known, open)
	return open+old == 0, nil
}
