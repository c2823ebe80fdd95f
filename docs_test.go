package contract_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(content)
}

// unindented drops the indent of code, so that a snippet compares with the Example it is from.
func unindented(code string) string {
	return regexp.MustCompile(`(?m)^\t+`).ReplaceAllString(strings.TrimSpace(code), "")
}

// The code of documents is an Example's, which is compiled and run.
func TestTheDocumentsCodeIsAnExample(t *testing.T) {
	t.Parallel()
	examples := unindented(read(t, "wrapper/example_test.go")) + unindented(read(t, "conformance/fake/faketest/faketest_test.go")) + unindented(read(t, "outbox/example_test.go")) + unindented(read(t, "outbox/pgstore/example_test.go"))
	snippets := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(read(t, "README.md")+read(t, "docs/delivery.md"), -1)
	require.NotEmpty(t, snippets)
	for _, snippet := range snippets {
		assert.Contains(t, examples, unindented(snippet[1]))
	}
}

// The README's first screen is what CI runs.
func TestTheReadmesCommandsAreThoseOfCI(t *testing.T) {
	t.Parallel()
	readme, ci := read(t, "README.md"), read(t, ".ci/run")
	for _, command := range []string{"go run ./cmd/bentoctl demo", "go test "} {
		assert.Less(t, strings.Index(readme, command), 800, "on the first screen")
		assert.Contains(t, ci, command)
	}
}

func TestTheMakefileExplainsEveryTask(t *testing.T) {
	t.Parallel()
	makefile := read(t, "Makefile")
	for _, task := range []string{"help", "generate", "test", "lint", "run"} {
		assert.Regexp(t, `(?m)^`+task+`:.*## \S`, makefile)
	}
}

// A document names no task of the Makefile, and no script, that is not there.
func TestTasksOfTheDocumentsAreInTheMakefile(t *testing.T) {
	t.Parallel()
	makefile := read(t, "Makefile")
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		documents, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, document := range documents {
			text := read(t, document)
			for _, task := range regexp.MustCompile("(?m)(?:`|^)make ([a-z-]+)").FindAllStringSubmatch(text, -1) {
				assert.Regexp(t, `(?m)^`+task[1]+`:`, makefile, document)
			}
			for _, script := range regexp.MustCompile("(?m)(?:`|^)(scripts/[a-z-]+)").FindAllStringSubmatch(text, -1) {
				assert.FileExists(t, script[1], document)
			}
		}
	}
}

// A link of a document to a file leads there, and one to a heading to that heading.
func TestLinksOfTheDocumentsLead(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{"*.md", "docs/*.md", "conformance/*.md", "gen/*.md"} {
		documents, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, document := range documents {
			for _, link := range regexp.MustCompile(`\]\(([^)\s]+)\)`).FindAllStringSubmatch(read(t, document), -1) {
				if strings.Contains(link[1], "://") {
					continue
				}
				file, anchor, _ := strings.Cut(link[1], "#")
				target := document
				if file != "" {
					target = filepath.Join(filepath.Dir(document), file)
				}
				if !assert.FileExists(t, target, "%s: %s", document, link[1]) || anchor == "" {
					continue
				}
				assert.Contains(t, headings(read(t, target)), anchor, "%s: %s", document, link[1])
			}
		}
	}
}

// headings are a document's, as links name them.
func headings(text string) (all []string) {
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(text, -1) {
		name := regexp.MustCompile(`[^\w\- ]`).ReplaceAllString(strings.ToLower(heading[1]), "")
		all = append(all, strings.ReplaceAll(name, " ", "-"))
	}
	return all
}

// The picture of the rooms is drawn of its source as it is, and shows directories that are there.
func TestThePictureOfTheRoomsIsCurrent(t *testing.T) {
	t.Parallel()
	source := read(t, "docs/rooms.d2")
	assert.Contains(t, read(t, "docs/rooms.svg"), fmt.Sprintf("docs/rooms.d2 sha256 %x ", sha256.Sum256([]byte(source))), "run make rooms")
	rooms := regexp.MustCompile(`(?m)^\w+: "(\S+?)/?: `).FindAllStringSubmatch(source, -1)
	require.NotEmpty(t, rooms)
	for _, room := range rooms {
		_, err := os.Stat(room[1])
		assert.NoError(t, err)
	}
}
