package contract_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/internal/needed"
	"example.com/bento-go/internal/scratch"
	"example.com/bento-go/internal/treecopy"
)

func TestMain(m *testing.M) {
	defer scratch.Begin()()
	m.Run()
}

// A step is what CONTRIBUTING.md asks of its reader: a text for a file, or commands.
type step struct{ file, before, text, commands string }

// stepsOf reads the steps out of sentences such as "In `FILE`, before `LINE`:" and the block that
// follows each, and out of blocks of commands.
func stepsOf(t *testing.T, document string) (steps []step) {
	t.Helper()
	block := regexp.MustCompile("(?s)(In\\s`([^`]+)`,\\s(?:before\\s`([^`]+)`|at the end):\n\n)?```(\\w+)\n(.*?)```")
	for _, m := range block.FindAllStringSubmatch(document, -1) {
		if m[4] == "sh" {
			steps = append(steps, step{commands: m[5]})
			continue
		}
		require.NotEmpty(t, m[1], "no sentence says where this goes:\n%s", m[5])
		steps = append(steps, step{file: m[2], before: m[3], text: m[5]})
	}
	require.Equal(t, strings.Count(document, "```"), 2*len(steps), "a block that is no step")
	return steps
}

// apply puts the step's text where its sentence says.
func (s step) apply(t *testing.T, root string) {
	t.Helper()
	path := filepath.Join(root, filepath.FromSlash(s.file))
	was := read(t, path)
	is := was + "\n" + s.text
	if s.before != "" {
		lines := strings.SplitAfter(was, "\n")
		at := slices.IndexFunc(lines, func(line string) bool { return strings.TrimSpace(line) == s.before })
		require.GreaterOrEqual(t, at, 0, "%s has no line %q", s.file, s.before)
		is = strings.Join(slices.Insert(lines, at, s.text), "")
	}
	require.NoError(t, os.WriteFile(path, []byte(is), 0o600))
}

// Who does what CONTRIBUTING.md says, step by step, has an operation that a client can call.
func TestAnOperationIsAddedAsContributingSays(t *testing.T) {
	t.Parallel()
	shell := needed.Program(t, "bash")
	needed.Program(t, "make")
	_, walk, found := strings.Cut(read(t, "CONTRIBUTING.md"), "## An operation in ten minutes\n")
	require.True(t, found)
	copied := treecopy.To(t, ".")
	run := func(commands string) string {
		cmd := exec.CommandContext(t.Context(), shell, "-euc", commands)
		cmd.Dir = copied
		cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS="+os.Getenv("GOFLAGS")+" -trimpath") // what another copy has built need not be built again
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s\n%s", commands, out)
		return string(out)
	}
	said := ""
	for _, s := range stepsOf(t, walk) {
		if s.commands != "" {
			said = run(s.commands)
			continue
		}
		s.apply(t, copied)
	}
	assert.Equal(t, 3, strings.Count(said, "ok  \t"), said)
	assert.Contains(t, read(t, filepath.Join(copied, "gen", "OPERATIONS.md")), "| renameTag | PATCH /fetch/tags/{id}/name | fetch | safe |")
	assert.Empty(t, run("gofmt -l ."), "gofmt these files")
}
