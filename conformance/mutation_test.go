package conformance_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/conformance"
)

func TestAnExchangeForEveryOperationAndStatusIsClean(t *testing.T) {
	t.Parallel()
	c := newChecker(t)
	statuses := map[string]bool{}
	for _, f := range fixtures(t) {
		verdict := c.Check(f.exchange)
		assert.Empty(t, verdict.Findings, f.name)
		assert.Equal(t, f.op.OperationID, verdict.Operation, f.name)
		statuses[fmt.Sprint(f.op.OperationID, f.exchange.Response.Status)] = true
	}
	assert.GreaterOrEqual(t, len(statuses), 34*8)
}

// A mutant is a fixture with one thing wrong.
type mutant struct {
	what string
	make func(x *conformance.Exchange)
}

// survivors are the mutants that no checker can catch, and why.
var survivors = map[string]string{}

var everyMutant = flag.Bool("every-mutant", false, "make bodies wrong in every way beside each operation and status")

// From each fixture wrong ones are made; the checker has to catch them. What was asked is the same beside
// each status: it is made wrong for one success and for one refusal. What is answered is often the same for
// each operation: its body is made wrong in every way for one of them, and in one way for each.
func TestWhatIsWrongIsCaught(t *testing.T) {
	t.Parallel()
	c := newChecker(t)
	made, caught := 0, 0
	var missed []string
	seen := map[string]bool{}
	first := func(of ...any) bool {
		key := fmt.Sprint(of...)
		defer func() { seen[key] = true }()
		return *everyMutant || !seen[key]
	}
	for _, f := range fixtures(t) {
		var all []mutant
		op, answer := f.op.OperationID, f.exchange.Response
		if first("asked", op, f.exchange.Request, answer.Status < 300) {
			all = append(askedMutants(f), requestMutants(t, f)...)
		}
		if first("head", op, answer.Status, answer.Header) {
			all = append(all, answeredMutants(f)...)
		}
		switch {
		case first("body", fmt.Sprintf("%p", f.response), *answer):
			all = append(all, responseMutants(t, f)...)
		case f.response != nil:
			all = append(all, mutant{"response of another type", func(x *conformance.Exchange) { x.Response.Body = []byte("7.5") }})
		}
		for _, m := range all {
			x := clone(f.exchange)
			m.make(x)
			made++
			if len(c.Check(x).Findings) > 0 {
				caught++
			} else if name := f.name + ": " + m.what; survivors[name] == "" {
				missed = append(missed, name)
			}
		}
	}
	t.Logf("%d of %d mutants caught (%.2f%%)", caught, made, 100*float64(caught)/float64(made))
	assert.Greater(t, made, 5000)
	assert.GreaterOrEqual(t, float64(caught)/float64(made), 0.99)
	assert.Empty(t, missed, "survivors need a reason")
}

func clone(x *conformance.Exchange) *conformance.Exchange {
	c, response := *x, *x.Response
	c.Request.Header, response.Header = x.Request.Header.Clone(), x.Response.Header.Clone()
	c.Response = &response
	return &c
}

func requestMutants(t testing.TB, f fixture) (all []mutant) {
	t.Helper()
	switch f.requestMedia {
	case "application/x-www-form-urlencoded":
		return formMutants(t, f)
	case "application/json":
		for what, body := range wrongBodies(t, f.request, f.exchange.Request.Body) {
			all = append(all, mutant{"request " + what, func(x *conformance.Exchange) { x.Request.Body = body }})
		}
	}
	return all
}

func responseMutants(t testing.TB, f fixture) (all []mutant) {
	t.Helper()
	if f.response == nil {
		return nil
	}
	for what, body := range wrongBodies(t, f.response, f.exchange.Response.Body) {
		all = append(all, mutant{"response " + what, func(x *conformance.Exchange) { x.Response.Body = body }})
	}
	return all
}

