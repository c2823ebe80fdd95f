package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	contract "example.com/bento-go"
)

// The contract with one thing changed, and what is said of it.
func TestAContractThatCannotBecomeATableIsExplained(t *testing.T) {
	t.Parallel()
	whole := string(contract.OpenAPI())
	for name, tc := range map[string]struct{ from, to, want string }{
		"not YAML":            {"openapi: 3.0.3", "openapi: [", ""},
		"no operationId":      {"operationId: trackEvents", "x-was: trackEvents", "operationId is missing"},
		"no retry class":      {"x-bento-retry: safe", "x-bento-retry: often", `want one of safe, answered, rejected, never, got "often"`},
		"no limit family":     {"x-bento-limit: batch", "x-bento-limit: bath", `"bath" is not a family`},
		"a rate that is none": {"documented: 100/minute", "documented: many", `want N/second, N/minute, N/hour or N/day, got "many"`},
		"no batch array":      {"x-bento-batch: events", "x-bento-batch: event", `no array "event"`},
		"no families":         {"x-bento-limits:", "x-bento-limit-s:", "want a map of limit families"},
		"no statuses":         {"x-errors: &errors", "x-error: &errors", "want a map from status to answer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Contains(t, whole, tc.from)
			file := filepath.Join(t.TempDir(), "openapi.yaml")
			require.NoError(t, os.WriteFile(file, []byte(strings.Replace(whole, tc.from, tc.to, 1)), 0o600))
			out := filepath.Join(t.TempDir(), "operations.gen.go")
			require.NoError(t, os.WriteFile(out, []byte("as it was"), 0o600))
			err := run(file, out)
			require.ErrorContains(t, err, tc.want)
			require.ErrorContains(t, err, file)
			kept, err := os.ReadFile(out)
			require.NoError(t, err)
			assert.Equal(t, "as it was", string(kept))
		})
	}
}

func TestTheTableIsTheSameEveryTime(t *testing.T) {
	t.Parallel()
	generated, err := os.ReadFile("../../gen/operations.gen.go")
	require.NoError(t, err)
	for range 3 {
		out := filepath.Join(t.TempDir(), "operations.gen.go")
		require.NoError(t, run("../../openapi.yaml", out))
		again, err := os.ReadFile(out)
		require.NoError(t, err)
		assert.Equal(t, string(generated), string(again), "run make generate")
	}
}
