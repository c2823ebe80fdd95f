// Command rename gives the module another path, in everything that names it: go.mod files,
// imports, generated code, documents, configuration. It changes nothing if the path is none.
//
// Usage, in the root of the module: go run ./internal/rename MODULE
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/format"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, ".", os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "rename:", err)
		os.Exit(1)
	}
}

// run renames the module below root, and tells how many files that changed.
func run(ctx context.Context, root string, args []string) error {
	if len(args) != 1 || args[0] == "" {
		return errors.New("name the new path of the module, such as example.org/acme/bento-go")
	}
	from, err := modulePath(ctx, root)
	if err != nil {
		return err
	}
	if err := check(ctx, root, args[0]); err != nil {
		return err
	}
	changed, err := changes(root, from, args[0])
	if err != nil {
		return err
	}
	for _, file := range order(changed, filepath.Join(root, "go.mod")) {
		if err := replace(file, changed[file]); err != nil {
			return err
		}
		if filepath.Base(file) == "go.mod" { // its requirements are sorted by their paths
			if err := exec.CommandContext(ctx, "go", "mod", "edit", "-fmt", file).Run(); err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
		}
	}
	fmt.Fprintf(os.Stdout, "%s is %s now: %d files changed\n", from, args[0], len(changed))
	return nil
}

// order puts the file that says what the module is called last: whoever is interrupted before can begin
// again.
func order(changed map[string][]byte, last string) []string {
	files := slices.Sorted(maps.Keys(changed))
	if at := slices.Index(files, last); at >= 0 {
		files = append(slices.Delete(files, at, at+1), last)
	}
	return files
}

// modulePath asks go.mod itself: nothing else has to be there.
func modulePath(ctx context.Context, root string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "mod", "edit", "-json")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = errors.New(strings.TrimSpace(string(exit.Stderr)))
		}
		return "", fmt.Errorf("go.mod: %w", err)
	}
	var mod struct{ Module struct{ Path string } }
	if err := json.Unmarshal(out, &mod); err != nil {
		return "", fmt.Errorf("go.mod: %w", err)
	}
	return mod.Module.Path, nil
}

// check lets the go command say whether to is the path of a module that others can fetch.
func check(ctx context.Context, root, to string) error {
	if host, _, _ := strings.Cut(to, "/"); !strings.Contains(host, ".") {
		return fmt.Errorf("%q has no host in front: nobody could fetch it", to)
	}
	if regexp.MustCompile(`/v\d+$`).MatchString(to) { // the go.mod files beside ours require v0.0.0
		return fmt.Errorf("%q names a major version, and this module has none yet", to)
	}
	cmd := exec.CommandContext(ctx, "go", "mod", "edit", "-print", "-module="+to) //nolint:gosec // no shell reads it, and -module= stands in front
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return errors.New(strings.TrimSpace(strings.TrimPrefix(string(out), "go: ")))
	}
	return nil
}

// changes returns what becomes of each file that names the module.
func changes(root, from, to string) (map[string][]byte, error) {
	// Not a part of a longer name. $1 is what stands in front.
	name := regexp.MustCompile(`(^|[^A-Za-z0-9_.-])` + regexp.QuoteMeta(from) + `\b`)
	longer := regexp.MustCompile(`^[-~]|^\.[A-Za-z0-9]`)
	changed := map[string][]byte{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == ".git" || entry.Name() == ".bin" || entry.Name() == "dist"):
			return filepath.SkipDir
		case !entry.Type().IsRegular() || entry.Name() == ".git":
			return nil
		}
		was, err := os.ReadFile(path) //nolint:gosec // the tree is the maintainer's own
		if err != nil || bytes.IndexByte(was, 0) >= 0 || !bytes.Contains(was, []byte(from)) {
			return err
		}
		is := renamed(was, name, longer, to)
		if filepath.Ext(path) == ".go" {
			if is, err = format.Source(is); err != nil { // imports are sorted by their paths
				return fmt.Errorf("%s: %w", path, err)
			}
		}
		if !bytes.Equal(was, is) {
			changed[path] = is
		}
		return nil
	})
	return changed, err
}

// renamed puts to in the place of each name that is not followed by what makes it longer.
func renamed(was []byte, name, longer *regexp.Regexp, to string) []byte {
	var is []byte
	end := 0
	for _, at := range name.FindAllSubmatchIndex(was, -1) {
		if longer.Match(was[at[1]:]) {
			continue
		}
		is = append(append(is, was[end:at[3]]...), to...)
		end = at[1]
	}
	return append(is, was[end:]...)
}

// replace writes a file so that whoever reads it sees the old content or the new.
func replace(file string, content []byte) error {
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	temporary := file + ".tmp"
	if err := os.WriteFile(temporary, content, info.Mode().Perm()); err != nil {
		return err
	}
	return os.Rename(temporary, file)
}
