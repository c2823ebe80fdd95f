package fake

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"example.com/bento-go/conformance"
)

// judge asks the contract about a request and turns what it finds into Bento's answer. The
// order is that of the real stations: the edge, the credentials, the path, the body.
func (s *Server) judge(req *http.Request, body []byte) (operation string, verdict []string, refusal *reply) {
	operation, findings := s.checker.CheckRequest(&conformance.Request{
		Method: req.Method, URL: s.contractURL(req), Header: req.Header, Body: body,
	})
	var broken []conformance.Finding
	seen := map[string]bool{}
	for _, f := range findings {
		if len(verdict) < maxVerdict {
			verdict = append(verdict, strings.TrimSpace(fmt.Sprintf("%s: %s %s", f.Rule, f.Pointer, f.Message)))
		}
		if f.Severity == conformance.SeverityError && !s.forgiven(f, body) {
			broken = append(broken, f)
			seen[f.Rule] = true
		}
	}
	publishable, secret, _ := req.BasicAuth()
	c := call{Request: req, body: body}
	switch {
	case seen[conformance.RuleUserAgent]:
		return "", verdict, new(page(http.StatusForbidden))
	case seen[conformance.RuleAuth], seen[conformance.RuleSiteUUID], !s.accounts(publishable, secret, c.site()):
		return "", verdict, new(unauthorized())
	case operation == "":
		return "", verdict, new(fail(http.StatusNotFound, "Not Found"))
	case len(broken) > 0:
		return "", verdict, new(objections(http.StatusBadRequest, fields(broken)...))
	}
	return operation, verdict, nil
}

// contractURL is the request's URL as the contract's checker knows it: on this host.
func (s *Server) contractURL(req *http.Request) string {
	return "http://127.0.0.1" + req.URL.RequestURI()
}

// forgiven reports whether lenient mode lets a finding pass.
func (s *Server) forgiven(f conformance.Finding, body []byte) bool {
	if !s.lenient {
		return false
	}
	inBody := siteInBody(body) != ""
	switch f.Rule {
	case conformance.RuleUserAgent:
		return true
	case conformance.RuleSiteUUID:
		return inBody
	case conformance.RuleRequestSchema:
		return inBody && f.Pointer == "/site_uuid"
	}
	return false
}

// siteInBody is the site that a body names: JSON, or the form of a deletion.
func siteInBody(body []byte) string {
	var members struct {
		SiteUUID string `json:"site_uuid"`
	}
	if json.Unmarshal(body, &members) != nil {
		form, _ := url.ParseQuery(string(body))
		return form.Get("site_uuid")
	}
	return members.SiteUUID
}

// fields names what is wrong by field, as Bento's newer endpoints do.
func fields(findings []conformance.Finding) []fieldError {
	var all []fieldError
	for _, f := range findings {
		all = append(all, fieldError{
			Field:   strings.ReplaceAll(strings.TrimPrefix(f.Pointer, "/"), "/", "."),
			Message: f.Message,
		})
	}
	return all[:min(len(all), 20)]
}
