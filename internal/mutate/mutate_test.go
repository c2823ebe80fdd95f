package main

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// All that is wrong with the tests of tiny is found, and nothing else.
func TestMutantsSurviveWhereNoTestLooks(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	s := settings{only: regexp.MustCompile("."), document: "testdata/explained.md", workers: 2, within: time.Minute, patience: 3 * time.Second, out: &out, log: &strings.Builder{}}
	clean, err := s.try(t.Context(), "./testdata/tiny")
	require.NoError(t, err)
	assert.False(t, clean)
	found := regexp.MustCompile(`(?m)^  \| tiny.go \| (.*) \| \? \|$`).FindAllStringSubmatch(out.String(), -1)
	var survivors []string
	for _, m := range found {
		survivors = append(survivors, m[1])
	}
	assert.ElementsMatch(t, []string{
		"`Halves` | `left > right: >=`",
		"`Halves` | `left > right: negated`",
		"`Halves` | `removed: left, right = right, left`",
		"`Untested` | `ok \\|\\| limit == 10: without the right side`",
		"`Untested` | `limit == 10: negated`",
	}, survivors, out.String())
	assert.Contains(t, out.String(), "survives 0 tests")
	assert.Contains(t, out.String(), "explains a mutant that does not survive: tiny.go Tested gone (there is no such mutant)")
}

func TestAPackageWhoseSurvivorsAreExplainedIsClean(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	s := settings{only: regexp.MustCompile("Untested ok.*left"), document: "testdata/explained.md", workers: 1, within: time.Minute, patience: 3 * time.Second, out: &out, log: &strings.Builder{}}
	clean, err := s.try(t.Context(), "./testdata/tiny")
	require.NoError(t, err)
	assert.True(t, clean, out.String())
	assert.Contains(t, out.String(), "1 mutants, 0 killed, 1 survive and are explained, 0 survive")
}

func TestTestsThatFailWithoutAMutantProveNothing(t *testing.T) {
	t.Parallel()
	s := settings{only: regexp.MustCompile("."), workers: 1, out: &strings.Builder{}, log: &strings.Builder{}}
	_, err := s.try(t.Context(), "./testdata/red")
	require.ErrorContains(t, err, "TestRed fails without a mutant")
	_, err = s.try(t.Context(), "./testdata/none")
	require.Error(t, err)
}

func TestARowIsReadAsItIsWritten(t *testing.T) {
	t.Parallel()
	for _, change := range []string{"a || b: without the left side", "`raw|`: negated", "n < 1: <="} {
		m := mutant{file: "a.go", function: "T.F", change: change}
		assert.Equal(t, []string{"a.go", "T.F", change, "?"}, row(asRow(m)))
	}
	assert.Nil(t, row("## a heading"))
}

// Edits that begin or end at the same place stay one within the other.
func TestEditsNest(t *testing.T) {
	t.Parallel()
	content := []byte("a+b+c")
	edits := []edit{
		{from: 0, to: 5, before: "f(", after: ")"}, {from: 3, to: 4, before: ",", replaces: true},
		{from: 0, to: 3, before: "g(", after: ")"}, {from: 1, to: 2, before: ",", replaces: true},
		{from: 0, to: 1, before: "(", after: ")"}, {from: 4, to: 5, before: "<", after: ">"},
	}
	assert.Equal(t, "f(g((a),b),<c>)", apply(content, edits))
}
