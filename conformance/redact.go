package conformance

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
)

// Redacted stands where a recording left a secret out.
const Redacted = "[redacted]"

// plainHeaders are kept as they are; of any other header only the name is.
var plainHeaders = map[string]bool{
	"Accept": true, "Accept-Encoding": true, "Allow": true, "Cache-Control": true, "Content-Encoding": true,
	"Content-Length": true, "Content-Type": true, "Date": true, "Retry-After": true, "Server": true,
	"User-Agent": true, "Vary": true, "X-Request-Id": true, "X-Runtime": true,
}

// A redactor takes secrets out of one exchange, before anything of it is written.
type redactor struct{ replace *strings.Replacer }

// newRedactor learns the secrets of a request, to find them wherever they stand.
func newRedactor(req *http.Request) redactor {
	var pairs []string
	learn := func(secret string) {
		if len(secret) >= 4 { // a shorter one would take half of every body with it
			pairs = append(pairs, secret, Redacted)
		}
	}
	learn(req.URL.Query().Get("site_uuid"))
	header := req.Header.Get("Authorization")
	if _, credentials, ok := strings.Cut(header, " "); ok {
		learn(credentials)
		decoded, _ := base64.StdEncoding.DecodeString(credentials)
		user, password, _ := strings.Cut(string(decoded), ":")
		learn(password)
		learn(user)
	}
	return redactor{strings.NewReplacer(pairs...)}
}

func (r redactor) body(body []byte) []byte { return []byte(r.replace.Replace(string(body))) }

// url keeps the path and the names of the parameters; values are kept only where they are no
// secret and nobody's data.
func (r redactor) url(u *url.URL) string {
	clean := *u
	clean.User = nil
	clean.Fragment = ""
	clean.Path, clean.RawPath = r.replace.Replace(u.Path), ""
	var query []string
	for part := range strings.SplitSeq(u.RawQuery, "&") {
		name, value, hasValue := strings.Cut(part, "=")
		switch {
		case part == "":
			continue
		case name == "email" && value != "":
			part = name + "=redacted%40example.com"
		case name == "page" || !hasValue || value == "":
		default:
			part = name + "=REDACTED"
		}
		query = append(query, part)
	}
	clean.RawQuery = strings.Join(query, "&")
	return clean.String()
}

func (r redactor) headers(h http.Header) []harHeader {
	list := []harHeader{}
	for name, values := range h {
		for _, value := range values {
			switch {
			case plainHeaders[name]:
				value = r.replace.Replace(value)
			case name == "Authorization" && strings.HasPrefix(value, "Basic "):
				value = "Basic " + Redacted
			default:
				value = Redacted
			}
			list = append(list, harHeader{name, value})
		}
	}
	sortHeaders(list)
	return list
}
