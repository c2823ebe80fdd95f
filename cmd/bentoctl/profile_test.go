package main

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creack/pty"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/term"

	"example.com/bento-go/conformance/fake"
	"example.com/bento-go/gen"
	bento "example.com/bento-go/wrapper"
)

// strict serves a fake that takes one account only, and clears the environment.
func strict(t *testing.T) (base string) {
	t.Helper()
	server, err := fake.New(fake.WithCredentials("pk_canary", "sk_canary", "site_canary"))
	require.NoError(t, err)
	listening := httptest.NewServer(server)
	t.Cleanup(listening.Close)
	for _, name := range []string{bento.EnvBaseURL, bento.EnvPublishableKey, bento.EnvSecretKey, bento.EnvSiteUUID, bento.EnvUserAgent, envProfile} {
		t.Setenv(name, "")
	}
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	return listening.URL + gen.BasePath
}

const threeLines = "pk_canary\nsk_canary\nsite_canary\n"

var event = []string{"send", "event", "x", "ari@example.com"}

func TestLoginKeepsWhatWorks(t *testing.T) {
	base := strict(t)
	assert.Equal(t, 2, bentoctl(t.Context(), "", event...).code, "nothing is known yet")
	for _, store := range []string{"keyring", "file"} {
		r := bentoctl(t.Context(), threeLines, "login", "--profile", store, "--base-url", base, "--store", store, "--user-agent", "AcmeCRM/1.0")
		require.Equal(t, 0, r.code, r.err)
		assert.NotContains(t, r.err+r.out, "canary")
		r = bentoctl(t.Context(), "", append(event, "--profile", store)...)
		assert.Equal(t, 0, r.code, r.err)
	}
	r := bentoctl(t.Context(), "pk_canary\nsk_wrong\nsite_canary\n", "login", "--profile", "wrong", "--base-url", base)
	assert.Equal(t, 3, r.code)
	assert.Contains(t, r.err, "nothing was kept")
	assert.Equal(t, 2, bentoctl(t.Context(), "pk_canary\n", "login").code, "two lines are missing")
	assert.Equal(t, 2, bentoctl(t.Context(), threeLines, "login", "--profile", "a b").code)

	r = bentoctl(t.Context(), "", "profile", "list")
	assert.Equal(t, "  file             secret key in the file  "+base+"\n* keyring          secret key in the keyring  "+base+"\n", r.out, "the first is in use")
	require.Equal(t, 0, bentoctl(t.Context(), "", "profile", "use", "file").code)
	assert.Equal(t, 0, bentoctl(t.Context(), "", event...).code)
	r = bentoctl(t.Context(), "", "profile", "remove", "keyring")
	assert.Equal(t, 2, r.code)
	assert.Contains(t, r.err, "nothing was removed (--yes confirms)")
	require.Equal(t, 0, bentoctl(t.Context(), "", "profile", "remove", "keyring", "--yes").code)
	r = bentoctl(t.Context(), "", append(event, "--profile", "keyring")...)
	assert.Equal(t, 2, r.code)
	assert.Contains(t, r.err, `there is no profile "keyring" (there is: file)`)
}

// On a terminal the secret key does not show, and Ctrl-C leaves the terminal as it was.
func TestLoginOnATerminal(t *testing.T) {
	base := strict(t)
	var ends []func()       // of all rounds at the end: a read that was left behind must not find its number another's
	for round := range 50 { // an interrupt may come before the echo is off
		interrupted := round > 0
		screen, terminal, err := pty.Open()
		if err != nil {
			t.Skipf("no pseudo-terminal on this machine: %v", err)
		}
		before, err := term.GetState(int(terminal.Fd()))
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		shown := &watched{r: screen, at: map[string]func(){
			"publishable key: ": func() { _, _ = io.WriteString(screen, "pk_canary\n") },
			"secret key: ": func() {
				if interrupted {
					cancel()
					return
				}
				for echo := before; assert.ObjectsAreEqual(before, echo); { // until it is off
					var err error
					if echo, err = term.GetState(int(terminal.Fd())); err != nil {
						return
					}
				}
				_, _ = io.WriteString(screen, "sk_canary\n")
			},
			"site UUID: ": func() { _, _ = io.WriteString(screen, "site_canary\n") },
		}}
		read := make(chan struct{})
		go func() {
			shown.follow()
			close(read)
		}()
		code := run(ctx, []string{"login", "--base-url", base, "--store", "file"}, streams{terminal, io.Discard, terminal})
		cancel()
		after, err := term.GetState(int(terminal.Fd()))
		require.NoError(t, err)
		assert.Equal(t, before, after, "the terminal is as it was")
		_, _ = io.WriteString(screen, "\n") // for a read that was left behind
		ends = append(ends, func() {
			require.NoError(t, terminal.Close())
			<-read
			require.NoError(t, screen.Close())
			assert.Equal(t, map[bool]int{false: 0, true: 130}[interrupted], code, shown.seen.String())
			assert.NotContains(t, shown.seen.String(), "sk_canary")
		})
	}
	for _, end := range ends {
		end()
	}
}

