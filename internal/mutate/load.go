package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A source is a package as the compiler sees it, without its tests.
type source struct {
	path, dir, name string
	fset            *token.FileSet
	files           []*ast.File
	content         map[string][]byte // by file
	info            *types.Info
}

// load parses and type-checks a package; what it imports comes compiled, from go list.
func load(ctx context.Context, pattern string) (*source, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-deps", "-export", "-json=ImportPath,Name,Dir,GoFiles,Export,DepOnly", pattern)
	cmd.Stderr = os.Stderr
	listed, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list %s: %w", pattern, err)
	}
	exports := map[string]string{}
	var s *source
	var names []string
	for decoder := json.NewDecoder(strings.NewReader(string(listed))); ; {
		var p struct {
			ImportPath, Name, Dir, Export string
			GoFiles                       []string
			DepOnly                       bool
		}
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		exports[p.ImportPath] = p.Export
		if p.DepOnly {
			continue
		}
		if s != nil {
			return nil, fmt.Errorf("%s is more than one package", pattern)
		}
		s = &source{path: p.ImportPath, dir: p.Dir, name: p.Name, fset: token.NewFileSet(), content: map[string][]byte{}}
		names = p.GoFiles
	}
	if s == nil {
		return nil, fmt.Errorf("%s is no package", pattern)
	}
	return s, s.check(names, func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
}

func (s *source) check(names []string, imported importer.Lookup) error {
	for _, name := range names {
		file := filepath.Join(s.dir, name)
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		parsed, err := parser.ParseFile(s.fset, file, content, parser.SkipObjectResolution|parser.ParseComments)
		if err != nil {
			return err
		}
		if ast.IsGenerated(parsed) {
			continue
		}
		s.content[file] = content
		s.files = append(s.files, parsed)
	}
	s.info = &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}}
	config := types.Config{Importer: importer.ForCompiler(s.fset, "gc", imported), Error: func(error) {}}
	_, _ = config.Check(s.path, s.fset, s.files, s.info) // generated files are missing: what they declare has no type
	return nil
}

// text returns the source between two positions, as one line.
func (s *source) text(from, to token.Pos) string {
	begin, end := s.fset.Position(from), s.fset.Position(to)
	lines := strings.Fields(string(s.content[begin.Filename][begin.Offset:end.Offset]))
	return strings.Join(lines, " ")
}
