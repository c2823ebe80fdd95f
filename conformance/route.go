package conformance

import (
	"errors"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"example.com/bento-go/gen"
	"example.com/bento-go/internal/loopback"
)

// A route is a path of the contract, in segments.
type route struct {
	segments   []string // "{name}" matches any one segment
	operations map[string]*openapi3.Operation
}

// routesOf puts what is written out before what has a parameter in its place, as OpenAPI has it: no
// letter comes after a brace.
func routesOf(doc *openapi3.T) []route {
	var routes []route
	items := doc.Paths.Map()
	for _, path := range slices.Sorted(maps.Keys(items)) {
		routes = append(routes, route{strings.Split(path, "/"), items[path].Operations()})
	}
	return routes
}

func (r route) matches(segments []string) bool {
	if len(segments) != len(r.segments) {
		return false
	}
	for i, want := range r.segments {
		parameter := strings.HasPrefix(want, "{")
		if segments[i] != want && (!parameter || segments[i] == "") {
			return false
		}
	}
	return true
}

// match finds the operation for a path under the base path and the segments of its pattern, and
// whether the path is known. HEAD is GET without a body.
func (c *Checker) match(method, path string) (op *openapi3.Operation, pattern []string, pathKnown bool) {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	segments := strings.Split(path, "/")
	for _, r := range c.routes {
		if !r.matches(segments) {
			continue
		}
		if op := r.operations[method]; op != nil {
			return op, r.segments, true
		}
		pathKnown = true
	}
	return nil, nil, pathKnown
}

// A server is where Bento, or something that stands for it, answers.
type server struct{ host, basePath string }

func parseServer(raw string) (server, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return server{}, errors.New("not an absolute URL")
	}
	return server{host: normalHost(u), basePath: strings.TrimSuffix(u.Path, "/")}, nil
}

// normalHost is the host in lower case, without the scheme's own port.
func normalHost(u *url.URL) string {
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if port == "" || u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" {
		return host
	}
	return net.JoinHostPort(host, port)
}

// A location is a URL as the contract sees it.
type location struct{ path, query string }

// locate finds what a URL is below the base path of its server, and whether the server is one
// of Bento's. Beside the base path its path is empty, which matches nothing. A URL without a
// host is taken to be Bento's, and so is one on loopback, where fakes live, if it has the base
// path.
func (c *Checker) locate(raw string) (at location, known bool) {
	raw, _, _ = strings.Cut(raw, "#")
	raw, at.query, _ = strings.Cut(raw, "?")
	u, err := url.Parse(raw)
	if err != nil {
		return at, false
	}
	servers := c.servers
	if loopback.Is(u.Hostname()) {
		servers = append(servers[:len(servers):len(servers)], server{normalHost(u), gen.BasePath})
	}
	for _, s := range servers {
		if u.Host != "" && normalHost(u) != s.host {
			continue
		}
		if path, under := strings.CutPrefix(u.Path, s.basePath); under {
			at.path = path
			return at, true
		}
		known = !loopback.Is(u.Hostname())
	}
	return at, known
}
