// Package needed is for tests that need more than Go: on a machine that lacks it they are skipped
// and say so; where BENTO_TEST_NEEDS_ALL is set, as in CI, they fail.
package needed

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"
)

// All is the environment variable by which a machine promises that nothing is missing.
const All = "BENTO_TEST_NEEDS_ALL"

// That skips the test unless the machine has what it needs.
func That(t testing.TB, have bool, what string) {
	t.Helper()
	switch {
	case have:
	case os.Getenv(All) != "":
		t.Fatalf("%s is missing, and %s says that nothing is", what, All)
	default:
		t.Skipf("%s is not on this machine", what)
	}
}

// Program returns the path of the first of the programs that the machine has.
func Program(t testing.TB, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	That(t, false, names[0])
	return ""
}

// Chromium runs a headless browser, which reaches nothing but 127.0.0.1, and returns what it
// prints.
func Chromium(t testing.TB, args ...string) string {
	t.Helper()
	program := Program(t, "chromium", "chromium-browser", "google-chrome")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	base := []string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
		"--user-data-dir=" + t.TempDir(), "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
	}
	out, err := exec.CommandContext(ctx, program, append(base, args...)...).Output()
	if err != nil {
		t.Fatalf("%s: %v", program, err)
	}
	return string(out)
}
