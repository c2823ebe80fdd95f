package conformance

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What the authority says of words that the contract does not have yet, or has where no other word stands.
func TestWhatASchemaSaysIsSaidInItsOwnWords(t *testing.T) {
	t.Parallel()
	const ask, get = SideRequest, SideResponse
	for _, tc := range []struct {
		side         Side
		schema, body string
		want         string // the findings, each as pointer: message
	}{
		{get, `{"type":"object","minProperties":2}`, `{"a":1}`, ": want at least 2 members"},
		{get, `{"type":"number","minimum":1000000}`, `7`, ": want at least 1000000"},
		{get, `{"type":"number","minimum":0.5}`, `0`, ": want at least 0.5"},
		{get, `{"type":"number","maximum":1000000}`, `1000001`, ": want at most 1000000"},
		{get, `{"type":"number","maximum":0.5}`, `1`, ": want at most 0.5"},
		{get, `{"type":"string","enum":["a","b"]}`, `"c"`, ": want one of a b"},
		{get, `{"type":"string","pattern":"^[a-z]+$"}`, `"A"`, ": want text that matches ^[a-z]+$"},
		{get, `{"nullable":true,"minimum":1}`, `1e400`, ": want another type"},

		{get, `{"anyOf":[{"type":"string"},{"type":"object"}]}`, `1`, ": has none of the shapes that the contract allows"},
		{get, `{"allOf":[{"type":"string"}]}`, `1`, ": has none of the shapes that the contract allows"},
		{get, `{"oneOf":[{"type":"object","required":["a"]},{"type":"object","required":["b"]}]}`, `{}`, ": has none of the shapes that the contract allows"},
		{get, `{"oneOf":[{"type":"integer"},{"type":"object"}]}`, `"a"`, ": has none of the shapes that the contract allows: want integer, object"},
		{get, `{"oneOf":[{"type":"integer"},{"type":"object"}]}`, `1.5`, ": want an integer"},
		{get, `{"oneOf":[{"type":"string"},{"type":"object"}],"minLength":3}`, `"a"`, ": want at least 3 characters"}, // beside the shapes

		// What only one side may say.
		{ask, `{"type":"object","properties":{"a":{"readOnly":true},"b":{"writeOnly":true}}}`, `{"b":1}`, ""},
		{ask, `{"type":"object","properties":{"a":{"readOnly":true},"b":{"writeOnly":true}}}`, `{"a":1}`, "/a: breaks the contract's readOnly"},
		{get, `{"type":"object","properties":{"a":{"readOnly":true},"b":{"writeOnly":true}}}`, `{"a":1}`, ""},
		{get, `{"type":"object","properties":{"a":{"readOnly":true},"b":{"writeOnly":true}}}`, `{"b":1}`, "/b: breaks the contract's writeOnly"},

		// Whether a member that nobody named is wrong, news, or whatever its sender likes.
		{ask, `{"type":"object","properties":{"a":{}},"additionalProperties":false}`, `{"b":1}`, "/b: is not in the contract"},
		{get, `{"type":"object","properties":{"a":{}}}`, `{"b":1}`, "/b: the answer holds a member that the contract does not know"},
		{ask, `{"type":"object","properties":{"a":{}}}`, `{"b":1}`, ""},
		{get, `{"type":"object"}`, `{"b":1}`, ""},
	} {
		var schema openapi3.Schema
		require.NoError(t, json.Unmarshal([]byte(tc.schema), &schema), tc.schema)
		value, err := decodeJSON([]byte(tc.body))
		require.NoError(t, err)
		var got []string
		for _, f := range validate(tc.side, &schema, value) {
			got = append(got, f.Pointer+": "+f.Message)
		}
		assert.Equal(t, tc.want, strings.Join(got, "\n"), "%s %s: %s", tc.side, tc.schema, tc.body)
	}
}

