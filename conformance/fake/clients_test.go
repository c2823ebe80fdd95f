package fake_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/conformance/fake"
	"example.com/bento-go/gen"
	"example.com/bento-go/internal/needed"
)

// talk runs a program against a fake on a socket.
func talk(t *testing.T, server *fake.Server, env []string, program string, args ...string) string {
	t.Helper()
	listening := httptest.NewServer(server)
	t.Cleanup(listening.Close)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "$BASE", listening.URL+gen.BasePath)
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(append(os.Environ(), "BENTO_BASE_URL="+listening.URL+gen.BasePath, "BENTO_PUBLISHABLE_KEY=pk", "BENTO_SECRET_KEY=sk", "BENTO_SITE_UUID=site"), env...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	return string(out)
}

// The examples of the conventions page work as they stand, in strict mode.
func TestTheConventionsOwnExamplesWork(t *testing.T) {
	t.Parallel()
	t.Run("curl", func(t *testing.T) {
		t.Parallel()
		needed.Program(t, "curl")
		server := newFake(t)
		out := talk(t, server, nil, "curl", "-s", "-X", "POST", "$BASE/batch/events?site_uuid=YOUR_SITE_UUID",
			"-H", "Authorization: Basic cGs6c2s=", "-H", "User-Agent: AcmeCRM/1.0", "-H", "Content-Type: application/json",
			"-d", `{ "events": [{ "type": "$signed_up", "email": "person@example.com", "fields": { "first_name": "Ari" } }] }`)
		assert.JSONEq(t, `{"results":1,"failed":0}`, out)
		person, known := server.Subscriber("person@example.com")
		require.True(t, known)
		assert.Equal(t, "Ari", person.Attributes.Fields["first_name"])
	})
	t.Run("fetch of Node", func(t *testing.T) {
		t.Parallel()
		needed.Program(t, "node")
		assert.Contains(t, talk(t, newFake(t), nil, "node", "testdata/clients/conventions.mjs"), `200 {"failed":0,"results":1}`)
	})
	t.Run("requests of Python", func(t *testing.T) {
		t.Parallel()
		needed.That(t, exec.Command("python3", "-c", "import requests").Run() == nil, "python3 with requests")
		assert.Contains(t, talk(t, newFake(t), nil, "python3", "testdata/clients/conventions.py"), `200 {"failed":0,"results":1}`)
	})
}

// Bento's own SDK for Node, unmodified, through every operation in common, in lenient mode; in
// strict mode it is told what the conventions say.
func TestTheSDKForNodeCannotTell(t *testing.T) {
	t.Parallel()
	sdk := os.Getenv("BENTO_NODE_SDK")
	needed.Program(t, "node")
	needed.That(t, sdk != "", "@bentonow/bento-node-sdk (BENTO_NODE_SDK)")
	server := newFake(t, fake.Lenient(), fake.WithBroadcasts(3))
	out := talk(t, server, []string{"BENTO_NODE_SDK=" + sdk}, "node", "testdata/clients/sdk.mjs")
	assert.Equal(t, 41, strings.Count(out, "\n"), out)
	for _, x := range server.Exchanges() {
		assert.Less(t, x.Status, http.StatusBadRequest, "%s %s", x.Method, x.Path)
	}
}
