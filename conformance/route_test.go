package conformance_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/conformance"
	"example.com/bento-go/gen"
)

// A server is known by host, port and path; the port that its scheme has anyway is no other.
func TestAServerIsKnownByItsHostAndItsPort(t *testing.T) {
	t.Parallel()
	const tags = "/api/v1/fetch/tags?site_uuid=x"
	for _, tc := range []struct{ server, url, want string }{
		{"http://staging.example.com:80/api/v1", "http://staging.example.com" + tags, ""},
		{"http://staging.example.com/api/v1", "http://staging.example.com:80" + tags, ""},
		{"https://staging.example.com:443/api/v1", "https://staging.example.com" + tags, ""},
		{"https://staging.example.com:8443/api/v1", "https://staging.example.com:8443" + tags, ""},
		{"https://staging.example.com:8443/api/v1", "https://staging.example.com:9443" + tags, "another host"},
		{"https://staging.example.com/api/v1", "https://staging.example.com:80" + tags, "another host"},
		{"http://staging.example.com/api/v1", "http://staging.example.com:443" + tags, "another host"},
		{"", "https://app.bentonow.com:8443" + tags, "another host"},
		{"", "https://app bentonow.com" + tags, "another host"},
	} {
		x := good("GET", "/fetch/tags", "", `{"data":[]}`)
		x.Request.URL = tc.url
		assert.Equal(t, tc.want, newChecker(t, conformance.WithServer(tc.server)).Check(x).Skipped, "%s: %s", tc.server, tc.url)
	}
	for _, server := range []string{"not a URL", "https://staging example.com/api/v1", "staging.example.com/api/v1", "/api/v1"} {
		_, err := conformance.New(conformance.WithServer(server))
		require.ErrorContains(t, err, "want something like https://", server)
	}
}

// A path that is written out is not one with a parameter in its place.
func TestWhatIsWrittenOutComesFirst(t *testing.T) {
	t.Parallel()
	for path, operation := range map[string]string{
		"/chat/conversations/by_email?contact_email=ari@example.com&site_uuid=x": gen.OpListConversationsByEmail,
		"/chat/conversations/12?site_uuid=x":                                     gen.OpGetConversation,
	} {
		for range 10 {
			x := good("GET", "/fetch/tags", "", `{}`)
			x.Request.URL = "https://app.bentonow.com/api/v1" + path
			assert.Equal(t, operation, newChecker(t).Check(x).Operation)
		}
	}
}
