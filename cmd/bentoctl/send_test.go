package main

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSendAnEvent(t *testing.T) {
	server := serving(t)
	r := bentoctl(t.Context(), "", "send", "event", "$signed_up", "ari@example.com", "--field", "plan=pro", "--detail", "seats:=3", "--detail", "trial:=true", "--unique-key", "k1", "--date", "2026-01-31T09:00:00Z")
	assert.Equal(t, result{0, "accepted: event $signed_up of ari@example.com\n", ""}, r)
	event := server.Events()[0]
	assert.Equal(t, "pro", event.Fields["plan"])
	assert.EqualValues(t, 3, event.Details["seats"])
	assert.Equal(t, true, event.Details["trial"])
	assert.Equal(t, "2026-01-31", event.Date.Format("2006-01-02"))
	for _, tc := range [][]string{
		{"event", "x"}, {"event", "x", "nobody"}, {"event", "x", "ari@example.com", "--field", "plan"}, {"event", "x", "ari@example.com", "--detail", "a:=many"},
		{"event", "x", "ari@example.com", "--detail", "a:=[1]"}, {"event", "x", "ari@example.com", "--date", "today"}, {"what"},
	} {
		assert.Equal(t, 2, bentoctl(t.Context(), "", append([]string{"send"}, tc...)...).code, tc)
	}
	assert.Len(t, server.Events(), 1)
}

var letter = []string{"send", "email", "--to", "ari@example.com", "--from", "team@acme.example", "--subject", "Hello"}

func TestSendAnEmail(t *testing.T) {
	server := serving(t)
	r := bentoctl(t.Context(), "<p>{{ n }}</p>", append(letter, "--html-file", "-", "--set", "n:=3", "--set", "who=Ari", "--transactional")...)
	assert.Equal(t, 0, r.code, r.err)
	assert.Contains(t, r.err, "A second run sends a second email")
	email := server.Emails()[0]
	assert.Equal(t, "<p>{{ n }}</p>", email.HTMLBody)
	assert.EqualValues(t, 3, email.Personalizations["n"])
	assert.True(t, email.Transactional)
	for _, args := range [][]string{{}, {"--html", "x", "--html-file", "y"}, {"--html-file", filepath.Join(t.TempDir(), "none")}, {"--html-file", "-", "--text", "see the attached"}, {"--html", "x", "--set", "n"}} {
		assert.Equal(t, 2, bentoctl(t.Context(), "", append(letter, args...)...).code, args)
	}
	assert.Len(t, server.Emails(), 1)
	r = bentoctl(t.Context(), "", append(letter, "--text", "Hello", "--cc", "bo@example.com", "--reply-to", "desk@acme.example")...)
	assert.Equal(t, 0, r.code, r.err)
	email = server.Emails()[1]
	assert.Equal(t, [4]string{"", "Hello", "bo@example.com", "desk@acme.example"}, [4]string{email.HTMLBody, email.TextBody, email.CC, email.ReplyTo})
}

// By a key an email is sent once: by the next run, by many at once; and again only if it surely was
// not sent.
func TestOnceIsOnce(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	server := serving(t, faultsOf(t, "sendEmails#1=401"))
	once := slices.Concat(letter, []string{"--html", "x", "--once", "receipt-1"})
	assert.Equal(t, 3, bentoctl(t.Context(), "", once...).code, "refused, so that the next may try")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { bentoctl(t.Context(), "", once...) })
	}
	all.Wait()
	r := bentoctl(t.Context(), "", once...)
	assert.Equal(t, 0, r.code)
	assert.Contains(t, r.err, "sent already, at 20")
	assert.Len(t, server.Emails(), 1)
	require.Equal(t, 0, bentoctl(t.Context(), "", append(letter, "--html", "x", "--once", "receipt-2")...).code)
	assert.Len(t, server.Emails(), 2)
}

func TestOnceDoesNotGuess(t *testing.T) {
	state := t.TempDir()
	t.Setenv("XDG_STATE_HOME", state)
	point(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	once := slices.Concat(letter, []string{"--html", "x", "--once", "receipt-1"})
	assert.Equal(t, 4, bentoctl(t.Context(), "", once...).code)
	server := serving(t)
	r := bentoctl(t.Context(), "", once...)
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.err, "nobody knows whether its email was sent")
	assert.Empty(t, server.Emails())
	kept, err := filepath.Glob(filepath.Join(state, "bentoctl", "once", "*"))
	require.NoError(t, err)
	require.Len(t, kept, 1)
	info, err := os.Stat(kept[0])
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	require.NoError(t, os.Remove(kept[0]))
	assert.Equal(t, 0, bentoctl(t.Context(), "", once...).code)
}
