package contract_test

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/gen"
)

// ARCHITECTURE.md sends nobody to a file that has another name now.
func TestArchitectureNamesFilesThatAreThere(t *testing.T) {
	t.Parallel()
	_, table, found := strings.Cut(read(t, "ARCHITECTURE.md"), "## Where to find what")
	require.True(t, found)
	table, _, _ = strings.Cut(table, "\n## ")
	names := regexp.MustCompile("`([^`\\s]*[./][^`\\s]*)`").FindAllStringSubmatch(table, -1)
	require.NotEmpty(t, names)
	for _, name := range names {
		there, err := filepath.Glob(filepath.FromSlash(name[1]))
		require.NoError(t, err)
		assert.NotEmpty(t, there, name[1])
	}
}

// Whoever makes a release's bytes as RELEASE.md says uses the flags of the release.
func TestAReleaseIsMadeInOneWay(t *testing.T) {
	t.Parallel()
	config, check, paper := read(t, ".goreleaser.yaml"), read(t, "scripts/release-check"), read(t, "RELEASE.md")
	assert.Contains(t, config, "flags: [-trimpath, -buildvcs=false]")
	assert.Contains(t, config, `ldflags: ["-s -w -X main.release={{ .Version }}"]`)
	assert.Contains(t, config, "goamd64: [v1]")
	assert.Contains(t, check, `go build -trimpath -buildvcs=false -ldflags "-s -w -X main.release=$version" `)
	assert.Regexp(t, `go build -trimpath -buildvcs=false \\\s+-ldflags "-s -w -X main\.release=X\.Y\.Z" `, paper)
	for _, text := range []string{check, paper} {
		assert.Contains(t, text, "GOAMD64=v1")
	}
}

// Each tool has one version, wherever it is named.
func TestToolsHaveOneVersion(t *testing.T) {
	t.Parallel()
	makefile := read(t, "Makefile")
	for tool, file := range map[string]string{"goreleaser": "scripts/release-check", "d2": "scripts/rooms"} {
		pin := regexp.MustCompile(`go install \S+/` + regexp.QuoteMeta(tool) + `(?:/v2)?@(v\S+)`).FindStringSubmatch(makefile)
		require.Len(t, pin, 2, tool)
		for _, text := range []string{makefile, read(t, file), read(t, ".github/workflows/release.yml"), read(t, "RELEASE.md")} {
			for _, named := range regexp.MustCompile(`/`+regexp.QuoteMeta(tool)+`-(v[\d.]+\d)`).FindAllStringSubmatch(text, -1) {
				assert.Equal(t, pin[1], named[1], tool)
			}
		}
	}
}

// What is said of how many operations there are, and how sure they are, is so.
func TestDocumentsCountOperations(t *testing.T) {
	t.Parallel()
	all, uncertain := len(gen.Operations()), 0
	for _, op := range gen.Operations() {
		if op.Uncertain {
			uncertain++
		}
	}
	readme, comparison := read(t, "README.md"), read(t, "docs/comparison.md")
	assert.Contains(t, readme, fmt.Sprintf("all %d operations", all))
	assert.Contains(t, readme, fmt.Sprintf("| operations, of %[1]d | %[1]d, %[2]d of them uncertain |", all, uncertain))
	assert.Contains(t, comparison, fmt.Sprintf("out of the %d in", all))
	assert.Contains(t, comparison, fmt.Sprintf("| operations | %d, of which %d are [marked uncertain]", all, uncertain))
}
