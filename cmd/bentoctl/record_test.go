package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/gen"
)

func emptyDirectory(t *testing.T) string {
	t.Helper()
	return t.TempDir()
}

// started runs a verb that listens, and returns where; its exit code comes when it has ended.
func started(ctx context.Context, t *testing.T, stderr io.Writer, args ...string) (address string, ended chan int) {
	t.Helper()
	out := &firstLine{line: make(chan string, 1)}
	ended = make(chan int, 1)
	go func() { ended <- run(ctx, args, streams{strings.NewReader(""), out, stderr}) }()
	address, ok := strings.CutPrefix(<-out.line, "listening on ")
	require.True(t, ok)
	return address, ended
}

// What passes the proxy is recorded without keys, judged, and fit for a check.
func TestRecordPassesOnAndWritesDown(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	fakeAddress, _ := started(ctx, t, io.Discard, "fake", "--listen", "127.0.0.1:0")
	file := filepath.Join(t.TempDir(), "passed.har")
	require.NoError(t, os.WriteFile(file, nil, 0o644)) // and so everybody's, until it is used
	var said bytes.Buffer
	recordContext, stop := context.WithCancel(ctx)
	address, done := started(recordContext, t, &said, "record", "--listen", "127.0.0.1:0", "--upstream", fakeAddress+gen.BasePath, "--check", "-o", file)

	for _, body := range []string{`{"events":[{"type":"x","email":"a@example.com"}]}`, `{"events":[]}`} {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, address+gen.BasePath+"/batch/events?site_uuid=canary-site", strings.NewReader(body))
		require.NoError(t, err)
		req.SetBasicAuth("pk_canary_key", "sk_canary_key")
		req.Header.Set("User-Agent", "AcmeCRM/1.0")
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
	}
	stop()
	assert.Equal(t, 1, <-done, said.String())
	assert.Contains(t, said.String(), "request.body.schema")
	written, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.NotContains(t, string(written), "canary")
	checked := bentoctl(t.Context(), "", "check", file)
	assert.Equal(t, 1, checked.code, checked.err)
	assert.Contains(t, checked.out, "2 checked")
	info, err := os.Stat(file)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

// Where another listens, its recording is left alone.
func TestARecordingIsNotEmptiedInVain(t *testing.T) {
	t.Parallel()
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = taken.Close() }()
	file := write(t, "today.har", "of another")
	r := bentoctl(t.Context(), "", "record", "--listen", taken.Addr().String(), "-o", file)
	assert.Equal(t, exitUsage, r.code)
	assert.NotContains(t, r.err, "recorded to")
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, "of another", string(content))
}

// What check can be asked for: formats, directories, patterns, a baseline, another server.
func TestCheckAsItIsUsedInCI(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	bad := `{"request":{"method":"GET","url":"https://app.bentonow.com/api/v1/fetch/tags"},"response":{"status":200,"headers":{"Content-Type":"application/json"},"body":"{\"data\":[],\"news\":1}"}}`
	recording := filepath.Join(dir, "a.ndjson")
	require.NoError(t, os.WriteFile(recording, []byte(bad+"\n"), 0o600))
	staging := filepath.Join(dir, "staging.jsonl")
	require.NoError(t, os.WriteFile(staging, []byte(strings.ReplaceAll(bad, "app.bentonow.com/api/v1", "staging.example.com/bento")), 0o600))

	first := bentoctl(t.Context(), "", "check", dir)
	assert.Equal(t, 1, first.code)
	assert.Contains(t, first.out, "1 skipped: another host")
	both := bentoctl(t.Context(), "", "check", "--server", "https://staging.example.com/bento", filepath.Join(dir, "*.*json*"))
	assert.Contains(t, both.out, "entries     2: 2 checked, 0 skipped")

	known := filepath.Join(dir, "known.report")
	assert.Equal(t, 1, bentoctl(t.Context(), "", "check", "--format", "json", "-o", known, recording).code)
	again := bentoctl(t.Context(), "", "check", "--baseline", known, "--fail-on", "drift", recording)
	assert.Equal(t, 0, again.code, again.out+again.err)
	assert.Contains(t, again.out, "2 known")

	siteless := strings.Replace(bad, "fetch/tags", "fetch/tags?site_uuid=x", 1)
	drift := filepath.Join(dir, "drift.json")
	require.NoError(t, os.WriteFile(drift, []byte(siteless), 0o600))
	for failOn, code := range map[string]int{"error": 0, "warning": 0, "drift": 1} {
		r := bentoctl(t.Context(), "", "check", "--quiet", "--fail-on", failOn, drift)
		assert.Equal(t, code, r.code, failOn)
		assert.Equal(t, code != 0, r.out != "", "what fails says why")
	}
	for format, sign := range map[string]string{
		"junit": "<testsuites", "sarif": `"2.1.0"`, "github": "::error ", "csv": "severity,rule", "html": "<!DOCTYPE html>", "json": `"summary"`,
	} {
		assert.Contains(t, bentoctl(t.Context(), "", "check", "--format", format, recording).out, sign)
	}
	assert.Contains(t, bentoctl(t.Context(), "", "check", "--json", "--group", recording).out, `"fingerprint"`)
	piped := bentoctl(t.Context(), bad, "check", "-")
	assert.Contains(t, piped.out, "in -:0")
}
