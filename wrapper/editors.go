package bento

import (
	"context"
	"net/http"

	"example.com/bento-go/gen"
)

// BasicAuth returns the editor that adds HTTP Basic auth, the publishable key as the user name
// and the secret key as the password. The keys live in the editor's closure, where no
// formatting verb reaches them.
//
// An editor, not a transport: net/http drops the header on a redirect to another host, while a
// transport would add it again.
func BasicAuth(publishableKey, secretKey string) gen.RequestEditorFn {
	return func(_ context.Context, req *http.Request) error {
		req.SetBasicAuth(publishableKey, secretKey)
		return nil
	}
}

// SiteUUID returns the editor that adds the query parameter site_uuid.
func SiteUUID(uuid string) gen.RequestEditorFn {
	return func(_ context.Context, req *http.Request) error {
		query := req.URL.Query()
		query.Set("site_uuid", uuid)
		req.URL.RawQuery = query.Encode()
		return nil
	}
}

// UserAgent returns the editor that names the application. Unlike [New] it does not judge the
// name: see [Config.UserAgent] for what Bento expects.
func UserAgent(agent string) gen.RequestEditorFn {
	return func(_ context.Context, req *http.Request) error {
		req.Header.Set("User-Agent", agent)
		return nil
	}
}

// Accept returns the editor that asks for JSON, so that an edge in front of the API may answer
// in kind.
func Accept() gen.RequestEditorFn {
	return func(_ context.Context, req *http.Request) error {
		req.Header.Set("Accept", "application/json")
		return nil
	}
}
