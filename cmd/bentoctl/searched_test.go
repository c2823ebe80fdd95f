package main

import (
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// folder makes a directory of files.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	return dir
}

// Files that lie beside recordings are left out and told; a file that was named, and a recording that is
// broken, are errors as ever.
func TestADirectoryHoldsOtherFilesToo(t *testing.T) {
	t.Parallel()
	whole, err := os.ReadFile(conventions)
	require.NoError(t, err)
	known := bentoctl(t.Context(), "", "check", "--json", conventions).out
	other := map[string]string{
		"package.json": `{"name":"x","dependencies":{"request":"^2.88"}}`, "known.json": known, "list.json": "[1]",
		"compose.yml": "services:\n  interactions:\n", "events.ndjson": `{"type":"x","email":"ari@example.com"}` + "\n", "empty.json": "", "people.ndjson": `{"email":"ari@example.com"}` + "\n" + `{"email":"bo@example.com"}` + "\n",
	}
	dir := folder(t, other)
	r := bentoctl(t.Context(), "", "check", dir)
	assert.Equal(t, result{exitUsage, "", "bentoctl: " + dir + " holds no recording: no file in it is HAR, a cassette of go-vcr or NDJSON of exchanges\n"}, r)

	require.NoError(t, os.WriteFile(filepath.Join(dir, "today.json"), whole, 0o600))
	r = bentoctl(t.Context(), "", "check", dir)
	assert.Equal(t, 0, r.code, r.err)
	assert.Contains(t, r.out, "conformant: 0 errors")
	assert.Equal(t, "7 files are no recording: "+filepath.Join(dir, "compose.yml")+", "+filepath.Join(dir, "empty.json")+", "+filepath.Join(dir, "events.ndjson")+", …\n", r.err)
	assert.Equal(t, result{}, bentoctl(t.Context(), "", "check", "-q", dir))
	assert.Equal(t, exitUsage, bentoctl(t.Context(), "", "check", dir, filepath.Join(dir, "package.json")).code, "it was named")
	assert.Equal(t, exitUsage, bentoctl(t.Context(), "", "check", dir, folder(t, map[string]string{"known.json": known})).code, "nothing in the second")

	r = bentoctl(t.Context(), "", "check", folder(t, map[string]string{"known.json": known, "today.har": string(whole)}))
	assert.True(t, strings.HasPrefix(r.err, "1 file is no recording: "), r.err)
}

func TestABrokenRecordingInADirectoryIsAnError(t *testing.T) {
	t.Parallel()
	whole, err := os.ReadFile(conventions)
	require.NoError(t, err)
	packed := func(text string) string {
		var packed strings.Builder
		archive := gzip.NewWriter(&packed)
		_, _ = archive.Write([]byte(text))
		require.NoError(t, archive.Close())
		return packed.String()
	}
	cassette := packed("version: 2\ninteractions:\n")
	for name, content := range map[string]string{
		"half.json": string(whole[:len(whole)/2]), "half.json.gz": packed(string(whole[:len(whole)/2])), "no.har": "x", "no.HAR.gz": "x", "no.json.gz": "\x1f\x8bx", "no.yaml.gz": cassette[:len(cassette)-8],
	} {
		r := bentoctl(t.Context(), "", "check", folder(t, map[string]string{"today.json": string(whole), name: content}))
		assert.Equal(t, exitUsage, r.code, name)
		assert.Contains(t, r.err, name+": ", "%s", name)
		assert.NotContains(t, r.err, "no recording: ", name)
	}
}