// watched reads a screen, and does something when it shows a text for the first time.
type watched struct {
	r    io.Reader
	seen strings.Builder
	at   map[string]func()
}

func (w *watched) follow() {
	buffer := make([]byte, 1024)
	for {
		n, err := w.r.Read(buffer)
		w.seen.Write(buffer[:n])
		for text, do := range w.at {
			if strings.Contains(w.seen.String(), text) {
				delete(w.at, text)
				do()
			}
		}
		if err != nil {
			return
		}
	}
}

func TestTheFileIsForNobodyElse(t *testing.T) {
	base := strict(t)
	require.Equal(t, 0, bentoctl(t.Context(), threeLines, "login", "--base-url", base, "--store", "file").code)
	path := filepath.Join(os.Getenv("XDG_CONFIG_HOME"), "bentoctl", "config.json")
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	dir, err := os.Stat(filepath.Dir(path))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o700), dir.Mode().Perm())
	require.NoError(t, os.Chmod(path, 0o644))
	for _, args := range [][]string{event, {"profile", "list"}, {"doctor"}} {
		r := bentoctl(t.Context(), "", args...)
		assert.Equal(t, 2, r.code)
		assert.Contains(t, r.err+r.out, "chmod 600 "+path)
		assert.NotContains(t, r.err+r.out, "canary")
	}
	require.NoError(t, os.WriteFile(path, []byte("{"), 0o600))
	assert.Contains(t, bentoctl(t.Context(), "", event...).err, "is not the JSON of a configuration")
}

func TestTheSecretOfACommand(t *testing.T) {
	base := strict(t)
	r := bentoctl(t.Context(), "pk_canary\nsite_canary\n", "login", "--base-url", base, "--secret-command", "echo,sk_canary")
	require.Equal(t, 0, r.code, r.err)
	text, err := os.ReadFile(filepath.Join(os.Getenv("XDG_CONFIG_HOME"), "bentoctl", "config.json"))
	require.NoError(t, err)
	assert.NotContains(t, string(text), `"secret_key"`)
	assert.Equal(t, 0, bentoctl(t.Context(), "", event...).code)
	for command, want := range map[string]string{"false": "exit status 1", "true": "it printed nothing", "no-such-program": "not found", "yes": "more than 4096 bytes"} {
		r := bentoctl(t.Context(), "pk_canary\nsite_canary\n", "login", "--secret-command", command)
		assert.Equal(t, 2, r.code)
		assert.Contains(t, r.err, want)
	}
}

// Flags beat the environment, which beats the profile in use.
func TestWhoHasTheLastWord(t *testing.T) {
	base := strict(t)
	require.Equal(t, 0, bentoctl(t.Context(), threeLines, "login", "--base-url", base, "--store", "file").code)
	t.Setenv(bento.EnvSecretKey, "sk_wrong")
	assert.Equal(t, 3, bentoctl(t.Context(), "", event...).code, "the environment's")
	assert.Equal(t, 0, bentoctl(t.Context(), "", append(event, "--profile", "default")...).code, "the flag's")
	t.Setenv(bento.EnvSecretKey, "")
	t.Setenv(envProfile, "other")
	assert.Equal(t, 2, bentoctl(t.Context(), "", event...).code)
}

// Profiles of Bento's own command line are used as they are.
func TestProfilesOfBentosOwnCommandLine(t *testing.T) {
	base := strict(t)
	t.Setenv(bento.EnvBaseURL, base)
	path := filepath.Join(os.Getenv("XDG_DATA_HOME"), "bento", "config.json")
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	text := `{"version":1,"current":"acme","profiles":{"acme":{"publishableKey":"pk_canary","secretKey":"sk_canary","siteUuid":"site_canary","createdAt":"2026-01-01T00:00:00Z"}}}`
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	assert.Equal(t, 0, bentoctl(t.Context(), "", event...).code)
	assert.Contains(t, bentoctl(t.Context(), "", "profile", "list").out, "* acme             secret key in the file of Bento's own command line")
	require.NoError(t, os.Chmod(path, 0o604))
	assert.Contains(t, bentoctl(t.Context(), "", event...).err, "chmod 600")
	require.NoError(t, os.WriteFile(path, []byte("not JSON"), 0o600))
	assert.Equal(t, 2, bentoctl(t.Context(), "", event...).code)
}

