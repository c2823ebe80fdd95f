package main

import (
	"io"
	"os"
	"os/exec"
	"testing"
)

// asProgram makes this test binary be bentoctl, for tests that kill it.
const asProgram = "BENTOCTL_TEST_AS_PROGRAM"

func init() {
	if os.Getenv(asProgram) != "" {
		main()
	}
}

// program is bentoctl in a process of its own.
func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	return cmd
}

func readAllOf(r io.Reader) string {
	all, _ := io.ReadAll(r)
	return string(all)
}
