package conformance

import (
	"net/http"
	"slices"
	"strings"
)

// common are headers, and beginnings of them, that servers and edges send of their own accord.
var common = []string{
	"Accept-", "Access-Control-", "Age", "Allow", "Alt-Svc", "Cache-Control", "Cf-", "Connection", "Content-", "Cross-Origin-", "Date", "Etag", "Expect-Ct", "Expires",
	"Keep-Alive", "Last-Modified", "Link", "Location", "Nel", "Permissions-Policy", "Pragma", "Referrer-Policy", "Report-To", "Reporting-Endpoints", "Retry-After",
	"Server", "Set-Cookie", "Speculation-Rules", "Strict-Transport-Security", "Timing-Allow-Origin", "Trailer", "Transfer-Encoding", "Upgrade", "Vary", "Via", "Www-Authenticate",
	"X-Content-", "X-Download-Options", "X-Frame-Options", "X-Permitted-", "X-Powered-By", "X-Request-Id", "X-Runtime", "X-Xss-Protection",
}

// headerDrift finds families of headers that the contract does not know: X-Ratelimit-Limit and
// X-Ratelimit-Remaining are one.
func headerDrift(h http.Header) []Finding {
	var families []string
	for name := range h {
		name = http.CanonicalHeaderKey(name)
		if slices.ContainsFunc(common, func(known string) bool {
			return name == known || strings.HasSuffix(known, "-") && strings.HasPrefix(name, known)
		}) {
			continue
		}
		if family := familyOf(name); !slices.Contains(families, family) {
			families = append(families, family)
		}
	}
	slices.Sort(families)
	var findings []Finding
	for _, family := range families {
		findings = append(findings, found(RuleResponseHeader, SideResponse, "", "the contract knows no headers "+family))
	}
	return findings
}

func familyOf(name string) string {
	parts := strings.SplitN(name, "-", 3)
	switch {
	case !plainName.MatchString(name):
		return "of such names"
	case len(parts) == 3:
		return parts[0] + "-" + parts[1] + "-*"
	}
	return name
}
