package conformance

import (
	"net/url"
	"slices"
	"strconv"

	"github.com/getkin/kin-openapi/openapi3"
)

// A registry numbers the members that JSON bodies of a contract may have, those of requests and of
// answers apart.
type registry struct{ numbers map[member]int }

type member struct {
	side   Side
	schema *openapi3.Schema
	name   string
}

func newRegistry(doc *openapi3.T) *registry {
	r := &registry{map[member]int{}}
	seen := map[content]bool{}
	var visit func(side Side, s *openapi3.Schema)
	visit = func(side Side, s *openapi3.Schema) {
		if seen[content{side, s}] {
			return
		}
		seen[content{side, s}] = true
		for name, ref := range s.Properties {
			if len(s.OneOf) == 0 { // the shapes have their own
				r.numbers[member{side, s, name}] = len(r.numbers)
			}
			visit(side, ref.Value)
		}
		for _, ref := range s.OneOf {
			visit(side, ref.Value)
		}
		if s.Items != nil {
			visit(side, s.Items.Value)
		}
		if s.AdditionalProperties.Schema != nil {
			visit(side, s.AdditionalProperties.Schema.Value)
		}
	}
	for _, item := range doc.Paths.Map() {
		for _, op := range item.Operations() {
			if op.RequestBody != nil {
				for _, media := range op.RequestBody.Value.Content {
					visit(SideRequest, media.Schema.Value)
				}
			}
			for _, answer := range op.Responses.Map() {
				if media := answer.Value.Content["application/json"]; media != nil {
					visit(SideResponse, media.Schema.Value)
				}
			}
		}
	}
	return r
}

// index returns the number of a member, -1 if it has none.
func (r *registry) index(side Side, s *openapi3.Schema, name string) int {
	if n, ok := r.numbers[member{side, s, name}]; ok {
		return n
	}
	return -1
}

// A coverage is what of a contract was seen. What marks bodies does nothing on nil, which a check without
// a report hands down.
type coverage struct {
	members    *registry
	doc        *openapi3.T
	properties []bool
	parameters map[parameter]bool
	responses  map[*openapi3.ResponseRef]bool
}

// A parameter is one of an operation: several share what the contract says of page.
type parameter struct {
	of *openapi3.Operation
	is *openapi3.Parameter
}

func (c *Checker) newCoverage() *coverage {
	return &coverage{
		members: c.members, doc: c.doc, properties: make([]bool, len(c.members.numbers)),
		parameters: map[parameter]bool{}, responses: map[*openapi3.ResponseRef]bool{},
	}
}

func (c *coverage) member(n int) {
	if c != nil && n >= 0 {
		c.properties[n] = true
	}
}

// body marks the members of a body that was judged as a tree.
func (c *coverage) body(side Side, s *openapi3.Schema, value any) {
	if c == nil {
		return
	}
	for shape := s; shape != nil; shape = shapeOf(s, value) {
		s = shape
	}
	switch value := value.(type) {
	case map[string]any:
		for name, inner := range value {
			ref := s.Properties[name]
			if ref == nil {
				ref = s.AdditionalProperties.Schema
			}
			if ref != nil {
				c.member(c.members.index(side, s, name))
				c.body(side, ref.Value, inner)
			}
		}
	case []any:
		for _, item := range value {
			if s.Items != nil {
				c.body(side, s.Items.Value, item)
			}
		}
	}
}

// exchange marks the parameters of a request, and the answer to it: by its status, or by the class
// of it if the contract names no more.
func (c *coverage) exchange(op *openapi3.Operation, query string, status int) {
	values, _ := url.ParseQuery(query) // what can be read of it
	for name := range values {
		if p, _ := parameterOf(op, name); p != nil {
			c.parameters[parameter{op, p}] = true
		}
	}
	for _, code := range [...]string{strconv.Itoa(status), strconv.Itoa(status/100) + "XX"} {
		if ref := op.Responses.Value(code); ref != nil {
			c.responses[ref] = true
			return
		}
	}
}

func (c *coverage) counts() (responses, parameters, properties OperationCount) {
	for _, item := range c.doc.Paths.Map() {
		for _, op := range item.Operations() {
			for _, ref := range op.Responses.Map() {
				responses.count(c.responses[ref])
			}
			for _, ref := range op.Parameters {
				if ref.Value.In == openapi3.ParameterInQuery {
					parameters.count(c.parameters[parameter{op, ref.Value}])
				}
			}
		}
	}
	for _, seen := range c.properties {
		properties.count(seen)
	}
	return responses, parameters, properties
}

// missing is what of an operation was not seen.
func (c *coverage) missing(op *openapi3.Operation) Missing {
	m := Missing{Statuses: []string{}, Parameters: []string{}}
	for code, ref := range op.Responses.Map() {
		if !c.responses[ref] {
			m.Statuses = append(m.Statuses, code)
		}
	}
	for _, ref := range op.Parameters {
		if ref.Value.In == openapi3.ParameterInQuery && !c.parameters[parameter{op, ref.Value}] {
			m.Parameters = append(m.Parameters, ref.Value.Name)
		}
	}
	slices.Sort(m.Statuses)
	return m
}

// unseen names the members that were not seen.
func (c *coverage) unseen() []string {
	names := map[*openapi3.Schema]string{}
	for name, ref := range c.doc.Components.Schemas {
		names[ref.Value] = name
	}
	all := []string{}
	for m, n := range c.members.numbers {
		if !c.properties[n] {
			all = append(all, string(m.side)+" "+names[m.schema]+"."+m.name)
		}
	}
	slices.Sort(all)
	return all
}

func (n *OperationCount) count(seen bool) {
	n.Total++
	if seen {
		n.Seen++
	}
}
