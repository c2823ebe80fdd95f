package loopback_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/internal/loopback"
)

func TestKeysTravelByHTTPOnlyWithinThisMachine(t *testing.T) {
	t.Parallel()
	for raw, may := range map[string]bool{
		"https://app.bentonow.com/api/v1": true,
		"http://localhost:7373":           true,
		"http://127.0.0.1":                true,
		"http://127.8.9.10:1":             true,
		"http://[::1]:7373":               true,
		"http://app.bentonow.com":         false,
		"http://localhost.evil.example":   false,
		"http://127.0.0.1.evil.example":   false,
		"http://192.168.1.2":              false,
		"http://":                         false,
		"ftp://localhost":                 false,
	} {
		u, err := url.Parse(raw)
		require.NoError(t, err)
		assert.Equal(t, may, loopback.MayCarryCredentials(u), raw)
	}
}
