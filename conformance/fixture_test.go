package conformance_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"

	contract "example.com/bento-go"
	"example.com/bento-go/conformance"
)

// A fixture is an exchange made of the contract's own examples: one for each operation, each
// documented status, and each example of it.
type fixture struct {
	name     string
	exchange *conformance.Exchange
	op       *openapi3.Operation
	request  *openapi3.Schema // nil: no body
	response *openapi3.Schema // nil: no JSON

	requestMedia string
}

func fixtures(t testing.TB) []fixture {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(contract.OpenAPI())
	require.NoError(t, err)
	var all []fixture
	for _, path := range slices.Sorted(maps.Keys(doc.Paths.Map())) {
		item := doc.Paths.Value(path)
		for _, method := range slices.Sorted(maps.Keys(item.Operations())) {
			op := item.Operations()[method]
			for _, code := range slices.Sorted(maps.Keys(op.Responses.Map())) {
				all = append(all, answered(t, method, path, code, op)...)
			}
		}
	}
	return all
}

// answered makes the fixtures of one status: each example of each media type; of JSON also one
// with every member and every parameter that the contract knows.
func answered(t testing.TB, method, path, code string, op *openapi3.Operation) []fixture {
	t.Helper()
	status, err := strconv.Atoi(strings.ReplaceAll(code, "XX", "03"))
	require.NoError(t, err)
	var all []fixture
	content := op.Responses.Value(code).Value.Content
	for _, media := range slices.Sorted(maps.Keys(content)) {
		examples := examplesOf(content[media])
		for i, example := range examples {
			f := fixture{name: fmt.Sprintf("%s %s %s %d", op.OperationID, code, media, i), exchange: asked(t, method, path, op, false), op: op}
			if media == "application/json" {
				f.response = content[media].Schema.Value
			}
			f.exchange.Response = &conformance.Response{Status: status, Header: http.Header{"Content-Type": {media}}, Body: encode(t, media, example)}
			all = append(all, f)
		}
		if media == "application/json" && status < 300 {
			schema := content[media].Schema.Value
			f := fixture{name: op.OperationID + " " + code + " full", exchange: asked(t, method, path, op, true), op: op, response: schema}
			f.exchange.Response = &conformance.Response{Status: status, Header: http.Header{"Content-Type": {media}}, Body: encode(t, media, complete(schema, examples[0]))}
			all = append(all, f)
		}
	}
	for i := range all {
		if op.RequestBody != nil {
			all[i].requestMedia = requestMedia(op)
			all[i].request = op.RequestBody.Value.Content[all[i].requestMedia].Schema.Value
		}
	}
	return all
}

func examplesOf(media *openapi3.MediaType) []any {
	if media.Example != nil {
		return []any{media.Example}
	}
	var all []any
	for _, name := range slices.Sorted(maps.Keys(media.Examples)) {
		all = append(all, media.Examples[name].Value.Value)
	}
	return all
}

// asked makes the request of an operation of the contract's examples; a full one has every
// parameter and every member.
func asked(t testing.TB, method, path string, op *openapi3.Operation, full bool) *conformance.Exchange {
	t.Helper()
	query := url.Values{"site_uuid": {"2d8ab3b8f2a14a06a4c4b8f5d1a8a0c3"}}
	oneOf, _ := op.Extensions["x-bento-one-of"].([]any)
	for _, ref := range op.Parameters {
		p := ref.Value
		switch choice := slices.Index(oneOf, any(p.Name)); {
		case p.In == "path":
			path = strings.ReplaceAll(path, "{"+p.Name+"}", fmt.Sprint(p.Example))
		case p.Style == "deepObject" && full:
			for _, member := range slices.Sorted(maps.Keys(p.Schema.Value.Properties)) {
				query.Set(p.Name+"["+member+"]", fmt.Sprint(sample(p.Schema.Value.Properties[member].Value)))
			}
		case p.Example != nil && (choice <= 0 || !full):
			query.Set(p.Name, fmt.Sprint(p.Example))
		case full && choice <= 0:
			query.Set(p.Name, fmt.Sprint(sample(p.Schema.Value)))
		}
	}
	x := good(method, "", "", "")
	x.Request.URL = "https://app.bentonow.com/api/v1" + path + "?" + query.Encode()
	x.Request.Header.Del("Content-Type")
	if op.RequestBody != nil {
		media := requestMedia(op)
		content := op.RequestBody.Value.Content[media]
		x.Request.Header.Set("Content-Type", media)
		example := examplesOf(content)[0]
		if full {
			example = complete(content.Schema.Value, example)
		}
		x.Request.Body = encode(t, media, example)
	}
	return x
}