// askedMutants change everything of a request but its body.
func askedMutants(f fixture) []mutant {
	query := func(what, from, to string) mutant {
		return mutant{what, func(x *conformance.Exchange) { x.Request.URL = strings.Replace(x.Request.URL, from, to, 1) }}
	}
	all := []mutant{
		query("no site_uuid", "site_uuid=", "site="), query("unknown parameter", "?", "?unknown=1&"), query("unknown path", "/api/v1/", "/api/v1/unknown/"),
		query("no base path", "/api/v1/", "/"), query("malformed query", "?", "?%zz&"),
		{"no auth", func(x *conformance.Exchange) { x.Request.Header.Del("Authorization") }},
		{"bearer auth", func(x *conformance.Exchange) { x.Request.Header.Set("Authorization", "Bearer x") }},
		{"no agent", func(x *conformance.Exchange) { x.Request.Header.Del("User-Agent") }},
		{"generic agent", func(x *conformance.Exchange) { x.Request.Header.Set("User-Agent", "curl/8") }},
		{"unknown method", func(x *conformance.Exchange) { x.Request.Method = "PUT" }},
	}
	if f.op.RequestBody != nil {
		all = append(all, mutant{"media type of a request", func(x *conformance.Exchange) { x.Request.Header.Set("Content-Type", "text/xml") }})
	}
	for _, ref := range f.op.Parameters {
		all = append(all, parameterMutants(ref.Value, query)...)
	}
	if names, ok := f.op.Extensions["x-bento-one-of"].([]any); ok {
		all = append(all, query("none of them", fmt.Sprint(names[0])+"=", "page="), query("both of them", "?", fmt.Sprintf("?%v=text&", names[1])))
	}
	return all
}

// answeredMutants change everything of an answer but what its body says.
func answeredMutants(f fixture) []mutant {
	all := []mutant{
		{"undocumented status", func(x *conformance.Exchange) { x.Response.Status = 418 }},
		{"redirect", func(x *conformance.Exchange) { x.Response.Status = 302 }},
		{"media type of an answer", func(x *conformance.Exchange) { x.Response.Header.Set("Content-Type", "image/png") }},
		{"no media type of an answer", func(x *conformance.Exchange) { x.Response.Header.Del("Content-Type") }},
	}
	if f.exchange.Response.Status < 300 {
		all = append(all, mutant{"empty success", func(x *conformance.Exchange) { x.Response.Body = nil }})
	}
	return all
}

// parameterMutants give a parameter each wrong value that it can have.
func parameterMutants(p *openapi3.Parameter, query func(what, from, to string) mutant) []mutant {
	bad := func(value string) mutant { return query("bad "+p.Name+" "+value, "?", "?"+p.Name+"="+value+"&") }
	s := p.Schema.Value
	var all []mutant
	switch {
	case p.In == "path" && s.Type.Is("integer"):
		at := fmt.Sprintf("/%v", p.Example)
		all = append(all, query("no number", at, "/nonsense"), query("too small", at, "/0"), query("not whole", at, "/1.5"))
	case p.In == "path":
		all = append(all, query("empty "+p.Name, fmt.Sprintf("/%v", p.Example), "/"))
	case p.Style == "deepObject":
		all = append(all, query("unknown member", "?", "?"+p.Name+"[near]=1&"), query("empty member", "?", "?"+p.Name+"[gt]=&"), bad("1"))
	case s.Type.Is("integer"):
		all = append(all, bad("nonsense"), bad("0"), bad("1.5"), bad(""))
	case len(s.Enum) > 0 || s.Format != "" && s.Format != "email":
		all = append(all, bad("nonsense"))
	case s.MinLength > 0:
		all = append(all, bad(""))
	}
	if p.Required && p.In == "query" {
		all = append(all, query("no "+p.Name, p.Name+"=", "was_"+p.Name+"="))
	}
	return all
}

// formMutants are the wrong bodies that a form can carry.
func formMutants(t testing.TB, f fixture) []mutant {
	t.Helper()
	var all []mutant
	examples := examplesOf(f.op.RequestBody.Value.Content[f.requestMedia])
	spoil(f.request, examples[0], "", func(what string, changed any) {
		form := url.Values{}
		if fillForm(form, "", changed) {
			all = append(all, mutant{"request " + what, func(x *conformance.Exchange) { x.Request.Body = []byte(form.Encode()) }})
		}
	})
	require.NotEmpty(t, all)
	return all
}

// wrongBodies makes every wrong body that one change of a right one makes.
func wrongBodies(t testing.TB, schema *openapi3.Schema, body []byte) map[string][]byte {
	t.Helper()
	wrong := map[string][]byte{
		"truncated": body[:len(body)-1], "trailing bytes": append(slices.Clone(body), "{}"...),
		"not UTF-8": append([]byte(`{"`+"\xff"+`":1,`), body[1:]...),
	}
	if name, _, ok := strings.Cut(string(body[1:]), ":"); ok && body[0] == '{' {
		wrong["a key twice"] = []byte(`{` + name + `:null,` + string(body[1:]))
	}
	var tree any
	require.NoError(t, json.Unmarshal(body, &tree))
	spoil(schema, tree, "", func(what string, changed any) {
		encoded, err := json.Marshal(changed)
		require.NoError(t, err)
		wrong[what] = encoded
	})
	return wrong
}