func TestDoctor(t *testing.T) {
	base := strict(t)
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	t.Cleanup(secure.Close)
	portal := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Date", "Mon, 01 Jan 2024 00:00:00 GMT")
		_, _ = w.Write([]byte("<html>Welcome to our hotel</html>"))
	}))
	t.Cleanup(portal.Close)
	teapot := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	t.Cleanup(teapot.Close)
	moved := httptest.NewServer(http.RedirectHandler("https://a.example/", http.StatusFound))
	t.Cleanup(moved.Close)
	for name, tc := range map[string]struct {
		env  map[string]string
		code int
		want []string
	}{
		"all is well":              {nil, 0, []string{"ok    keys", "ok    network", "skip  tls           http on loopback", "ok    clock", "ok    api           answered a read (list tags) with 200"}},
		"nothing":                  {map[string]string{bento.EnvPublishableKey: "", bento.EnvSecretKey: ""}, 2, []string{"fail  keys          there is no publishable key and no secret key\n", "Set BENTO_PUBLISHABLE_KEY and BENTO_SECRET_KEY, or keep"}},
		"a teapot":                 {map[string]string{bento.EnvBaseURL: teapot.URL}, 4, []string{"fail  api", "418"}},
		"an address without API":   {map[string]string{bento.EnvBaseURL: strings.TrimSuffix(base, gen.BasePath)}, 2, []string{"fail  api", "It ends with /api/v1."}},
		"another address":          {map[string]string{bento.EnvBaseURL: moved.URL}, 2, []string{"The address leads elsewhere"}},
		"no keys":                  {map[string]string{bento.EnvSecretKey: ""}, 2, []string{"fail  keys          there is no secret key", "skip  api"}},
		"quotes":                   {map[string]string{bento.EnvSecretKey: `"sk_canary"`}, 2, []string{"the secret key holds quotes"}},
		"a line end":               {map[string]string{bento.EnvPublishableKey: "pk_canary "}, 2, []string{"the publishable key holds white space"}},
		"a scheme":                 {map[string]string{bento.EnvSecretKey: "Bearer:sk_canary"}, 2, []string{"begins with the name of a scheme"}},
		"an encoded pair":          {map[string]string{bento.EnvSecretKey: "cGtfY2FuYXJ5OnNrX2NhbmFyeQ=="}, 2, []string{"both keys, encoded as base64"}},
		"one key twice":            {map[string]string{bento.EnvSecretKey: "pk_canary"}, 2, []string{"are the same"}},
		"no site":                  {map[string]string{bento.EnvSiteUUID: ""}, 2, []string{"fail  site"}},
		"a bad agent":              {map[string]string{bento.EnvUserAgent: "curl/8.0"}, 2, []string{`"curl/8.0" is generic`, "AcmeCRM/1.0"}},
		"wrong keys":               {map[string]string{bento.EnvSecretKey: "sk_canary2"}, 3, []string{"fail  api", "Send both keys by Basic auth"}},
		"no https":                 {map[string]string{bento.EnvBaseURL: "http://app.bentonow.com/api/v1"}, 2, []string{"the base URL is not https"}},
		"nobody there":             {map[string]string{bento.EnvBaseURL: closed.URL}, 4, []string{"fail  network       no connection to 127.0.0.1"}},
		"a stranger's certificate": {map[string]string{bento.EnvBaseURL: secure.URL, bento.EnvSiteUUID: "00000000000000000000000000000000"}, 4, []string{"nobody whom this machine trusts"}},
		"a portal":                 {map[string]string{bento.EnvBaseURL: portal.URL}, 2, []string{"fail  clock", "is not Bento's API"}},
		"a wrong path":             {map[string]string{bento.EnvBaseURL: base + "/v2"}, 2, []string{"There is no such path at this address"}},
	} {
		t.Run(name, func(t *testing.T) {
			for key, value := range map[string]string{bento.EnvBaseURL: base, bento.EnvPublishableKey: "pk_canary", bento.EnvSecretKey: "sk_canary", bento.EnvSiteUUID: "site_canary", bento.EnvUserAgent: "AcmeCRM/1.0"} {
				t.Setenv(key, value)
			}
			for key, value := range tc.env {
				t.Setenv(key, value)
			}
			r := bentoctl(t.Context(), "", "doctor")
			assert.Equal(t, tc.code, r.code, r.out+r.err)
			for _, want := range tc.want {
				assert.Contains(t, r.out, want)
			}
			asJSON := bentoctl(t.Context(), "", "doctor", "--json")
			assert.Contains(t, asJSON.out, map[bool]string{true: `"ok":true`, false: `"ok":false`}[tc.code == 0])
			assert.NotContains(t, r.out+r.err+asJSON.out+asJSON.err, "canary")
		})
	}
}
