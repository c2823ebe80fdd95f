// Command mutate tries the tests of a package: it makes small changes to the package, one at a
// time, and runs the tests that reach each. A mutant that no test notices survives: a test is
// missing, or the code says more than it needs, or the change is none; docs/mutation.md explains
// those that may survive.
//
// All mutants are compiled into one binary, behind a switch, so that each costs a run and no
// build. Only the package's own tests count.
//
// Exit codes: 0 every mutant is killed or explained · 1 some survive, or an explanation is stale ·
// 2 the mutants could not be made.
//
// Usage: go run ./internal/mutate [-only RE] [-within TIME] [-list] PACKAGE...
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"time"
)

type settings struct {
	only     *regexp.Regexp
	document string
	workers  int
	within   time.Duration
	patience time.Duration // with a mutant that does not end
	list     bool
	killed   bool
	out, log io.Writer
}

func main() {
	only := flag.String("only", ".", "only the mutants whose `key` (file, function, change) matches")
	s := settings{patience: 10 * time.Second, out: os.Stdout, log: os.Stderr}
	flag.StringVar(&s.document, "explained", "docs/mutation.md", "the `document` that explains survivors")
	flag.IntVar(&s.workers, "workers", runtime.NumCPU(), "how many mutants are tried at a time")
	flag.DurationVar(&s.within, "within", time.Hour, "leave out the tests that alone take longer than this `time`")
	flag.BoolVar(&s.list, "list", false, "print the mutants, and run nothing")
	flag.BoolVar(&s.killed, "killed", false, "print also what killed each mutant")
	flag.Parse()
	var err error
	if s.only, err = regexp.Compile(*only); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	clean := true
	for _, pattern := range flag.Args() {
		ok, err := s.try(ctx, pattern)
		if err != nil {
			stop()
			fmt.Fprintln(os.Stderr, "mutate:", err)
			os.Exit(2)
		}
		clean = clean && ok
	}
	stop()
	if !clean {
		os.Exit(1)
	}
}

// try tries the mutants of a package, and reports whether each was killed or is explained.
func (s settings) try(ctx context.Context, pattern string) (bool, error) {
	src, err := load(ctx, pattern)
	if err != nil {
		return false, err
	}
	p := planned(src)
	if s.list {
		for _, m := range p.mutants {
			fmt.Fprintf(s.out, "%s:%d: %s: %s\n", m.file, m.line, m.function, m.change)
		}
		return true, nil
	}
	work, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return false, err
	}
	defer func() { _ = os.RemoveAll(work) }()
	b := bench{within: s.within, patience: s.patience, dir: p.dir, work: work, took: map[string]time.Duration{}, reached: map[int][]string{}}
	if b.binary, err = p.build(ctx, work); err != nil {
		return false, err
	}
	if err := b.reach(ctx, s.workers); err != nil {
		return false, err
	}
	verdicts := s.run(ctx, p, &b)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	return s.report(p, &b, verdicts)
}
