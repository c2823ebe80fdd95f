package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/conformance"
	"example.com/bento-go/conformance/fake"
	"example.com/bento-go/gen"
	bento "example.com/bento-go/wrapper"
)

func TestTheDemoShowsThatAllIsWell(t *testing.T) {
	t.Parallel()
	recording := filepath.Join(t.TempDir(), "demo.har")
	require.NoError(t, os.WriteFile(recording, nil, 0o644))
	got := bentoctl(t.Context(), "", "demo", "--recording", recording)
	require.Equal(t, 0, got.code, got.out+got.err)
	for _, want := range []string{
		"import subscribers    2,600    2,600        5  503, broken connection; retried",
		"2,700    2,700        4  429; retried", "61       61        2",
		recording, "7 of 44 operations", "Nothing was lost, nothing was sent twice",
	} {
		assert.Contains(t, got.out, want)
	}
	for line := range strings.SplitSeq(got.out, "\n") {
		assert.True(t, len(line) <= 80 || strings.Contains(line, recording), line)
	}
	info, err := os.Stat(recording)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "though it was everybody's before")
	content, err := os.ReadFile(recording)
	require.NoError(t, err)
	for _, secret := range []string{"pk_demo", "sk_demo", demoSite} {
		assert.NotContains(t, string(content), secret)
	}
	assert.Equal(t, 0, bentoctl(t.Context(), "", "check", recording).code)
}

func oneEvent(t *testing.T) (file string) {
	t.Helper()
	return write(t, "events.ndjson", `{"type":"x","email":"a@example.com"}`)
}

func TestTheDemoSpeaksJSON(t *testing.T) {
	t.Parallel()
	got := bentoctl(t.Context(), "", "demo", "--json", "--subscribers", write(t, "people.csv", "email\na@example.com\n"), "--events", oneEvent(t),
		"--recording", filepath.Join(t.TempDir(), "demo.har"))
	require.Equal(t, 0, got.code, got.err)
	var decoded struct {
		OK      bool
		Steps   []struct{ Step string }
		Summary map[string]int
	}
	require.NoError(t, json.Unmarshal([]byte(got.out), &decoded))
	assert.True(t, decoded.OK)
	assert.Len(t, decoded.Steps, 7)
	assert.Equal(t, 0, decoded.Summary["errors"])
}

func TestTheDemoTakesFilesAndNamesRowsItLeavesOut(t *testing.T) {
	t.Parallel()
	people := write(t, "people.csv", "Email,First Name,plan\na@example.com,Ari,\nnot-an-address,Bo,pro\nc+d@example.com,\"Ciarán, Jr\",pro\nx@example.com\n")
	events := write(t, "events.ndjson", `{"type":"x","email":"a@example.com"}`+"\n\n"+`{"type":"","email":"a@example.com"}`+"\n"+`{"type":"x","email":"a@example.com","field":{}}`+"\nnot json\n")
	got := bentoctl(t.Context(), "", "demo", "--subscribers", people, "--events", events, "--recording", filepath.Join(t.TempDir(), "demo.har"))
	assert.Equal(t, 1, got.code)
	for _, want := range []string{
		"people.csv:3: email is not an address", "people.csv:5: 1 cells under 3 columns",
		"events.ndjson:3: type is missing", "events.ndjson:4: not what the contract describes", "events.ndjson:5: not a JSON object",
		"5 rows of the input were left out",
	} {
		assert.Contains(t, got.err, want)
	}
	assert.Contains(t, got.out, "import subscribers        2        2")
	assert.NotContains(t, got.err, "not-an-address")
}

func TestAFileTheDemoCannotUseEndsItWithAReason(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		"":                      "the file is empty",
		"name,address\nAri,x\n": "no column holds addresses: there are name, address",
		"email,email\na,b\n":    "two columns become email",
		"\"email\nx":            "the header is not readable as CSV",
		"email,plan\na@example.com,\"pro\nb@example.com,free\n": "people.csv:2: a quote that opens here is not closed",
	} {
		file := write(t, "people.csv", content)
		got := bentoctl(t.Context(), "", "demo", "--subscribers", file, "--recording", filepath.Join(t.TempDir(), "demo.har"))
		assert.Equal(t, 2, got.code, content)
		assert.Contains(t, got.err, want)
	}
}

