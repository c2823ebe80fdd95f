// Command optable turns the contract's x-bento-* extensions into gen/operations.gen.go: a
// typed table of how each operation behaves, which the wrapper, the fake and the command line
// read instead of keeping numbers of their own.
//
// Usage: optable -o FILE openapi.yaml
package main

import (
	"bytes"
	"flag"
	"fmt"
	"go/format"
	"os"
)

func main() {
	out := flag.String("o", "", "the file to write")
	flag.Parse()
	if *out == "" || flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: optable -o FILE openapi.yaml")
		os.Exit(2)
	}
	if err := run(flag.Arg(0), *out); err != nil {
		fmt.Fprintln(os.Stderr, "optable:", err)
		os.Exit(1)
	}
}

// run writes the table of the contract in file to out, or leaves out as it was.
func run(file, out string) error {
	contract, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	t, err := read(contract)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	var buf bytes.Buffer
	if err := source.Execute(&buf, t); err != nil {
		return err
	}
	code, err := format.Source(buf.Bytes())
	if err != nil {
		return err
	}
	return os.WriteFile(out, code, 0o644) //nolint:gosec // source code is for everybody to read
}