// spoil calls emit with a changed value for each way to break value against its schema.
func spoil(s *openapi3.Schema, value any, at string, emit func(what string, changed any)) {
	if len(s.OneOf) > 0 {
		spoilShape(s, value, at, emit)
		return
	}
	if s.Type == nil || value == nil {
		return
	}
	emit(at+" of another type", map[bool]any{true: 7.5, false: "text"}[s.Type.Is("string")])
	if !s.Nullable {
		emit(at+" null", nil)
	}
	switch value := value.(type) {
	case map[string]any:
		spoilObject(s, value, at, emit)
	case []any:
		spoilArray(s, value, at, emit)
	case string:
		if s.MinLength > 0 {
			emit(at+" empty", "")
		}
		if s.Format != "" || len(s.Enum) > 0 {
			emit(at+" no "+s.Format, "nonsense")
		}
	case float64:
		if s.Type.Is("integer") {
			emit(at+" not whole", 1.5)
			emit(at+" too large to be an integer", json.RawMessage("1e30"))
		}
		if s.Min != nil {
			emit(at+" too small", *s.Min-1)
		}
		if s.Max != nil {
			emit(at+" too large", *s.Max+1)
		}
	}
}

// spoilShape breaks a value within the shape that it has. What has become right by another
// shape is passed over.
func spoilShape(s *openapi3.Schema, value any, at string, emit func(string, any)) {
	allowed := func(value any) bool {
		return slices.ContainsFunc(s.OneOf, func(shape *openapi3.SchemaRef) bool {
			return shape.Value.Type.Is(typeOf(value)) || value == nil && shape.Value.Nullable
		})
	}
	for _, other := range []any{true, 7.5, "text", []any{}, nil} {
		if !allowed(other) {
			emit(at+" of no shape: "+typeOf(other), other)
		}
	}
	shape := shapeOf(s, value)
	if shape == s {
		return
	}
	spoil(shape, value, at, func(what string, changed any) {
		if typeOf(changed) == typeOf(value) || !allowed(changed) {
			emit(what, changed)
		}
	})
	if d := s.Discriminator; d != nil {
		for name := range d.Mapping {
			if changed := maps.Clone(value.(map[string]any)); shapeOf(s, map[string]any{d.PropertyName: name}) != shape && changed["query"] != nil {
				changed[d.PropertyName] = name
				emit(at+" of another shape: "+name, changed)
			}
		}
	}
}

func spoilObject(s *openapi3.Schema, object map[string]any, at string, emit func(string, any)) {
	with := func(name string, value any) map[string]any {
		changed := maps.Clone(object)
		changed[name] = value
		return changed
	}
	for _, name := range s.Required {
		changed := maps.Clone(object)
		delete(changed, name)
		emit(at+"/"+name+" missing", changed)
	}
	if s.AdditionalProperties.Schema == nil && (s.AdditionalProperties.Has == nil || !*s.AdditionalProperties.Has) {
		if len(s.Properties) > 0 {
			emit(at+" with an unknown member", with("unknown", 1))
		}
	}
	if free := s.AdditionalProperties.Schema; free != nil && len(free.Value.OneOf) == 3 { // scalars
		emit(at+" with a member that nests", with("nests", map[string]any{"deeper": 1}))
		emit(at+" with a list", with("lists", []any{1}))
	}
	for name, value := range object {
		if property := s.Properties[name]; property != nil {
			spoil(property.Value, value, at+"/"+name, func(what string, changed any) { emit(what, with(name, changed)) })
		}
	}
}

func spoilArray(s *openapi3.Schema, array []any, at string, emit func(string, any)) {
	if s.MinItems > 0 {
		emit(at+" empty", []any{})
	}
	if s.MaxItems != nil && len(array) > 0 {
		emit(at+" too long", slices.Repeat(array[:1], int(*s.MaxItems)+1))
	}
	for i, item := range array {
		spoil(s.Items.Value, item, at+"/"+strconv.Itoa(i), func(what string, changed any) {
			spoiled := slices.Clone(array)
			spoiled[i] = changed
			emit(what, spoiled)
		})
	}
}
