// Package treecopy copies this module's tree, for tests that change it.
package treecopy

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// To copies the tree below root into a directory that ends with the test, and returns it. What git
// keeps and what tools leave there (.git, .bin, .cache, dist) stays behind.
func To(t testing.TB, root string) string {
	t.Helper()
	to := t.TempDir()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		switch {
		case name == ".git" || name == ".bin" || name == ".cache" || name == "dist":
			if entry.IsDir() {
				return filepath.SkipDir
			}
			return nil // .git is a file in a worktree
		case entry.IsDir():
			return os.MkdirAll(filepath.Join(to, name), 0o700)
		case !entry.Type().IsRegular():
			return nil
		}
		return copyFile(path, filepath.Join(to, name))
	})
	if err != nil {
		t.Fatalf("copy of the tree: %v", err)
	}
	return to
}

// copyFile keeps the mode: scripts are run in the copy.
func copyFile(from, to string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, content, info.Mode().Perm())
}
