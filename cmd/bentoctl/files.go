package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// recordings are the endings of files that a directory is searched for.
var recordings = []string{".har", ".json", ".ndjson", ".jsonl", ".yaml", ".yml"}

// maxFiles bounds the files that directories and patterns may stand for.
const maxFiles = 100_000

// trafficFiles returns the files that arguments stand for: files themselves, - for standard
// input, directories, patterns.
func trafficFiles(args []string) ([]traffic, error) {
	var files []traffic
	for _, arg := range args {
		found, err := expand(arg)
		if err != nil {
			return nil, err
		}
		if files = append(files, found...); len(files) > maxFiles {
			return nil, usage("more than %d files: give fewer at a time", maxFiles)
		}
	}
	return files, nil
}

func expand(arg string) ([]traffic, error) {
	if arg == "-" {
		return []traffic{{name: arg}}, nil
	}
	info, err := os.Stat(arg)
	switch {
	case err == nil && info.IsDir():
		return inDirectory(arg)
	case err == nil || !strings.ContainsAny(arg, "*?["):
		return []traffic{{name: arg}}, nil // whoever opens it says what is wrong
	}
	matches, err := filepath.Glob(arg)
	if err != nil {
		return nil, usage("%s: %w", arg, err)
	}
	if len(matches) == 0 {
		return nil, usage("%s: no file has such a name", arg)
	}
	slices.Sort(matches)
	files := make([]traffic, len(matches))
	for i, name := range matches {
		files[i].name = name
	}
	return files, nil
}

func inDirectory(root string) ([]traffic, error) {
	var files []traffic
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := strings.TrimSuffix(strings.ToLower(entry.Name()), ".gz")
		if entry.Type().IsRegular() && slices.Contains(recordings, filepath.Ext(name)) {
			files = append(files, traffic{path, root})
		}
		if len(files) > maxFiles {
			return fmt.Errorf("%s holds more than %d files", root, maxFiles)
		}
		return nil
	})
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	if len(files) == 0 {
		return nil, usage("%s holds no recording: want files that end in %s, with .gz or without", root, strings.Join(recordings, ", "))
	}
	return files, nil
}

// openTraffic opens a file to read exchanges from. A pipe may keep its reader waiting, so that the
// context ends that.
func openTraffic(ctx context.Context, file string) (io.ReadCloser, error) {
	info, err := os.Stat(file)
	if err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		return openFile(file)
	}
	type opened struct {
		f   *os.File
		err error
	}
	done := make(chan opened, 1)
	go func() { // a pipe that nobody writes to keeps it until the program ends
		f, err := os.Open(file)
		done <- opened{f, err}
	}()
	select {
	case o := <-done:
		if o.err != nil {
			return nil, o.err
		}
		return io.NopCloser(interruptible(ctx, o.f)), nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// openFile opens a file, with an error that says what to do.
func openFile(file string) (*os.File, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err == nil && info.IsDir() {
		_ = f.Close()
		return nil, fmt.Errorf("%s is a directory: name the files in it", file)
	}
	return f, nil
}
