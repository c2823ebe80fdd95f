package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Rows that will be read again are not set aside twice.
func TestWhatWasSetAsideInVainGoesAway(t *testing.T) {
	serving(t, faultsOf(t, "trackEvents#1=401"))
	file := write(t, "events.csv", "type,email\nx,nobody\nx,ari@example.com\n")
	assert.Equal(t, exitRefused, bentoctl(t.Context(), "", "import", "events", file, "--yes", "--limits", "off").code)
	r := bentoctl(t.Context(), "", "import", "events", file, "--yes", "--limits", "off")
	assert.Equal(t, exitFailures, r.code, r.err)
	left, err := filepath.Glob(filepath.Join(filepath.Dir(file), "*.rejected*"))
	require.NoError(t, err)
	require.Len(t, left, 1)
	content, err := os.ReadFile(left[0])
	require.NoError(t, err)
	assert.Equal(t, "type,email,bento_line,bento_reason,bento_raw\nx,nobody,2,email is not an address,\n", string(content))
}

// What Bento refuses is set aside with what wrong rows are.
func TestWhatBentoRefusesIsSetAside(t *testing.T) {
	serving(t, faultsOf(t, "trackEvents=422"))
	file := write(t, "events.ndjson", `{"type":"x","email":"ari@example.com"}`+"\n")
	r := bentoctl(t.Context(), "", "import", "events", file, "--yes", "--limits", "off")
	assert.Equal(t, exitFailures, r.code, r.err)
	aside := strings.Replace(file, ".ndjson", ".rejected.ndjson", 1)
	assert.Contains(t, r.out, "refused     by Bento; those that it named: "+aside)
	content, err := os.ReadFile(aside)
	require.NoError(t, err)
	assert.Contains(t, string(content), `{"type":"x","email":"ari@example.com","bento_line":1,"bento_reason":"bento: trackEvents: 422`)
}

// Of a batch that Bento refused to the last record each row is set aside once, with its own reason if Bento
// gave one; the batch is not sent again to find what is known.
func TestRowsOfARefusedBatchAreSetAsideOnce(t *testing.T) {
	asked := 0
	point(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		asked++
		_ = readAllOf(req.Body)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnprocessableEntity)
		_, _ = io.WriteString(w, `{"results":0,"failed":3,"errors":[{"index":1,"error":"no such type"}]}`)
	}))
	file := write(t, "events.ndjson", `{"type":"a","email":"ari@example.com"}`+"\n"+`{"type":"b","email":"ari@example.com"}`+"\n"+`{"type":"c","email":"ari@example.com"}`+"\n")
	r := bentoctl(t.Context(), "", "import", "events", file, "--yes", "--limits", "off")
	assert.Equal(t, exitFailures, r.code, r.err)
	assert.Equal(t, 1, asked)
	content, err := os.ReadFile(strings.Replace(file, ".ndjson", ".rejected.ndjson", 1))
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	require.Len(t, lines, 3, string(content))
	for _, line := range lines {
		assert.Contains(t, line, "422")
		assert.Equal(t, strings.Contains(line, `"type":"b"`), strings.Contains(line, "no such type"), line)
	}
}

// Rows of a CSV stand there under their names, and can be given again.
func TestARowThatBentoRefusesCanBeGivenAgain(t *testing.T) {
	server := serving(t, faultsOf(t, "importSubscribers#1=422"), faultsOf(t, "importSubscribers#2=422"))
	file := write(t, "people.csv", "Email,Plan\nari@example.com,pro\nnobody,\n")
	assert.Equal(t, exitFailures, bentoctl(t.Context(), "", "import", "subscribers", file, "--yes", "--limits", "off", "--tag", "new").code)
	aside := strings.Replace(file, ".csv", ".rejected.csv", 1)
	content, err := os.ReadFile(aside)
	require.NoError(t, err)
	assert.Contains(t, string(content), "nobody,,3,email is not an address,\nari@example.com,pro,2,\"bento: importSubscribers: 422")
	r := bentoctl(t.Context(), "", "import", "subscribers", aside, "--yes", "--limits", "off")
	assert.Contains(t, r.out, "1 accepted", r.err)
	assert.Equal(t, 1, server.Counts().People)
}
