package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/gen"
	bento "example.com/bento-go/wrapper"
)

// Whoever records with a key that is a word is told what becomes of that word, and the key is not said.
func TestRecordWarnsOfKeysThatAreWords(t *testing.T) {
	t.Setenv(bento.EnvSiteUUID, "subscribers")
	t.Setenv(bento.EnvSecretKey, "")
	t.Setenv(bento.EnvPublishableKey, "")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	fakeAddress, _ := started(ctx, t, io.Discard, "fake", "--listen", "127.0.0.1:0")
	file := filepath.Join(t.TempDir(), "passed.har")
	var said bytes.Buffer
	recordContext, stop := context.WithCancel(ctx)
	address, done := started(recordContext, t, &said, "record", "--quiet", "--listen", "127.0.0.1:0", "--upstream", fakeAddress+gen.BasePath, "-o", file)
	for range 2 {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, address+gen.BasePath+"/batch/events?site_uuid=events", strings.NewReader(`{"events":[{"type":"x","email":"a@example.com"}]}`))
		require.NoError(t, err)
		req.SetBasicAuth("pk", "2d8ab3b8f2a14a06a4c4b8f5d1a8a0c3")
		req.Header.Set("User-Agent", "AcmeCRM/1.0")
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
	}
	stop()
	assert.Equal(t, 0, <-done)
	assert.Equal(t, "warning: the site_uuid is a word of the contract: it is redacted in bodies wherever it stands, in names too, and check may miss them\n"+
		"warning: the publishable key is shorter than 4 bytes: the recording keeps it where it stands in a body\n", said.String(), "once each, and at the start what the environment has")
	written, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Contains(t, string(written), "/batch/events?site_uuid=REDACTED", "the contract's own words")
	assert.NotContains(t, string(written), `\"events\"`, "in a body it may be the site")
}

func TestKeysAsBentoGivesThemAreNoWords(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"", "2d8ab3b8f2a14a06a4c4b8f5d1a8a0c3", "pk_live_x7", "site_of_acme"} {
		assert.Empty(t, troubleOf(key), key)
	}
	for _, key := range []string{"abc", "site", "email", "first_name", "batch"} {
		assert.NotEmpty(t, troubleOf(key), key)
	}
}

// The demo warns, too.
func TestTheDemoWarnsOfKeysThatAreWords(t *testing.T) {
	serving(t)
	t.Setenv(bento.EnvSiteUUID, "site")
	r := bentoctl(t.Context(), "yes\n", "demo", "--live", "--subscribers", write(t, "people.csv", crowd(2)), "--events", write(t, "events.ndjson", `{"type":"x","email":"ari@example.com"}`+"\n"),
		"--recording", filepath.Join(t.TempDir(), "demo.har"))
	assert.Contains(t, r.err, "warning: the site_uuid is a word of the contract")
}