// A contract of what ours does not say today.
const futureContract = `{"openapi":"3.0.3","info":{"title":"t","version":"v1"},"servers":[{"url":"https://next.example.com"}],
"security":[{"key":[]}],
"components":{"securitySchemes":{"key":{"type":"http","scheme":"basic"}},"schemas":{"Form":{"type":"object","required":["name"],"properties":{"name":{"type":"string"}}}}},
"paths":{
"/open":{"get":{"operationId":"open","security":[],"x-bento-one-of":["a","b","c"],
	"parameters":[{"name":"a","in":"query","schema":{"type":"string"}},{"name":"b","in":"query","schema":{"type":"string"}},{"name":"c","in":"query","schema":{"type":"string"}}],
	"responses":{"204":{"description":"done"},"200":{"description":"text","content":{"text/csv":{}}}}}},
"/both":{"post":{"operationId":"both","requestBody":{"required":true,"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Form"}},
	"application/x-www-form-urlencoded":{"schema":{"$ref":"#/components/schemas/Form"}}}},"responses":{"204":{"description":"done"}}}},
"/list":{"get":{"operationId":"list","security":[],"parameters":[{"name":"n","in":"query","schema":{"type":"number","minimum":0.5}},
	{"name":"id","in":"query","schema":{"type":"array","maxItems":2,"items":{"type":"integer"}}}],"responses":{"204":{"description":"done"}}}},
"/any":{"post":{"operationId":"any","requestBody":{"content":{}},"responses":{"204":{"description":"done"}}}}
}}`

// The checker reads of the contract what it judges by, so that it holds for the next revision too.
func TestTheNextRevisionOfTheContractIsJudgedAsItSays(t *testing.T) {
	t.Parallel()
	doc, err := openapi3.NewLoader().LoadFromData([]byte(futureContract))
	require.NoError(t, err)
	c, err := checkerOf(doc)
	require.NoError(t, err)
	const basic = "Basic cGtfdGVzdDpza190ZXN0"
	done := &Response{Status: 204, Header: http.Header{}}
	csv := http.Header{"Content-Type": {"text/csv"}}
	for name, tc := range map[string]struct {
		method, url, auth, media, body string
		answer                         *Response
		want                           string // the findings, each as rule: message
	}{
		"no key where none is asked for":  {"GET", "/open?a=1", "", "", "", done, ""},
		"no key where one is":             {"POST", "/both", "", formType, "name=x", done, "request.auth: there is no Authorization header"},
		"one of three":                    {"GET", "/open?c=1", "", "", "", done, ""},
		"two of three":                    {"GET", "/open?a=1&c=1", "", "", "", done, "request.query: want exactly one of a and b and c"},
		"nothing, as the answer has none": {"GET", "/open?a=1", "", "", "", done, ""},
		"nothing, though it has some":     {"GET", "/open?a=1", "", "", "", &Response{Status: 200, Header: csv}, "response.body.schema: the answer is empty"},
		"text of no schema":               {"GET", "/open?a=1", "", "", "", &Response{Status: 200, Header: csv, Body: []byte("a,b")}, ""},
		"a number":                        {"GET", "/list?n=0.75", "", "", "", done, ""},
		"a number that is too small":      {"GET", "/list?n=0.25", "", "", "", done, "request.query: n want at least 0.5"},
		"a number that is none":           {"GET", "/list?n=1e3x", "", "", "", done, "request.query: n want a number"},
		"a list":                          {"GET", "/list?id=1&id=2", "", "", "", done, ""},
		"a list of one":                   {"GET", "/list?id=1", "", "", "", done, ""},
		"a list that is too long":         {"GET", "/list?id=1&id=2&id=3", "", "", "", done, "request.query: id want at most 2 items"},
		"a list of words":                 {"GET", "/list?id=1&id=x", "", "", "", done, "request.query: id want an integer"},
		"a form":                          {"POST", "/both", basic, formType, "name=x", done, ""},
		"JSON of the same schema":         {"POST", "/both", basic, "application/json", `{"name":"x"}`, done, ""},
		"JSON that says it is a form":     {"POST", "/both", basic, formType, `{"name":"x"}`, done, "request.body.schema: is required"},
		"a body of no type":               {"POST", "/any", basic, "text/csv", "a,b", done, "request.content-type: the body is text/csv, not any"},
	} {
		x := &Exchange{Request: Request{Method: tc.method, URL: tc.url, Header: http.Header{}, Body: []byte(tc.body)}, Response: tc.answer}
		if tc.auth != "" {
			x.Request.Header.Set("Authorization", tc.auth)
		}
		if tc.media != "" {
			x.Request.Header.Set("Content-Type", tc.media)
		}
		var got []string
		for _, f := range c.Check(x).Findings {
			got = append(got, f.Rule+": "+f.Message)
		}
		assert.Equal(t, tc.want, strings.Join(got, "\n"), name)
	}
	doc.Servers[0].URL = "/v1" // of which nobody could tell whose traffic it is
	_, err = checkerOf(doc)
	require.ErrorContains(t, err, "servers")
}
