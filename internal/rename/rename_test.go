package main

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
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

// A host that sorts after those of the dependencies, so that imports change their order too;
// in two parts, or moving back from there would change this line too.
const elsewhere = "zone.example" + "/acme/bento-go"

func command(t *testing.T, dir, name string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS="+os.Getenv("GOFLAGS")+" -trimpath") // what another copy has built need not be built again
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// tree reads every file below root, by name.
func tree(t *testing.T, root string) map[string]string {
	t.Helper()
	files := map[string]string{}
	require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		name, _ := filepath.Rel(root, path)
		files[name] = string(content)
		return err
	}))
	return files
}

// The whole tree has another path: nothing names the old one, all of it builds, and what is
// generated is what the contract makes of it there. Moved back, it is what it was, to the byte.
func TestTheModuleMovesAndBack(t *testing.T) {
	t.Parallel()
	program := needed.Program(t, "make")
	from, err := modulePath(t.Context(), "../..")
	require.NoError(t, err)
	copied := treecopy.To(t, "../..")
	original := tree(t, copied)
	out, err := command(t, copied, program, "rename", "MODULE="+elsewhere)
	require.NoError(t, err, out)
	assert.Contains(t, out, from+" is "+elsewhere+" now")

	for name, content := range tree(t, copied) {
		assert.NotContains(t, content, from, name)
	}
	for dir, want := range map[string]string{"": elsewhere, "examples/otel": elsewhere + "/examples/otel", "checks/sarif": elsewhere + "/checks/sarif"} {
		path, err := modulePath(t.Context(), filepath.Join(copied, dir))
		require.NoError(t, err)
		assert.Equal(t, want, path)
		out, err = command(t, filepath.Join(copied, dir), "go", "mod", "edit", "-print")
		require.NoError(t, err)
		assert.Equal(t, dir != "", strings.Contains(out, "replace "+elsewhere+" => ../.."), dir)
		mod, err := os.ReadFile(filepath.Join(copied, dir, "go.mod"))
		require.NoError(t, err)
		assert.Equal(t, out, string(mod), "as go mod tidy has it")
	}
	out, err = command(t, copied, "gofmt", "-l", ".")
	require.NoError(t, err)
	assert.Empty(t, out, "gofmt these files")
	out, err = command(t, copied, "go", "vet", "./...") // builds all of it, tests too
	require.NoError(t, err, out)
	moved := tree(t, filepath.Join(copied, "gen"))
	out, err = command(t, copied, "go", "generate", ".")
	require.NoError(t, err, out)
	assert.Equal(t, moved, tree(t, filepath.Join(copied, "gen")))

	out, err = command(t, copied, program, "rename", "MODULE="+from)
	require.NoError(t, err, out)
	back := tree(t, copied)
	changed := map[string]string{} // small, so that a failure can be read
	for name, content := range original {
		if back[name] != content {
			changed[name] = back[name]
		}
	}
	assert.Empty(t, changed)
	assert.Len(t, back, len(original))
}

// The file that says what the module is called changes last, so that whoever is interrupted begins again.
func TestTheNameOfTheModuleChangesLast(t *testing.T) {
	t.Parallel()
	changed := map[string][]byte{"x/a.go": nil, "x/go.mod": nil, "x/z/go.mod": nil, "x/z.go": nil}
	assert.Equal(t, []string{"x/a.go", "x/z.go", "x/z/go.mod", "x/go.mod"}, order(changed, "x/go.mod"))
	assert.Equal(t, []string{"x/a.go"}, order(map[string][]byte{"x/a.go": nil}, "x/go.mod"))
}

// small is a module of a few files.
func small(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		require.NoError(t, os.MkdirAll(filepath.Join(root, filepath.Dir(name)), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte(content), 0o600))
	}
	return root
}

func TestOnlyTheNameOfTheModuleChanges(t *testing.T) {
	t.Parallel()
	kept := "a.example/old-tools a.example/old.git www.a.example/old a.example/older x-a.example/old a.example/old_x"
	root := small(t, map[string]string{
		"go.mod":    "module a.example/old\n",
		"README.md": "a.example/old. a.example/old@v1 -replace=a.example/old=../old https://a.example/old/x\n" + kept,
		"a.go":      "package a\n\nimport (\n\t_ \"a.example/old/x\"\n\t_ \"b.example/between\"\n)\n",
		"binary":    "\x00a.example/old",
		".git":      "gitdir: a.example/old",
	})
	require.NoError(t, run(t.Context(), root, []string{"b.example/new"}))
	files := tree(t, root)
	assert.Equal(t, "module b.example/new\n", files["go.mod"])
	assert.Equal(t, "b.example/new. b.example/new@v1 -replace=b.example/new=../old https://b.example/new/x\n"+kept, files["README.md"])
	assert.Equal(t, "package a\n\nimport (\n\t_ \"b.example/between\"\n\t_ \"b.example/new/x\"\n)\n", files["a.go"], "imports are sorted")
	assert.Equal(t, "\x00a.example/old", files["binary"])
	assert.Equal(t, "gitdir: a.example/old", files[".git"])
}

func TestAPathThatIsNoneChangesNothing(t *testing.T) {
	t.Parallel()
	root := small(t, map[string]string{"go.mod": "module a.example/old\n", "a.go": "package old // a.example/old\n", "broken/x.go": "package // a.example/old"})
	before := tree(t, root)
	for path, want := range map[string]string{
		"":                  "name the new path",
		"nohost/acme":       "no host in front",
		"b.example/a b":     "invalid char",
		"b.example/../a":    "invalid path element",
		"https://b.example": "no host in front",
		"b.example/a/v2":    "names a major version",
		"b.example/new":     "expected 'IDENT'", // a file that cannot be read stops it before the first is written
	} {
		err := run(t.Context(), root, []string{path})
		require.ErrorContains(t, err, want, path)
		assert.Regexp(t, `\A[^\n]+\z`, err.Error())
		assert.Equal(t, before, tree(t, root), path)
	}
	require.ErrorContains(t, run(t.Context(), root, nil), "name the new path")
	assert.False(t, bytes.Contains([]byte(before["go.mod"]), []byte("b.example")))
}
