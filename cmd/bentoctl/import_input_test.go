package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What is wrong with an input, or with the place beside it, is said as it is.
func TestAnImportSaysWhatItWasGiven(t *testing.T) {
	server := serving(t)
	people := write(t, "people.csv", crowd(1))
	nowhere := filepath.Join(t.TempDir(), "nowhere")
	oneLine := write(t, "line.csv", strings.Repeat("ari@example.com,", 200_000))
	for name, tc := range map[string]struct {
		args []string
		says string
	}{
		"a folder that is not there": {
			[]string{people, "--output-dir", nowhere}, "bentoctl: the folder of --output-dir, " + nowhere + ", is not there: make it, or name another\n",
		},
		"a folder that is a file": {[]string{people, "--output-dir", people}, "--output-dir " + people + ": it is a file, want a folder"},
		"no folder can be in a file": {
			[]string{people, "--output-dir", filepath.Join(people, "x")}, "--output-dir: stat " + filepath.Join(people, "x"),
		},
		"a file of one line": {
			[]string{oneLine}, "bentoctl: " + oneLine + ": its first line is longer than 32 KiB: want rows under a header, or one JSON object a line\n",
		},
		"a blank line before it": {[]string{write(t, "blank.csv", "\n"+strings.Repeat("x", 1<<16))}, "its first line is longer than 32 KiB"},
	} {
		r := bentoctl(t.Context(), "", append([]string{"import", "subscribers", "--yes", "--limits", "off"}, tc.args...)...)
		assert.Equal(t, exitUsage, r.code, name)
		assert.Contains(t, r.err, tc.says, name)
		assert.NotContains(t, r.err, "the file is empty", name)
	}
	assert.Zero(t, server.Counts().People)
}

func TestAFileOfAHeaderHasNoRows(t *testing.T) {
	serving(t)
	for _, flag := range []string{"--yes", "--dry-run"} {
		r := bentoctl(t.Context(), "", "import", "subscribers", flag, write(t, "header.csv", "email,first_name\n"))
		assert.Equal(t, exitDone, r.code, r.err)
		assert.Contains(t, r.out, "header.csv\n  it has no rows\n")
	}
	r := bentoctl(t.Context(), "", "import", "subscribers", "--yes", write(t, "people.csv", crowd(1)))
	assert.NotContains(t, r.out, "no rows")
}

// A first line may be longer than what is looked at before the import.
func TestALongFirstLineOfNDJSONIsImported(t *testing.T) {
	server := serving(t)
	file := write(t, "people.ndjson", `{"email":"ari@example.com","about":"`+strings.Repeat("x", 1<<16)+`"}`+"\n"+`{"email":"bo@example.com"}`+"\n")
	r := bentoctl(t.Context(), "", "import", "subscribers", "--yes", "--limits", "off", file)
	require.Equal(t, exitDone, r.code, r.err)
	assert.Equal(t, 2, server.Counts().People)
}

// An outbox is a directory, whoever asks for it.
func TestAFileIsNoOutbox(t *testing.T) {
	serving(t)
	file := write(t, "hello.html", "<p>Hello</p>")
	for _, args := range [][]string{
		{"relay", "--store", file}, {"outbox", "status", "--store", file}, {"send", "event", "x", "ari@example.com", "--outbox", file},
	} {
		r := bentoctl(t.Context(), "", args...)
		assert.Equal(t, result{exitUsage, "", "bentoctl: " + file + " is a file: --store, --outbox and BENTO_OUTBOX want a directory\n"}, r)
	}
}
