package conformance_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/conformance"
)

// RULES.md is the table of rules, as the code has them: go test ./conformance -run RULES -update.
func TestRULESIsWhatTheCodeSays(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("<!-- Generated from conformance/rules.go by its test. Do not edit. -->\n\n# The rules\n\n" +
		"What a check looks for. An error breaks the contract; a warning keeps it, but is most likely a\nmistake; drift is news that the contract may have to learn.\n\n" +
		"| rule | severity | what it finds | what to do |\n|---|---|---|---|\n")
	for _, r := range conformance.Rules() {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", r.Name, r.Severity, r.Summary, r.Hint)
	}
	if *update {
		require.NoError(t, os.WriteFile("RULES.md", []byte(b.String()), 0o600))
	}
	have, err := os.ReadFile("RULES.md")
	require.NoError(t, err)
	assert.Equal(t, b.String(), string(have), "RULES.md is stale: go test ./conformance -run RULES -update")
}

// The hint of an old mistake replaces none of a finding that has nothing to do with it.
func TestAnOldMistakeExplainsNothingElse(t *testing.T) {
	t.Parallel()
	x := good("GET", "/experimental/blacklist?ip_address=192.0.2.1", "", `{"query":"x"}`)
	x.Request.Header.Del("Authorization")
	hints := map[string]string{}
	for _, f := range newChecker(t).Check(x).Findings {
		hints[f.Rule] = f.Hint
	}
	require.Contains(t, hints[conformance.RuleQueryUnknown], "ip_address is an old name")
	for _, rule := range conformance.Rules() {
		if rule.Name == conformance.RuleAuth {
			assert.Equal(t, rule.Hint, hints[rule.Name])
		}
	}
}
