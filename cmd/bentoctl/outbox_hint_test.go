package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// hinted are the commands that a text tells its reader to give, as arguments.
func hinted(text string) (commands [][]string) {
	for _, found := range regexp.MustCompile(`: bentoctl (outbox .*)`).FindAllStringSubmatch(text, -1) {
		commands = append(commands, strings.Fields(found[1]))
	}
	return commands
}

// A hint that is copied works, whether the store was named by the flag or by the environment.
func TestHintsNameTheStore(t *testing.T) {
	dir := parkedEntry(t)
	byFlag := []string{"--store", dir}
	require.Equal(t, exitDone, bentoctl(t.Context(), "", append([]string{"outbox", "pause", "emails", "--reason", "x"}, byFlag...)...).code)
	status := bentoctl(t.Context(), "", append([]string{"outbox", "status"}, byFlag...)...)
	commands := hinted(status.out)
	require.Len(t, commands, 2, status.out)
	for _, command := range commands {
		assert.Equal(t, exitDone, bentoctl(t.Context(), "", command...).code, command)
	}
	t.Setenv(envOutbox, dir)
	assert.NotContains(t, bentoctl(t.Context(), "", "outbox", "status").out, "--store")
}

// So does that of a drain, about what it could not deliver and about what is paused.
func TestHintsOfADrainNameTheStore(t *testing.T) {
	serving(t, faultsOf(t, "sendEmails=503"))
	dir := parkedEntry(t)
	mail := []string{"send", "email", "--to", "bo@example.com", "--from", "team@acme.example", "--subject", "Hello", "--html", "Hi", "--outbox", dir}
	drain := []string{"outbox", "drain", "--limits", "off", "--store", dir}
	require.Equal(t, exitDone, bentoctl(t.Context(), "", mail...).code)
	parked := bentoctl(t.Context(), "", drain...)
	require.Equal(t, exitDone, bentoctl(t.Context(), "", append([]string{"outbox", "pause", "emails", "--reason", "x"}, "--store", dir)...).code)
	require.Equal(t, exitDone, bentoctl(t.Context(), "", mail...).code)
	paused := bentoctl(t.Context(), "", drain...)
	for _, r := range []result{parked, paused} {
		assert.Equal(t, exitFailures, r.code)
		commands := hinted(r.err)
		require.Len(t, commands, 1, r.err)
		assert.Equal(t, exitDone, bentoctl(t.Context(), "", commands[0]...).code, commands)
	}
}

// What a hint says of a store is fit for a shell, and holds no secret.
func TestAHintIsFitForAShellAndHoldsNoSecret(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                  "bentoctl outbox list",
		"spool":                             "bentoctl outbox list --store sqlite:spool",
		"my spool's":                        `bentoctl outbox list --store 'sqlite:my spool'\''s'`,
		"nats://n1:4222#eu":                 "bentoctl outbox list --store nats:nats://n1:4222#eu",
		"nats://me:secret@n1:4222#eu":       "bentoctl outbox list (with the URL in BENTO_OUTBOX)",
		"postgres://db/app?password=secret": "bentoctl outbox list (with the URL in BENTO_OUTBOX)",
		"postgres:host=db password=s":       "bentoctl outbox list (with the URL in BENTO_OUTBOX)",
	} {
		flag := storeFlag{text}
		assert.Equal(t, want, flag.hint("list"), text)
	}
}
