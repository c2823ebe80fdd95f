package conformance

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"example.com/bento-go/gen"
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
type redactor struct {
	pairs   []string
	replace *strings.Replacer
}

// newRedactor learns the secrets of a request, to find them wherever they stand.
func newRedactor(req *http.Request) redactor {
	secrets := []string{req.URL.Query().Get("site_uuid")}
	if _, credentials, ok := strings.Cut(req.Header.Get("Authorization"), " "); ok {
		decoded, _ := base64.StdEncoding.DecodeString(credentials)
		user, password, _ := strings.Cut(string(decoded), ":")
		secrets = append(secrets, credentials, password, user)
	}
	return redactor{}.knowing(append(secrets, valuesOf(req.Cookies())...)...)
}

// valuesOf are those of cookies that are long enough to be a secret, and not a word of JSON, say.
func valuesOf(cookies []*http.Cookie) (values []string) {
	for _, c := range cookies {
		if len(c.Value) >= 8 {
			values = append(values, c.Value)
		}
	}
	return values
}

// sitesIn are the sites that a body names where some clients put them.
func sitesIn(body []byte) (sites []string) {
	if !bytes.Contains(body, []byte("site_uuid")) {
		return nil
	}
	for _, match := range siteInBody.FindAllSubmatch(body, maxSites) {
		sites = append(sites, string(match[0][len(match[1]):]))
	}
	return sites
}

// maxSites bounds those of one body.
const maxSites = 8

// knowing returns a redactor that knows more secrets, in each spelling that a body or a query
// may give them. Anything shorter than four bytes would take half of every body with it.
func (r redactor) knowing(secrets ...string) redactor {
	for _, secret := range secrets {
		if len(secret) < 4 {
			continue
		}
		quoted, _ := json.Marshal(secret)
		for _, spelling := range []string{secret, string(quoted[1 : len(quoted)-1]), url.QueryEscape(secret), url.PathEscape(secret)} {
			r.pairs = append(r.pairs, spelling, Redacted)
		}
	}
	r.replace = strings.NewReplacer(r.pairs...)
	return r
}

// siteInBody matches site_uuid in JSON and in forms, where some clients put it.
var siteInBody = regexp.MustCompile(`("site_uuid"\s*:\s*"|(?:^|&)site_uuid=)[^"&]*`)

func (r redactor) body(body []byte) []byte {
	body = []byte(r.text(string(body)))
	if !bytes.Contains(body, []byte("site_uuid")) { // most bodies: the expression looks at each byte
		return body
	}
	return siteInBody.ReplaceAll(body, []byte("${1}REDACTED"))
}

func (r redactor) text(s string) string { return r.replace.Replace(s) }

// plainParameters hold no secret and nobody's data.
var plainParameters = map[string]bool{
	"page": true, "status": true, "dimension": true, "revenue_mode": true, "start_date": true, "end_date": true,
}

// hiddenParameters are the contract's others that stand beside a value which nobody sees.
var hiddenParameters = map[string]bool{"site_uuid": true, "email": true}

// url keeps the path and the names of the parameters, and the values of the plain ones. The contract's own
// words stay where they are nothing but that, though a secret may be such a word, or a part of it.
func (r redactor) url(u *url.URL) string {
	clean := *u
	clean.User = nil
	clean.Fragment = ""
	clean.Path, clean.RawPath = r.path(u.Path), ""
	var query []string
	for part := range strings.SplitSeq(u.RawQuery, "&") {
		name, value, hasValue := strings.Cut(part, "=")
		plain := plainParameters[name] && r.text(part) == part
		if !plainParameters[name] && !hiddenParameters[name] {
			name, value, hasValue = strings.Cut(r.text(part), "=")
		}
		switch {
		case part == "":
			continue
		case !hasValue:
			part = "REDACTED"
		case name == "email" && value != "":
			part = name + "=redacted%40example.com"
		case plain || value == "":
			part = name + "=" + value
		default:
			part = name + "=REDACTED"
		}
		query = append(query, part)
	}
	clean.RawQuery = strings.Join(query, "&")
	return clean.String()
}

// path keeps the words of an operation's path; what stands for a parameter in it may hold a secret.
func (r redactor) path(path string) string {
	below, ours := strings.CutPrefix(path, gen.BasePath+"/")
	if !ours || r.spans(path) {
		return r.text(path)
	}
	segments := strings.Split("/"+below, "/")
	words := make([]bool, len(segments))
	known := false
	for _, op := range gen.Operations() {
		of := route{segments: strings.Split(op.Path, "/")}
		if !of.matches(segments) {
			continue
		}
		for i, segment := range of.segments {
			words[i] = segments[i] == segment && (words[i] || !known) // in all that match
		}
		known = true
	}
	if !known {
		return r.text(path)
	}
	for i, word := range words {
		if !word {
			segments[i] = r.text(segments[i])
		}
	}
	return gen.BasePath + strings.Join(segments, "/")
}

// spans reports whether a secret in a path may be more than a part of a segment.
func (r redactor) spans(path string) bool {
	for i := 0; i < len(r.pairs); i += 2 {
		if strings.Contains(r.pairs[i], "/") && strings.Contains(path, r.pairs[i]) {
			return true
		}
	}
	return false
}

func (r redactor) headers(h http.Header) []harHeader {
	list := []harHeader{}
	for name, values := range h {
		for _, value := range values {
			switch {
			case plainHeaders[name]:
				value = r.text(value)
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
