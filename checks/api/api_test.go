// Package api_test holds what users can name to what is written down beside it: a file for each
// importable package, a line for each fact. A line that goes breaks somebody; one that comes does
// not. `make api` writes the files anew, and their diff is what a review reads. Parameters have
// their names there, for two of one type that change places break programs that still compile.
//
// Names that are declared in generated files of package gen are left out: they follow from
// openapi.yaml, where scripts/contract-breaking compares them.
package api_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "accept the API as it is")

func TestTheExportedAPIChangesOnlyOnPurpose(t *testing.T) {
	t.Parallel()
	now := snapshots(t)
	if *update {
		for _, old := range files(t) {
			require.NoError(t, os.Remove(old))
		}
		for file, lines := range now {
			require.NoError(t, os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o644))
		}
		return
	}
	for _, file := range files(t) {
		if _, still := now[file]; !still {
			now[file] = nil
		}
	}
	for file, lines := range now {
		content, _ := os.ReadFile(file) // none: a package that is new
		if told := difference(strings.FieldsFunc(string(content), func(r rune) bool { return r == '\n' }), lines); told != "" {
			assert.Fail(t, "checks/api/"+file+" is not the API of the tree", told)
		}
	}
}

func TestADifferenceSaysWhetherItBreaks(t *testing.T) {
	t.Parallel()
	old := []string{"func A()", "func B(int)"}
	assert.Empty(t, difference(old, slices.Clone(old)))
	assert.Contains(t, difference(old, append(slices.Clone(old), "func C()")), "COMPATIBLE")
	for _, now := range [][]string{{"func A()"}, {"func A()", "func B(string)"}, nil} {
		assert.Contains(t, difference(old, now), "INCOMPATIBLE")
	}
}

// difference is empty if there is none.
func difference(old, now []string) string {
	var text strings.Builder
	verdict := "COMPATIBLE: nothing that users name is gone."
	for _, line := range old {
		if !slices.Contains(now, line) {
			text.WriteString("- " + line + "\n")
			verdict = "INCOMPATIBLE: programs that use the lines with - may not compile any more. Keep the old name beside the new one, marked Deprecated, if you can."
		}
	}
	for _, line := range now {
		if !slices.Contains(old, line) {
			text.WriteString("+ " + line + "\n")
		}
	}
	if text.Len() == 0 {
		return ""
	}
	return text.String() + verdict + "\nIf it is meant: `make api`, and commit checks/api/ with the change."
}

func files(t *testing.T) []string {
	t.Helper()
	all, err := filepath.Glob("*.txt")
	require.NoError(t, err)
	return all
}

// snapshots has the lines of every package that others can import, by file.
func snapshots(t *testing.T) map[string][]string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-export", "-deps", "-json=ImportPath,Export,Name,Module", "./...")
	cmd.Dir, cmd.Stderr = filepath.Join("..", ".."), os.Stderr
	out, err := cmd.Output()
	require.NoError(t, err)
	compiled, own, module := map[string]string{}, []string{}, ""
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		var p struct {
			ImportPath, Export, Name string
			Module                   *struct {
				Path string
				Main bool
			}
		}
		require.NoError(t, d.Decode(&p))
		compiled[p.ImportPath] = p.Export
		if p.Module == nil || !p.Module.Main || p.Name == "main" || p.Export == "" {
			continue
		}
		if module = p.Module.Path; !strings.Contains(p.ImportPath+"/", "/internal/") {
			own = append(own, p.ImportPath)
		}
	}
	positions := token.NewFileSet()
	imports := importer.ForCompiler(positions, "gc", func(path string) (io.ReadCloser, error) {
		file, known := compiled[path]
		if !known {
			return nil, fmt.Errorf("nothing imports %s", path)
		}
		return os.Open(file)
	})
	all := map[string][]string{}
	for _, path := range own {
		p, err := imports.Import(path)
		require.NoError(t, err)
		d := describer{pkg: p, module: module, written: func(o types.Object) bool {
			return !strings.HasSuffix(positions.Position(o.Pos()).Filename, ".gen.go")
		}}
		room := strings.Trim(strings.TrimPrefix(path, module), "/")
		all[strings.ReplaceAll(cmp.Or(room, "contract"), "/", "-")+".txt"] = d.describe()
	}
	return all
}