// requestMedia is JSON, or the form where an operation takes one.
func requestMedia(op *openapi3.Operation) string {
	return slices.Max(slices.Collect(maps.Keys(op.RequestBody.Value.Content)))
}

// complete returns value with every member that its schema knows.
func complete(s *openapi3.Schema, value any) any {
	s = shapeOf(s, value)
	switch value := value.(type) {
	case map[string]any:
		whole := maps.Clone(value)
		for name, property := range s.Properties {
			if member, given := whole[name]; given {
				whole[name] = complete(property.Value, member)
			} else if !slices.Contains(property.Value.Enum, nil) && name != "query" { // a command's own member
				whole[name] = sample(property.Value)
			}
		}
		return whole
	case []any:
		whole := []any{}
		if s.Items == nil {
			return value
		}
		for _, item := range value {
			whole = append(whole, complete(s.Items.Value, item))
		}
		if len(whole) == 0 {
			whole = append(whole, sample(s.Items.Value))
		}
		return whole
	}
	return value
}

// sample makes a right value.
func sample(s *openapi3.Schema) any {
	switch {
	case s.Example != nil:
		return s.Example
	case len(s.Enum) > 0:
		return s.Enum[0]
	case len(s.OneOf) > 0:
		return sample(s.OneOf[0].Value)
	case s.Type.Is("string") && s.Format == "date-time":
		return "2024-01-01T00:00:00Z"
	case s.Type.Is("string") && s.Format == "date":
		return "2024-01-01"
	case s.Type.Is("string"):
		return "text"
	case s.Type.Is("boolean"):
		return true
	case s.Type.Is("integer"):
		if s.Min != nil {
			return max(*s.Min, 1)
		}
		return 1.0
	case s.Type.Is("number"):
		return 1.5
	case s.Type.Is("array"):
		return []any{sample(s.Items.Value)}
	case s.Type.Is("object"):
		return complete(s, map[string]any{})
	}
	return "anything"
}

// shapeOf is the shape of a oneOf that a value has: by its discriminator, or by its type.
func shapeOf(s *openapi3.Schema, value any) *openapi3.Schema {
	if s.Discriminator != nil {
		ref := s.Discriminator.Mapping[value.(map[string]any)[s.Discriminator.PropertyName].(string)].Ref
		return s.OneOf[slices.IndexFunc(s.OneOf, func(shape *openapi3.SchemaRef) bool { return shape.Ref == ref })].Value
	}
	for _, shape := range s.OneOf {
		if shape.Value.Type.Is(typeOf(value)) {
			return shapeOf(shape.Value, value)
		}
	}
	return s
}

func typeOf(value any) string {
	switch value.(type) {
	case map[string]any:
		return "object"
	case []any:
		return "array"
	case string:
		return "string"
	case bool:
		return "boolean"
	case nil:
		return "null"
	}
	return "number"
}

func encode(t testing.TB, media string, example any) []byte {
	t.Helper()
	switch media {
	case "application/json":
		body, err := json.Marshal(example)
		require.NoError(t, err)
		return body
	case "application/x-www-form-urlencoded":
		form := url.Values{}
		require.True(t, fillForm(form, "", example))
		return []byte(form.Encode())
	default:
		return []byte(example.(string))
	}
}

// fillForm writes a tree as Rails reads it, and reports whether it can be written so.
func fillForm(form url.Values, name string, value any) bool {
	switch value := value.(type) {
	case string:
		form.Set(name, value)
		return name != ""
	case map[string]any:
		for member, inner := range value {
			if name != "" {
				member = name + "[" + member + "]"
			}
			if !fillForm(form, member, inner) {
				return false
			}
		}
		return true
	}
	return false
}
