package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A bench holds the compiled tests, and what each of them reaches.
type bench struct {
	binary, dir, work string
	within            time.Duration            // no test that takes longer is run
	patience          time.Duration            // beyond what the tests may take by what they took alone
	took              map[string]time.Duration // by test
	reached           map[int][]string         // by mutant, the quickest test first
}

const (
	memory = 6 << 20 // KiB of data: a mutant may fill it
	quick  = 200 * time.Millisecond
)

// reach runs each test alone, to learn which mutants it reaches and how long it takes.
func (b *bench) reach(ctx context.Context, workers int) error {
	listed, err := b.test(ctx, "-test.list", ".").Output()
	if err != nil {
		return fmt.Errorf("listing the tests: %w", err)
	}
	var tests []string
	for name := range strings.Lines(string(listed)) {
		if name = strings.TrimSpace(name); !strings.HasPrefix(name, "Benchmark") {
			tests = append(tests, name)
		}
	}
	var mu sync.Mutex
	var failed error
	reaches := map[string][]int{}
	each(workers, tests, func(name string) {
		began := time.Now()
		ids, err := b.reachOf(ctx, name)
		if err != nil { // on a busy machine once is no proof
			ids, err = b.reachOf(ctx, name)
		}
		mu.Lock()
		defer mu.Unlock()
		b.took[name], reaches[name] = time.Since(began), ids
		if failed == nil {
			failed = err
		}
	})
	if failed != nil {
		return failed
	}
	slices.SortFunc(tests, func(x, y string) int { return cmp.Compare(b.took[x], b.took[y]) })
	for _, name := range tests {
		if b.took[name] > b.within {
			continue
		}
		for _, id := range reaches[name] {
			b.reached[id] = append(b.reached[id], name)
		}
	}
	return nil
}

func (b *bench) reachOf(ctx context.Context, name string) ([]int, error) {
	file := filepath.Join(b.work, "reach-"+name)
	cmd := b.test(ctx, "-test.run", only(name))
	cmd.Env = append(os.Environ(), "MUTANT_REACH="+file)
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%s fails without a mutant: %w\n%s", name, err, out)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var ids []int
	for lines := bufio.NewScanner(bytes.NewReader(content)); lines.Scan(); {
		id, err := strconv.Atoi(lines.Text())
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil // a test may start the binary again
}

func only(names ...string) string { return "^(" + strings.Join(names, "|") + ")$" }

// test is the tests' binary with arguments, in its directory and under a limit of memory.
func (b *bench) test(ctx context.Context, args ...string) *exec.Cmd {
	limited := append([]string{"-c", `ulimit -d "$0"; exec "$@"`, strconv.Itoa(memory), b.binary}, args...)
	cmd := exec.CommandContext(ctx, "sh", limited...)
	cmd.Dir = b.dir
	cmd.WaitDelay = time.Second
	return cmd
}

// kill runs the tests that reach a mutant, the quick ones first, and returns what failed: a test,
// or "" if none did. A test has to fail twice: a busy machine fails one now and then.
func (b *bench) kill(ctx context.Context, id int) string {
	tests := b.reached[id]
	n := 0
	for n < len(tests) && b.took[tests[n]] < quick {
		n++
	}
	for _, names := range [][]string{tests[:n], tests[n:]} {
		killer := b.fails(ctx, id, names)
		if _, isTest := b.took[killer]; isTest && b.fails(ctx, id, []string{killer}) == "" {
			killer = b.fails(ctx, id, names)
		}
		if killer != "" {
			return killer
		}
	}
	return ""
}

var failedTest = regexp.MustCompile(`(?m)^--- FAIL: (\w+)`)

func (b *bench) fails(ctx context.Context, id int, tests []string) string {
	if len(tests) == 0 {
		return ""
	}
	limit := b.patience
	for _, name := range tests { // most of them run side by side, and much of it was starting up
		limit += b.took[name] / 4
	}
	limit += 3 * b.took[tests[len(tests)-1]]
	if ctx.Err() != nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := b.test(ctx, "-test.run", only(tests...), "-test.failfast", "-test.timeout", limit.String())
	cmd.Env = append(os.Environ(), "MUTANT="+strconv.Itoa(id))
	out, err := cmd.CombinedOutput()
	switch {
	case err == nil:
		return ""
	case ctx.Err() != nil || bytes.Contains(out, []byte("panic: test timed out")):
		return "(time)"
	}
	if m := failedTest.FindSubmatch(out); m != nil {
		return string(m[1])
	}
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) {
		panic(err) // the tests could not be started
	}
	return "(crash)"
}

// each calls f for every item, some at a time.
func each[T any](workers int, items []T, f func(T)) {
	queue := make(chan T)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for item := range queue {
				f(item)
			}
		})
	}
	for _, item := range items {
		queue <- item
	}
	close(queue)
	wg.Wait()
}
