package conformance

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

var number = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`)

// checkQuery checks the parameters of a request against those of its operation.
func (c *Checker) checkQuery(op *openapi3.Operation, query string) []Finding {
	values, err := url.ParseQuery(query)
	if err != nil {
		return []Finding{found(RuleQuery, SideRequest, "", "the query string is not percent-encoded as it should be")}
	}
	var findings []Finding
	for name, given := range values {
		parameter, member := parameterOf(op, name)
		switch {
		case c.isSecurityParameter(name):
			if len(given) > 1 {
				findings = append(findings, found(RuleQuery, SideRequest, "", name+" is given more than once"))
			}
		case parameter == nil:
			findings = append(findings, found(RuleQueryUnknown, SideRequest, "", "the endpoint has no parameter "+quoteName(name)))
		case len(given) > 1 && !parameter.Schema.Value.Type.Is("array"):
			findings = append(findings, found(RuleQuery, SideRequest, "", name+" is given more than once"))
		default:
			findings = append(findings, checkParameter(parameter, member, given)...)
		}
	}
	findings = append(findings, checkOneOf(op, values)...)
	for _, ref := range op.Parameters {
		if p := ref.Value; p.In == openapi3.ParameterInQuery && p.Required && !values.Has(p.Name) {
			findings = append(findings, found(RuleQuery, SideRequest, "", p.Name+" is required"))
		}
	}
	return sorted(findings)
}

// checkOneOf checks parameters of which exactly one must be given (x-bento-one-of).
func checkOneOf(op *openapi3.Operation, values url.Values) []Finding {
	names, _ := op.Extensions["x-bento-one-of"].([]any)
	given, wanted := 0, []string{}
	for _, name := range names {
		wanted = append(wanted, fmt.Sprint(name))
		if values.Has(fmt.Sprint(name)) {
			given++
		}
	}
	if len(names) == 0 || given == 1 {
		return nil
	}
	return []Finding{found(RuleQuery, SideRequest, "", "want exactly one of "+strings.Join(wanted, " and "))}
}

// inputsOf takes out of a query what may come in the body instead (x-bento-query-inputs), as the
// body that it stands for. Its second result is what is left of the query, if it took anything.
func inputsOf(op *openapi3.Operation, r *Request, query string) (body []byte, rest string) {
	values, err := url.ParseQuery(query)
	if op.Extensions["x-bento-query-inputs"] != true || len(r.Body) > 0 || r.BodyState == BodyMissing || err != nil {
		return nil, ""
	}
	schema, inputs := op.RequestBody.Value.Content.Get("application/json").Schema.Value, map[string]any{}
	for name, property := range schema.Properties {
		if given := values[name]; len(given) == 1 {
			inputs[name] = parameterValue(property.Value, given[0])
			values.Del(name)
		}
	}
	if len(inputs) == 0 {
		return nil, ""
	}
	body, _ = json.Marshal(inputs)
	return body, values.Encode()
}

// parameterOf finds the parameter that a name in the query belongs to, and the member of it:
// created_at[gt] is gt of the deepObject created_at.
func parameterOf(op *openapi3.Operation, name string) (p *openapi3.Parameter, member string) {
	if p := op.Parameters.GetByInAndName("query", name); p != nil && p.Style != openapi3.SerializationDeepObject {
		return p, ""
	}
	outer, inner, _ := strings.Cut(name, "[")
	inner, nested := strings.CutSuffix(inner, "]")
	p = op.Parameters.GetByInAndName("query", outer)
	if !nested || p == nil || p.Schema.Value.Properties[inner] == nil {
		return nil, ""
	}
	return p, inner
}

func checkParameter(p *openapi3.Parameter, member string, given []string) []Finding {
	schema := p.Schema.Value
	if member != "" {
		schema = schema.Properties[member].Value
	}
	var findings []Finding
	for _, f := range validate(SideRequest, schema, parameterValue(schema, given...)) {
		if f.Rule == RuleRequestSchema {
			f = found(RuleQuery, SideRequest, "", p.Name+" "+f.Message)
		}
		findings = append(findings, f)
	}
	return findings
}

// parameterValue reads a parameter as its schema's type, a list from all that was given; text that is none
// of it stays text, and fails the schema.
func parameterValue(schema *openapi3.Schema, given ...string) any {
	text := given[0]
	switch {
	case schema.Type.Is("array"):
		list := make([]any, len(given))
		for i := range given {
			list[i] = parameterValue(schema.Items.Value, given[i])
		}
		return list
	case (schema.Type.Is("integer") || schema.Type.Is("number")) && number.MatchString(text):
		return json.Number(text)
	case schema.Type.Is("boolean") && (text == "true" || text == "false"):
		return text == "true"
	}
	return text
}

// checkPath checks the parameters that stand in the path.
func checkPath(op *openapi3.Operation, pattern []string, path string) []Finding {
	var findings []Finding
	given := strings.Split(path, "/")
	for i, segment := range pattern {
		name, isParameter := strings.CutPrefix(segment, "{")
		p := op.Parameters.GetByInAndName(openapi3.ParameterInPath, strings.TrimSuffix(name, "}"))
		if !isParameter || isRedacted(given[i]) {
			continue
		}
		for _, f := range validate(SideRequest, p.Schema.Value, parameterValue(p.Schema.Value, given[i])) {
			findings = append(findings, found(RulePath, SideRequest, "", p.Name+" "+f.Message))
		}
	}
	return findings
}

// isSecurityParameter reports whether a parameter belongs to a security scheme.
func (c *Checker) isSecurityParameter(name string) bool {
	for _, scheme := range c.doc.Components.SecuritySchemes {
		if scheme.Value.In == "query" && scheme.Value.Name == name {
			return true
		}
	}
	return false
}

// plainName is a name that cannot hold anybody's data.
var plainName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_.\[\]-]{0,39}$`)

// quoteName names a parameter, unless its name may itself be somebody's data.
func quoteName(name string) string {
	if plainName.MatchString(name) {
		return name
	}
	return "of that name"
}

// sorted makes the order of findings the same every time, though maps are not.
func sorted(findings []Finding) []Finding {
	slices.SortStableFunc(findings, func(a, b Finding) int {
		if c := strings.Compare(a.Rule, b.Rule); c != 0 {
			return c
		}
		if c := strings.Compare(a.Pointer, b.Pointer); c != 0 {
			return c
		}
		return strings.Compare(a.Message, b.Message)
	})
	return findings
}
