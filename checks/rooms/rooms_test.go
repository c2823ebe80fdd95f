// Package rooms_test holds the imports to the way data flows: contract → gen → wrapper →
// application; traffic → conformance → people. Tests may import anything.
package rooms_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A pkg is what go list says of a package.
type pkg struct {
	ImportPath string
	Imports    []string
	Module     *struct { // none: Go's own
		Path string
		Main bool
	}
}

// A graph is every package that one of ours needs, by import path.
type graph struct {
	module string // ours
	pkgs   map[string]pkg
}

func TestRoomsImportOnlyWithTheCurrent(t *testing.T) {
	t.Parallel()
	g := load(t)
	for path, p := range g.pkgs {
		if p.Module == nil || !p.Module.Main {
			continue
		}
		may, known := rooms[g.short(path)]
		assert.True(t, known, "%s is in no room: say in checks/rooms/table_test.go what it may import", g.short(path))
		for _, imported := range p.Imports {
			other := g.pkgs[imported]
			if other.Module == nil { // Go's own
				continue
			}
			what := g.short(imported)
			if !other.Module.Main {
				what = other.Module.Path
			}
			if !slices.Contains(may, what) {
				assert.Fail(t, g.short(path)+" → "+g.short(imported)+" is an import against the current",
					"Data flows contract → gen → wrapper → application, and traffic → conformance → people. If it may be, say so in checks/rooms/table_test.go.")
			}
		}
	}
}

// What an application carries that tracks an event: nothing but the generated client's runtime.
func TestTheClientReachesNothingHeavy(t *testing.T) {
	t.Parallel()
	g := load(t)
	for _, from := range []string{"gen", "wrapper", "outbox"} {
		for path, p := range g.pkgs {
			if p.Module == nil || p.Module.Main || slices.Contains(light, p.Module.Path) {
				continue
			}
			if way := g.way(from, path); way != nil {
				assert.Fail(t, from+" must not reach "+p.Module.Path, strings.Join(way, " → "))
			}
		}
	}
}

func load(t *testing.T) graph {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Imports,Module", "./...")
	cmd.Dir, cmd.Stderr = filepath.Join("..", ".."), os.Stderr
	out, err := cmd.Output()
	require.NoError(t, err)
	g := graph{pkgs: map[string]pkg{}}
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		var p pkg
		require.NoError(t, d.Decode(&p))
		g.pkgs[p.ImportPath] = p
		if p.Module != nil && p.Module.Main {
			g.module = p.Module.Path
		}
	}
	return g
}

// short is the path without the module's; the root is "contract".
func (g graph) short(path string) string {
	if path == g.module {
		return "contract"
	}
	return strings.TrimPrefix(path, g.module+"/")
}

// way is a shortest chain of imports from one of our packages to another, or nil.
func (g graph) way(from, to string) []string {
	start := g.module + "/" + from
	came := map[string]string{start: ""}
	for queue := []string{start}; len(queue) > 0; queue = queue[1:] {
		if queue[0] == to {
			var back []string
			for at := to; at != ""; at = came[at] {
				back = append(back, g.short(at))
			}
			slices.Reverse(back)
			return back
		}
		for _, next := range g.pkgs[queue[0]].Imports {
			if _, seen := came[next]; !seen && g.pkgs[next].Module != nil {
				came[next] = queue[0]
				queue = append(queue, next)
			}
		}
	}
	return nil
}
