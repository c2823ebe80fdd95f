package faketest_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/conformance/fake/faketest"
	"example.com/bento-go/internal/needed"
	bento "example.com/bento-go/wrapper"
)

// The page shows what arrived, as text whatever it is, and a picture of it is kept.
func TestThePageShowsWhatArrivesAndRunsNothingOfIt(t *testing.T) {
	t.Parallel()
	b := faketest.New(t)
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", b.Server.Control())
	mux.Handle("/_fake/", http.StripPrefix("/_fake", b.Server.Control()))
	page := httptest.NewServer(mux)
	t.Cleanup(page.Close)
	hostile := `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>`
	_, err := b.Client.TrackEvents(t.Context(), []bento.Event{{Type: "$signed_up", Email: "ari@example.com"}, {Type: hostile, Email: "bo@example.com"}})
	require.NoError(t, err)
	_, err = b.Client.SendEmails(t.Context(), []bento.Email{{To: "ari@example.com", From: "a@acme.example", Subject: hostile, HTMLBody: hostile}})
	require.NoError(t, err)
	_, err = b.Client.ListTags(t.Context())
	require.NoError(t, err)

	picture := filepath.Join(t.ArtifactDir(), "fake.png")
	window := []string{"--window-size=1200,1500", "--virtual-time-budget=3000"}
	dom := needed.Chromium(t, append(window, "--dump-dom", page.URL+"/")...)
	assert.Contains(t, dom, "<td>$signed_up</td>")
	assert.Contains(t, dom, "&lt;img src=x")
	assert.Contains(t, dom, "<title>A fake Bento</title>", "nothing that came ran")
	assert.Contains(t, dom, "<td>ari@example.com</td>")
	assert.Contains(t, dom, "<td>trackEvents</td>")
	dom = needed.Chromium(t, append(window, "--dump-dom", page.URL+"/#trackEvents")...)
	assert.Contains(t, dom, ">#/components/schemas/TrackEventsBody</button>", "the contract is there to browse")
	needed.Chromium(t, append(window, "--screenshot="+picture, page.URL+"/")...)
	info, err := os.Stat(picture)
	require.NoError(t, err)
	assert.Greater(t, info.Size(), int64(20_000))
}

func TestTheContractIsThereToBrowse(t *testing.T) {
	t.Parallel()
	b := faketest.New(t)
	c := &http.Client{Transport: handlerTransport{b.Server.Control()}}
	for at, want := range map[string]string{
		"trackEvents":                       `"429":`,
		"%2Fcomponents%2Fschemas%2FEvent":   "required: [type, email]",
		"%2Fpaths%2F~1batch~1emails%2Fpost": "operationId: sendEmails",
		"%2Finfo":                           "title:",
		"":                                  "no such place", "%2F%2F%2F": "no such place", "%2Finfo%2Ftitle%2Fx": "no such place", "nobody": "no such place",
	} {
		_, said := send(t, c, http.MethodGet, "/contract?at="+at, "")
		assert.Contains(t, said, want, at)
	}
}

// By another name, or from a page of others, the control is shut.
func TestTheControlIsForThisMachine(t *testing.T) {
	t.Parallel()
	b := faketest.New(t)
	for _, tc := range []struct {
		host, origin string
		status       int
	}{
		{"127.0.0.1:7373", "", 200}, {"localhost:7373", "http://localhost:7373", 200}, {"[::1]:7373", "", 200},
		{"evil.example", "", 403}, {"evil.example:7373", "http://evil.example:7373", 403}, {"127.0.0.1:7373", "https://evil.example", 403}, {"localhost", "null", 403},
	} {
		req := httptest.NewRequest(http.MethodGet, "http://"+tc.host+"/counts", nil)
		if tc.origin != "" {
			req.Header.Set("Origin", tc.origin)
		}
		w := httptest.NewRecorder()
		b.Server.Control().ServeHTTP(w, req)
		assert.Equal(t, tc.status, w.Code, tc)
	}
}
