// Command generate makes gen/ of openapi.yaml: types and client by oapi-codegen, pinned in
// go.mod, and the table of behaviour (x-bento-*), for programs and for people, by this one. It writes everything or
// nothing: a contract that cannot be read leaves gen/ as it was, and one line says where it is
// wrong.
//
// Usage, in the root of the module: go run ./internal/generate
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/format"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
)

const contractFile = "openapi.yaml"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, ".")
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run regenerates gen/ below root.
func run(ctx context.Context, root string) error {
	files, err := generate(ctx, root)
	if err != nil {
		return err
	}
	for name, content := range files {
		if err := replace(filepath.Join(root, "gen", name), content); err != nil {
			return err
		}
	}
	return nil
}

// generate returns the files of gen/ by name, and touches nothing.
func generate(ctx context.Context, root string) (map[string][]byte, error) {
	contract, err := os.ReadFile(filepath.Join(root, contractFile))
	if err != nil {
		return nil, err
	}
	t, err := read(contract)
	if err != nil {
		return nil, locate(contract, err)
	}
	files := map[string][]byte{}
	if files["operations.gen.go"], err = operations(t); err != nil {
		return nil, err
	}
	var table bytes.Buffer
	if err := docs.Execute(&table, t); err != nil {
		return nil, err
	}
	files["OPERATIONS.md"] = table.Bytes()
	for _, part := range []string{"types", "client"} {
		if files[part+".gen.go"], err = oapiCodegen(ctx, root, "gen/"+part+".cfg.yaml"); err != nil {
			return nil, locate(contract, err)
		}
	}
	return files, nil
}

func operations(t *table) ([]byte, error) {
	var buf bytes.Buffer
	if err := source.Execute(&buf, t); err != nil {
		return nil, err
	}
	return format.Source(buf.Bytes())
}

// oapiCodegen runs the pinned generator and returns what it makes.
func oapiCodegen(ctx context.Context, root, config string) ([]byte, error) {
	var made, said bytes.Buffer
	cmd := exec.CommandContext(ctx, "go", "tool", "oapi-codegen", "-config", config, contractFile)
	cmd.Dir, cmd.Stdout, cmd.Stderr = root, &made, &said
	if err := cmd.Run(); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: oapi-codegen: %w: %s", config, err, complaint(said.String())), ctx.Err())
	}
	return made.Bytes(), nil
}

// complaint is one line of what the generator says, without what the go command says of downloads. Its
// first line names the contract even where the overlay or the network is to blame; the next say what it is.
func complaint(said string) string {
	var lines []string
	for line := range strings.Lines(said) {
		if line = strings.Trim(line, " :\t\r\n"); line != "" && !strings.HasPrefix(line, "go: downloading ") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, ": ")
}

// replace writes a file so that whoever reads it sees the old content or the new.
func replace(file string, content []byte) error {
	temporary := file + ".tmp"
	if err := os.WriteFile(temporary, content, 0o644); err != nil { //nolint:gosec // source code is for everybody to read
		return err
	}
	return os.Rename(temporary, file)
}
