package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
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
		"spool":                         {storeSpec{"sqlite", "spool", ""}, "sqlite:spool"},
		"sqlite:/var/spool/bento":       {storeSpec{"sqlite", "/var/spool/bento", ""}, "sqlite:/var/spool/bento"},
		`C:\spool`:                      {storeSpec{"sqlite", `C:\spool`, ""}, `sqlite:C:\spool`},
		"nats:nats://n1:4222":           {storeSpec{"nats", "nats://n1:4222", ""}, "nats:nats://n1:4222"},
		"nats://me:secret@n1:4222#eu":   {storeSpec{"nats", "nats://me:secret@n1:4222", "eu"}, "nats:nats://n1:4222#eu"},
		"tls://n1:4222":                 {storeSpec{"nats", "tls://n1:4222", ""}, "nats:tls://n1:4222"},
		"postgres:postgres://p:s@db/a":  {storeSpec{"postgres", "postgres://p:s@db/a", ""}, "postgres:postgres://db/a"},
		"postgresql://db/app#outbox":    {storeSpec{"postgres", "postgresql://db/app", "outbox"}, "postgres:postgresql://db/app#outbox"},
		"postgres:host=db password=s":   {storeSpec{"postgres", "host=db password=s", ""}, "postgres:…"},
		"postgres:password=s host=d#eu": {storeSpec{"postgres", "password=s host=d", "eu"}, "postgres:…#eu"},
		"nats://a:s@n1,nats://a:s@n2":   {storeSpec{"nats", "nats://a:s@n1,nats://a:s@n2", ""}, "nats:nats://n1,nats://n2"},
		"tls://a:s@n1, a:s@n2, n3#eu":   {storeSpec{"nats", "tls://a:s@n1, a:s@n2, n3", "eu"}, "nats:tls://n1,tls://n2,tls://n3#eu"},
		"nats://a:1,s@n1":               {storeSpec{"nats", "nats://a:1,s@n1", ""}, "nats:…"},
		"postgres://a:1/s@db/a":         {storeSpec{"postgres", "postgres://a:1/s@db/a", ""}, "postgres:…"},
		"postgres://a:1?s@db/a":         {storeSpec{"postgres", "postgres://a:1?s@db/a", ""}, "postgres:…"},
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

// What is behind a # may be the rest of a password: it is a name for certain, or nothing of it is shown.
func TestAPasswordIsNoNameOfAnOutbox(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"postgres://me:12#s3cret@db/app", "postgres:host=db password=12#s3cret user=x", "postgres:host=db password = 12#s3cret", "postgres:password='12#s3cret'",
		"nats://me:12#s3cret@n1:4222", "nats://me:12@n1:4222#" + strings.Repeat("s3cret", 11), "nats://me:12@n1:4222#",
	} {
		r := bentoctl(t.Context(), "", "outbox", "status", "--store", text)
		assert.Equal(t, exitUsage, r.code, text)
		assert.Contains(t, r.err, "%23")
		for _, secret := range []string{"12", "s3cret", "me:", "user"} {
			assert.NotContains(t, r.err, secret, text)
		}
	}
}

// A cluster that has lost its majority may come back; one without JetStream has to be set up otherwise.
func TestWhichOutboxesAreOutOfReach(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		err  error
		want bool
	}{
		{nats.ErrNoServers, true},
		{&jetstream.APIError{Code: 503, ErrorCode: 10008, Description: "JetStream system temporarily unavailable"}, true},
		{&jetstream.APIError{Code: 400, ErrorCode: 10005, Description: "no suitable peers for placement"}, true},
		{jetstream.ErrJetStreamNotEnabled, false},
		{jetstream.ErrJetStreamNotEnabledForAccount, false},
		{&jetstream.APIError{Code: 404, ErrorCode: 10059}, false},
		{errors.New("something else"), false},
	} {
		assert.Equal(t, tc.want, unreachable(fmt.Errorf("the stream X: %w", tc.err)), "%v", tc.err)
	}
}