func TestTextThatIsNotUTF8IsLeftOutAndNotChanged(t *testing.T) {
	t.Parallel()
	people := write(t, "people.csv", "email,first_name\na@example.com,Jos\xe9\nb@example.com,Bo\n")
	events := write(t, "events.ndjson", "{\"type\":\"\xe9\",\"email\":\"a@example.com\"}\n{\"type\":\"x\",\"email\":\"a@example.com\"}\n")
	got := bentoctl(t.Context(), "", "demo", "--subscribers", people, "--events", events, "--recording", filepath.Join(t.TempDir(), "demo.har"))
	assert.Equal(t, 1, got.code)
	assert.Contains(t, got.err, "people.csv:2: not UTF-8")
	assert.Contains(t, got.err, "events.ndjson:1: not UTF-8")
}

func TestRowsThatTheFileHoldsTwiceAreNotSentTwice(t *testing.T) {
	t.Parallel()
	people := write(t, "people.csv", "email\na@example.com\na@example.com\n")
	got := bentoctl(t.Context(), "", "demo", "--subscribers", people, "--events", oneEvent(t), "--recording", filepath.Join(t.TempDir(), "demo.har"))
	assert.Equal(t, 0, got.code, got.err+got.out)
}

func TestCtrlCTellsWhatWasAcceptedAndKeepsTheRecording(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	recording := filepath.Join(t.TempDir(), "demo.har")
	out, errs := &interruptAt{word: "import subscribers", cancel: cancel}, &bytes.Buffer{}
	code := run(ctx, []string{"demo", "--recording", recording}, streams{strings.NewReader(""), out, errs})
	assert.Equal(t, 130, code)
	assert.Contains(t, errs.String(), "ended early; accepted so far: 2,600 subscribers, 0 events, 0 emails")
	assert.Contains(t, out.String(), "Not finished")
	assert.Equal(t, 0, bentoctl(t.Context(), "", "check", recording).code, "the recording is whole")
}

// live runs the demo against a server of its own, as --live does against Bento.
func live(t *testing.T, handler http.Handler, secret string) result {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	address, stopped := serveForTest(ctx, t, handler)
	defer func() { cancel(); <-stopped }()
	t.Setenv(bento.EnvBaseURL, "http://"+address+gen.BasePath)
	t.Setenv(bento.EnvPublishableKey, "pk_live_test")
	t.Setenv(bento.EnvSecretKey, secret)
	t.Setenv(bento.EnvSiteUUID, "5173c0de5173c0de")
	t.Setenv(bento.EnvUserAgent, "")
	people := write(t, "people.csv", "email\na@example.com\n")
	events := write(t, "events.ndjson", `{"type":"x","email":"a@example.com"}`)
	return bentoctl(t.Context(), "yes\n", "demo", "--live", "--subscribers", people, "--events", events,
		"--from", "author@example.com", "--to", "me@example.com", "--recording", filepath.Join(t.TempDir(), "demo.har"))
}

func TestLiveTalksToTheServerOfTheEnvironment(t *testing.T) {
	server, err := fake.New(fake.WithCredentials("pk_live_test", "sk_live_test", "5173c0de5173c0de"))
	require.NoError(t, err)
	got := live(t, server, "sk_live_test")
	assert.Equal(t, 0, got.code, got.err)
	assert.Contains(t, got.out, "All of it was accepted")
	assert.Equal(t, 1, server.Counts().Emails.Accepted)

	got = live(t, server, "sk_live_wrong")
	assert.Equal(t, 3, got.code)
	assert.Contains(t, got.err, "Check credentials and query string")
	assert.NotContains(t, got.out+got.err, "sk_live")
}

func TestAServerThatIsGoneIsExitCode4(t *testing.T) {
	hangUp := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	got := live(t, hangUp, "sk_live_test")
	assert.Equal(t, 4, got.code)
	assert.Contains(t, got.err, "import subscribers")
	assert.Contains(t, got.out, "accepted so far: 0 subscribers")
}

func FuzzReadSubscribers(f *testing.F) {
	for _, seed := range []string{"email\na@example.com\n", "email,\"a\nb", "\xff", "email;x\n", "email\n\"\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for record, err := range readSubscribers(strings.NewReader(text), "f") {
			if err == nil && !conformance.ValidEmail(record.Email) {
				t.Fatalf("let through: %q", record.Email)
			}
		}
	})
}

func FuzzReadEvents(f *testing.F) {
	for _, seed := range []string{`{"type":"x","email":"a@example.com"}`, "{}", "\xff", "[]\n{}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for event, err := range readEvents(strings.NewReader(text), "f") {
			if err == nil && (event.Type == "" || !conformance.ValidEmail(event.Email)) {
				t.Fatal("let through")
			}
		}
	})
}
