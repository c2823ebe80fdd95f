package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// How an outbox may be named, what it means, and how it is shown: without what is secret.
func TestStoresAreNamed(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		spec  storeSpec
		shown string
	}{
		"spool":                        {storeSpec{"sqlite", "spool", ""}, "sqlite:spool"},
		"sqlite:/var/spool/bento":      {storeSpec{"sqlite", "/var/spool/bento", ""}, "sqlite:/var/spool/bento"},
		`C:\spool`:                     {storeSpec{"sqlite", `C:\spool`, ""}, `sqlite:C:\spool`},
		"nats:nats://n1:4222":          {storeSpec{"nats", "nats://n1:4222", ""}, "nats:nats://n1:4222"},
		"nats://me:secret@n1:4222#eu":  {storeSpec{"nats", "nats://me:secret@n1:4222", "eu"}, "nats:nats://n1:4222#eu"},
		"tls://n1:4222":                {storeSpec{"nats", "tls://n1:4222", ""}, "nats:tls://n1:4222"},
		"postgres:postgres://p:s@db/a": {storeSpec{"postgres", "postgres://p:s@db/a", ""}, "postgres:postgres://db/a"},
		"postgresql://db/app#outbox":   {storeSpec{"postgres", "postgresql://db/app", "outbox"}, "postgres:postgresql://db/app#outbox"},
		"postgres:host=db password=s":  {storeSpec{"postgres", "host=db password=s", ""}, "postgres:…"},
	} {
		got, err := parseStore(text)
		require.NoError(t, err, text)
		assert.Equal(t, want.spec, got, text)
		assert.Equal(t, want.shown, got.String())
	}
	for _, text := range []string{"redis://:secret@h", "sqlite:", "nats:", "file://x:secret@y"} {
		_, err := parseStore(text)
		require.Error(t, err, text)
		assert.Equal(t, exitUsage, exitCode(err))
		assert.NotContains(t, err.Error(), "secret")
	}
}
