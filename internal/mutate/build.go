package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

//go:embed switch.go.txt
var switchSource string

// build compiles the package's tests with every mutant in it, as an overlay: the tree itself is
// not touched. Mutants that the compiler refuses are dropped.
func (p *plan) build(ctx context.Context, work string) (binary string, err error) {
	binary = filepath.Join(work, "tests")
	for range 10 {
		overlay, err := p.overlay(work)
		if err != nil {
			return "", err
		}
		out, failed := exec.CommandContext(ctx, "go", "test", "-c", "-gcflags=-e", "-overlay", overlay, "-o", binary, p.path).CombinedOutput()
		if failed == nil {
			return binary, nil
		}
		if !p.drop(string(out)) {
			return "", fmt.Errorf("go test -c: %w\n%s", failed, out)
		}
	}
	return "", fmt.Errorf("the mutants of %s do not compile", p.path)
}

func (p *plan) overlay(work string) (string, error) {
	replace := map[string]string{}
	write := func(file, content string) error {
		replace[file] = filepath.Join(work, filepath.Base(file)) // by which the compiler complains
		return os.WriteFile(replace[file], []byte(content), 0o600)
	}
	for file, edits := range p.edits {
		if err := write(file, apply(p.content[file], slices.Clone(edits))); err != nil {
			return "", err
		}
	}
	if err := write(filepath.Join(p.dir, "mutant_switch.go"), strings.Replace(switchSource, "PACKAGE", p.name, 1)); err != nil {
		return "", err
	}
	encoded, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(work, "overlay.json")
	return overlay, os.WriteFile(overlay, encoded, 0o600)
}

var compilerError = regexp.MustCompile(`(?m)^(\S+\.go):(\d+):\d+: `)

// drop takes out the mutants on the lines that the compiler complains of.
func (p *plan) drop(output string) bool {
	dropped := false
	for _, m := range compilerError.FindAllStringSubmatch(output, -1) {
		line, _ := strconv.Atoi(m[2])
		for file, edits := range p.edits {
			if filepath.Base(file) != filepath.Base(m[1]) {
				continue
			}
			p.edits[file] = slices.DeleteFunc(edits, func(e edit) bool {
				if len(e.mutants) == 0 || p.lineOf(file, e.from) != line && p.lineOf(file, e.to) != line {
					return false
				}
				for _, id := range e.mutants {
					p.mutants[id].refused = true
				}
				dropped = true
				return true
			})
		}
	}
	return dropped
}

func (p *plan) lineOf(file string, offset int) int {
	return 1 + strings.Count(string(p.content[file][:offset]), "\n")
}
