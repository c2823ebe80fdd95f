package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	contract "example.com/bento-go"
)

// Whoever changes a letter of the contract can tell the programs apart.
func TestVersionTellsContractsApart(t *testing.T) {
	t.Parallel()
	here, err := versionOf(contract.OpenAPI())
	require.NoError(t, err)
	other, err := versionOf([]byte(strings.Replace(string(contract.OpenAPI()), "version: v1", "version: v2", 1)))
	require.NoError(t, err)
	assert.Equal(t, "v1", here.Contract.Version)
	assert.Equal(t, "v2", other.Contract.Version)
	assert.NotEqual(t, here.Contract.SHA256, other.Contract.SHA256)
	_, err = versionOf([]byte("\t"))
	require.ErrorContains(t, err, "the contract of this program")
}

// What .goreleaser.yaml gives the linker reaches the version.
func TestAReleaseSaysItsVersion(t *testing.T) {
	t.Parallel()
	config, err := os.ReadFile("../../.goreleaser.yaml")
	require.NoError(t, err)
	require.Contains(t, string(config), "-X main.release={{ .Version }}")
	program := filepath.Join(t.TempDir(), "bentoctl")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-ldflags", "-s -w -X main.release=1.2.3", "-o", program, ".").CombinedOutput()
	require.NoError(t, err, string(out))
	out, err = exec.CommandContext(t.Context(), program, "version", "--json").Output()
	require.NoError(t, err)
	var said programVersion
	require.NoError(t, json.Unmarshal(out, &said))
	assert.Equal(t, "1.2.3", said.Version)
}
