package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	contract "example.com/bento-go"
)

// The contract with one thing wrong, and the one line that says so.
func TestABrokenContractIsOneClearLineAndLeavesGenAsItWas(t *testing.T) {
	t.Parallel()
	whole := string(contract.OpenAPI())
	_, importing, _ := strings.Cut(whole, "operationId: importSubscribers")
	_, importing, _ = strings.Cut(importing, "      x-bento-limit: batch\n")
	importing, _, _ = strings.Cut(importing, "      responses:")
	for name, tc := range map[string]struct{ from, to, want string }{
		"not YAML":             {"info:\n", "info: [\n", "did not find expected"},
		"a tab":                {"\ninfo:\n", "\ninfo:\n\ttitle: x\n", "cannot start any token"},
		"a reference to none":  {`"#/components/schemas/BatchResult"`, `"#/components/schemas/BachResult"`, "BachResult"},
		"no operationId":       {"operationId: trackEvents", "x-was: trackEvents", "operationId is missing"},
		"an unknown type":      {"type: integer, minimum: 1 }", "type: intger, minimum: 1 }", "intger"},
		"no retry class":       {"x-bento-retry: safe", "x-bento-retry: often", `want one of safe, answered, rejected, never, got "often"`},
		"no limit family":      {"x-bento-limit: batch", "x-bento-limit: bath", `"bath" is not a family`},
		"a rate that is none":  {"documented: 100/minute", "documented: many", `want N/second, N/minute, N/hour or N/day, got "many"`},
		"no pace":              {"x-bento-pace: 60/minute", "x-bento-pace: slow", `x-bento-pace: want N/second`},
		"no delay":             {"x-bento-async: 3m", "x-bento-async: soon", `x-bento-async: want a duration such as 5m, or queued, got "soon"`},
		"no batch array":       {"x-bento-batch: events", "x-bento-batch: event", `no member "event"`},
		"no families":          {"x-bento-limits:", "x-limits:", "want a map of limit families"},
		"no agents":            {"x-bento-generic-agents:", "x-agents:", "want a list of products"},
		"no statuses":          {"x-errors: &errors", "x-error: &errors", "want a map from status to answer"},
		"a misspelt word":      {"x-bento-plan: enterprise", "x-bento-paln: enterprise", "x-bento-paln is no extension"},
		"a name that is none":  {"[add_tag, remove_tag, add_field, remove_field]", "[add_tags]", `"add_tags" is not in its enum`},
		"no path":              {"x-bento-repeatable: unique.key", "x-bento-repeatable: 1", "want a path such as unique.key"},
		"a flag that is text":  {"x-bento-paged: true", `x-bento-paged: "true"`, `x-bento-paged: want true or false, got true`},
		"a batch that is none": {"x-bento-batch: events", "x-bento-batch: [events]", "x-bento-batch: want a member of the body"},
		"a plan that is none":  {"x-bento-plan: enterprise", "x-bento-plan: [enterprise]", "x-bento-plan: want a name"},
		"no such confidence":   {"x-confidence: low\n      x-bento-retry", "x-confidence: Low\n      x-bento-retry", `x-confidence: want low, got "Low"`},
		"a name with a dash":   {"operationId: trackEvents", "operationId: track-events", `operationId: want letters and digits`},
		"a family with a dash": {"  deletion: { documented", "  data-deletion: { documented", `want names of letters and digits, got "data-deletion"`},
		"a key that is taken":  {importing, "      x-bento-batch: events\n      requestBody: { content: { application/json: { schema: { $ref: '#/components/schemas/TrackEventsBody' } } } }\n", "two operations with one key"},
		"half a second":        {"x-bento-async: 3m", "x-bento-async: 500ms", `x-bento-async: want a duration such as 5m`},
		"no servers":           {"servers:\n  - url: https://app.bentonow.com/api/v1\n", "", "servers: want one"},
		"nothing":              {whole, "", "openapi.yaml:1: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Contains(t, whole, tc.from)
			root := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(root, contractFile), []byte(strings.Replace(whole, tc.from, tc.to, 1)), 0o600))
			kept := filepath.Join(root, "gen", "operations.gen.go")
			require.NoError(t, os.Mkdir(filepath.Dir(kept), 0o700))
			require.NoError(t, os.WriteFile(kept, []byte("as it was"), 0o600))
			err := run(t.Context(), root)
			require.ErrorContains(t, err, tc.want)
			assert.Regexp(t, `^openapi\.yaml:\d+: [^\n]+$`, err.Error())
			content, err := os.ReadFile(kept)
			require.NoError(t, err)
			assert.Equal(t, "as it was", string(content))
		})
	}
}

// stale names the files of gen/ that are not what the contract makes of them.
func stale(t *testing.T, gen string, want map[string][]byte) (names []string) {
	t.Helper()
	for name, content := range want {
		have, err := os.ReadFile(filepath.Join(gen, name))
		if err != nil || !bytes.Equal(have, content) {
			names = append(names, name)
		}
	}
	return names
}

// gen/ is what the contract makes of it, the same every time, and an edit by hand is noticed,
// in whichever file and however small.
func TestAnEditOfGeneratedCodeIsNoticed(t *testing.T) {
	t.Parallel()
	want, err := generate(t.Context(), "../..")
	require.NoError(t, err)
	assert.Empty(t, stale(t, "../../gen", want), "gen/ is stale: run make generate")

	again, err := generate(t.Context(), "../..")
	require.NoError(t, err)
	assert.Equal(t, want, again)

	for edited, content := range want {
		for what, change := range map[string][]byte{
			"a byte": append(bytes.Clone(content[:len(content)-1]), ' '), "a line": append(bytes.Clone(content), "\n// by hand\n"...), "all": nil,
		} {
			gen := t.TempDir()
			for name, original := range want {
				require.NoError(t, os.WriteFile(filepath.Join(gen, name), original, 0o600))
			}
			require.NoError(t, os.WriteFile(filepath.Join(gen, edited), change, 0o600))
			assert.Equal(t, []string{edited}, stale(t, gen, want), what)
		}
	}
}
