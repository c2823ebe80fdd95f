package conformance

import (
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"example.com/bento-go/gen"
)

// checkSecurity checks what every request must bring: the contract's security requirements, of
// which each stands for one rule. For an unknown operation it is the contract's default.
func (c *Checker) checkSecurity(op *openapi3.Operation, r *Request, query string) []Finding {
	requirements := c.doc.Security
	if op != nil && op.Security != nil {
		requirements = *op.Security
	}
	var findings []Finding
	for _, requirement := range requirements {
		for name := range requirement {
			if rule, message := brokenScheme(c.doc.Components.SecuritySchemes[name].Value, r, query); rule != "" {
				findings = append(findings, found(rule, SideRequest, "", message))
			}
		}
	}
	return sorted(findings)
}

// brokenScheme names the rule of a scheme that the request does not satisfy.
func brokenScheme(scheme *openapi3.SecurityScheme, r *Request, query string) (rule, message string) {
	switch {
	case scheme.In == "query":
		// A malformed query is checkQuery's finding; what can be read of it counts here.
		values, _ := url.ParseQuery(query)
		if strings.TrimSpace(values.Get(scheme.Name)) == "" {
			return RuleSiteUUID, ""
		}
	case r.Header == nil: // none were recorded: nothing to judge
	case scheme.In == "header" && gen.GenericAgent(r.Header.Get(scheme.Name)):
		if r.Header.Get(scheme.Name) == "" {
			return RuleUserAgent, "there is no User-Agent"
		}
		return RuleUserAgent, "the User-Agent is generic"
	case r.leftOut("Authorization"):
	case scheme.Type == "http":
		if message := brokenBasic(r.Header.Get("Authorization")); message != "" {
			return RuleAuth, message
		}
	}
	return "", ""
}

// leftOut reports whether the recorder left a header out.
func (r *Request) leftOut(name string) bool { return r.Sanitized && r.Header.Get(name) == "" }

// brokenBasic says what is wrong with a header of Basic auth; empty if nothing is.
func brokenBasic(header string) string {
	if header == "" {
		return "there is no Authorization header"
	}
	if isRedacted(header) {
		return ""
	}
	scheme, encoded, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Basic") {
		return "Authorization is not Basic"
	}
	if isRedacted(encoded) {
		return ""
	}
	decoded, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	user, password, _ := strings.Cut(string(decoded), ":")
	switch {
	case err != nil:
		return "the credentials are not base64"
	case user == "" || password == "":
		return "the credentials are not publishable_key:secret_key"
	}
	return ""
}

// isRedacted reports whether a recorder put a marker in place of a secret.
func isRedacted(value string) bool {
	value = strings.ToLower(strings.Trim(strings.TrimSpace(value), "[]<>{}()"))
	return strings.HasPrefix(value, "redacted") || strings.HasPrefix(value, "filtered") ||
		value != "" && strings.Trim(value, "*x") == ""
}
