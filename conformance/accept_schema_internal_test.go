package conformance

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// acceptorOf compiles a schema that the contract does not have.
func acceptorOf(t *testing.T, side Side, text string) (*acceptor, content) {
	t.Helper()
	var schema openapi3.Schema
	require.NoError(t, json.Unmarshal([]byte(text), &schema), text)
	return compileAcceptor(side, &schema, newRegistry(&openapi3.T{Paths: openapi3.NewPaths()})), content{side, &schema}
}

// sureOf holds that an acceptor takes the bodies, and that the authority does not object.
func sureOf(t *testing.T, a *acceptor, by content, schema string, bodies []string) {
	t.Helper()
	for _, body := range bodies {
		assert.True(t, a.accepts([]byte(body), nil), "%s: %s", schema, body)
		assert.Empty(t, slowly(by, []byte(body)), "%s: %s", schema, body)
	}
}

// What is sure is quick; what is left to the authority is slow. So most of what programs write has to be sure,
// and all that is wrong left. These are the edges.
type edges struct {
	sure, wrong []string
	slow        []string // fine, and left all the same
}

func (e edges) hold(t *testing.T, side Side, schema string) {
	t.Helper()
	a, by := acceptorOf(t, side, schema)
	require.NotNil(t, a, schema)
	sureOf(t, a, by, schema, e.sure)
	for _, body := range e.wrong {
		assert.False(t, a.accepts([]byte(body), nil), "%s: %s", schema, body)
		assert.NotEmpty(t, slowly(by, []byte(body)), "%s: %s", schema, body)
	}
	for _, body := range e.slow {
		assert.False(t, a.accepts([]byte(body), nil), "%s: %s", schema, body)
		assert.Empty(t, slowly(by, []byte(body)), "%s: %s", schema, body)
	}
}

// What a shape cannot say is left to the authority, though it be something that the contract says one day,
// or that the next version of OpenAPI has a word for.
func TestASchemaThatIsNotUnderstoodIsLeftToTheAuthority(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{"allOf":[{"type":"string"}]}`, `{"anyOf":[{"type":"string"}]}`, `{"not":{"type":"string"}}`, `{"type":"string","pattern":"^a"}`,
		`{"type":"array","items":{},"uniqueItems":true}`, `{"type":"integer","multipleOf":2}`, `{"type":"string","readOnly":true}`,
		`{"type":"string","writeOnly":true}`, `{"type":"object","maxProperties":1}`, `{"type":"integer","minimum":1,"exclusiveMinimum":true}`,
		`{"type":"integer","maximum":1,"exclusiveMaximum":true}`, `{"type":"integer","exclusiveMinimum":1}`, `{"type":"string","const":"a"}`,
		`{"type":"array","prefixItems":[{"type":"string"}]}`, `{"type":"array","contains":{"type":"string"}}`, `{"if":{"type":"string"},"then":{"minLength":1}}`,
		`{"type":"object","properties":{"a":{}},"anyOf":[{"required":["a"]},{"required":["b"]}]}`, `{"type":"object","properties":{"a":{}},"anyOf":[{"required":["a"],"minProperties":2}]}`,
		`{"type":"string","anyOf":[{"required":["a"]}]}`, `{"anyOf":[{"required":["a"]}],"oneOf":[{"type":"string"},{"type":"object","properties":{"a":{}}}]}`,
		`{"type":"object","propertyNames":{"maxLength":1}}`, `{"type":"object","discriminator":{"propertyName":"type"}}`,
		`{"type":"string","maxLength":0}`, `{"type":"array","maxItems":0}`, `{"enum":[1]}`, `{"type":"string","enum":["a",1]}`, `{"type":"string","enum":[1,"a"]}`, `{"type":"string","nullable":true,"enum":["a",null]}`,
		`{"type":["string","integer"],"enum":["a"]}`, `{"type":"integer","enum":["a"]}`, `{"type":"boolean","enum":["a"]}`, `{"type":"object","required":["unnamed"]}`,
		`{"oneOf":[{"type":"string"},{"type":"string"}]}`, `{"oneOf":[{"type":"integer"},{"type":"number"}]}`, `{"oneOf":[{"type":"string"},{}]}`,
		`{"oneOf":[{"type":"string","nullable":true},{"type":"object","nullable":true}]}`,
		`{"oneOf":[{"type":"string"},{"type":"object"}],"nullable":true}`, `{"oneOf":[{"type":"string"},{"type":"object"}],"minProperties":1}`,
		`{"type":"array","items":{"pattern":"^a"}}`, `{"type":"object","properties":{"a":{"pattern":"^a"}}}`, `{"additionalProperties":{"pattern":"^a"}}`,
		`{"oneOf":[{"pattern":"^a"},{"type":"object"}]}`,
		`{"additionalProperties":{"type":"string"}}`, `{"minLength":1}`, `{"minimum":1}`, `{"enum":["a"]}`, `{"format":"email"}`, `{"minItems":1}`, `{"minProperties":1}`, `{"required":["a"],"properties":{"a":{}}}`,
	} {
		a, _ := acceptorOf(t, SideResponse, text)
		assert.Nil(t, a, text)
	}
}

// What says nothing of values hinders nothing.
func TestWordsAboutASchemaHinderNothing(t *testing.T) {
	t.Parallel()
	a, _ := acceptorOf(t, SideResponse, `{"type":"string","title":"a","description":"b","default":"c","example":"d","deprecated":true,
		"externalDocs":{"url":"https://acme.example"},"xml":{"name":"e"},"x-f":1}`)
	require.NotNil(t, a)
	assert.True(t, a.accepts([]byte(`"any"`), nil))
}

// For each word that a shape knows: what it accepts, and what it leaves to the authority. Of what it leaves,
// the authority objects to the second list, and not to the third, which is a matter of speed.
func TestWhatAShapeIsSureOf(t *testing.T) {
	t.Parallel()
	for schema, e := range map[string]edges{
		`{}`:                                                         {[]string{`1`, `"a"`, `[]`, `{}`, `true`, ` 1 `, `{"a":[1,{"b":"c"}]}`, `{"a":null}`}, []string{`null`}, []string{`[null]`}},
		`{"nullable":true}`:                                          {[]string{`null`, `1`, `"a"`, `[null,[null]]`, `{"a":{"b":null}}`}, nil, nil},
		`{"type":"string"}`:                                          {[]string{`""`, `"a"`, `"ä\u00e4\n"`}, []string{`1`, `null`, `[]`, `{}`, `true`, `false`}, nil},
		`{"type":"integer"}`:                                         {[]string{`0`, `-1`, `123456789012345`}, []string{`1.5`, `"1"`, `true`, `null`}, nil},
		`{"type":"number"}`:                                          {[]string{`0`, `-1.5`}, []string{`"1"`, `true`, `null`}, []string{`1e3`, `1.5E-3`, `12345678901234567890`, `1.1234567890123456789`}},
		`{"type":"boolean"}`:                                         {[]string{`true`, `false`}, []string{`1`, `"true"`, `null`}, nil},
		`{"type":"array"}`:                                           {[]string{`[]`}, []string{`{}`, `1`, `null`}, []string{`[1]`}},
		`{"type":"object"}`:                                          {[]string{`{}`, `{"a":1}`}, []string{`[]`, `"a"`, `null`}, nil},
		`{"type":"string","nullable":true}`:                          {[]string{`"a"`, `null`}, []string{`1`}, nil},
		`{"type":"string","enum":["a","bc"]}`:                        {[]string{`"a"`, `"bc"`}, []string{`"b"`, `""`, `"abc"`}, nil},
		`{"type":"string","minLength":2}`:                            {[]string{`"ab"`, `"abc"`}, []string{`"a"`, `""`, `"ä"`}, nil},
		`{"type":"string","maxLength":2}`:                            {[]string{`""`, `"ab"`}, []string{`"abc"`, `"äöü"`}, nil},
		`{"type":"integer","minimum":2}`:                             {[]string{`2`, `3`}, []string{`1`, `-2`}, nil},
		`{"type":"integer","maximum":2}`:                             {[]string{`2`, `1`, `-3`}, []string{`3`}, nil},
		`{"type":"array","items":{},"minItems":1}`:                   {[]string{`[1]`, `[1,2]`}, []string{`[]`}, nil},
		`{"type":"array","items":{},"maxItems":1}`:                   {[]string{`[]`, `[1]`}, []string{`[1,2]`}, nil},
		`{"type":"array","items":{"type":"string"}}`:                 {[]string{`[]`, `["a","b"]`}, []string{`[1]`, `["a",1]`}, nil},
		`{"type":"object","minProperties":1}`:                        {[]string{`{"a":1}`}, []string{`{}`}, nil},
		`{"type":"object","additionalProperties":{"type":"string"}}`: {[]string{`{}`, `{"a":"b"}`}, []string{`{"a":1}`}, nil},
		`{"type":"integer","format":"int32"}`:                        {nil, []string{`2147483648`}, []string{`1`}},
		`{"type":"integer","format":"int64"}`:                        {[]string{`123456789012345678`}, nil, nil},
		`{"type":"string","nullable":true,"enum":["a"]}`:             {[]string{`"a"`}, nil, nil},
		`{"type":"object","nullable":true,"properties":{"a":{}}}`:    {[]string{`null`, `{"a":1}`}, []string{`{"a":null}`}, nil},
		`{"type":"object","additionalProperties":true}`:              {[]string{`{}`, `{"a":1}`, `{"a":null}`, `{"a":[null]}`}, nil, nil},
		`{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"integer"}},"required":["a"]}`: {
			[]string{`{"a":"x"}`, `{"a":"x","b":1}`, `{"b":1,"a":"x"}`}, []string{`{}`, `{"b":1}`, `{"a":1}`, `{"a":"x","b":"y"}`}, nil,
		},
		`{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}},"required":["a","b"]}`: {
			[]string{`{"a":"x","b":"y"}`}, []string{`{"a":"x"}`, `{"b":"x"}`}, nil,
		},
		`{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"},"c":{"type":"string"}},"anyOf":[{"required":["a"]},{"required":["b","c"]}]}`: {
			[]string{`{"a":"x"}`, `{"b":"x","c":"y"}`, `{"a":"x","b":"y"}`}, []string{`{}`, `{"b":"x"}`, `{"c":"x"}`}, nil,
		},
		`{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":{"type":"integer"}}`: {
			[]string{`{"a":"x","b":1}`}, []string{`{"a":"x","b":"y"}`}, nil,
		},
		`{"oneOf":[{"type":"string","minLength":2},{"type":"integer","minimum":1},{"type":"array","items":{},"maxItems":1},{"type":"object","minProperties":1}]}`: {
			[]string{`"ab"`, `1`, `[1]`, `{"a":1}`}, []string{`"a"`, `0`, `[1,2]`, `{}`, `null`, `true`}, nil,
		},
		`{"type":["string","object"],"additionalProperties":false}`:        {[]string{`"a"`, `{}`}, []string{`{"a":"b"}`}, nil},
		`{"type":["string","integer"],"minimum":1}`:                        {[]string{`1`, `"a"`}, []string{`0`, `true`}, nil},
		`{"type":"object","additionalProperties":false}`:                   {[]string{`{}`}, []string{`{"a":1}`}, nil},
		`{"type":"string","x-bento-field-name":true}`:                      {[]string{`"Not in style"`, `""`}, []string{`1`}, nil}, // its sender is Bento
		`{"oneOf":[{"type":"string"}]}`:                                    {[]string{`"a"`}, []string{`1`, `null`}, nil},
		`{"oneOf":[{"type":"string","nullable":true},{"type":"boolean"}]}`: {[]string{`"a"`, `null`, `true`}, []string{`1`}, nil},
		`{"type":"string","format":"date-time"}`:                           {[]string{`"2026-02-28T01:02:03Z"`}, []string{`"yesterday"`, `""`}, []string{`"2026\u002d02-28T01:02:03Z"`}},
		`{"type":"string","format":"email"}`:                               {[]string{`"ari@example.com"`, `"no address"`}, nil, nil},
		// What Bento says of purchases is not looked into.
		`{"type":"object","properties":{"events":{"type":"array","items":{"type":"object","properties":{"type":{"type":"string"},"details":{"type":"object","additionalProperties":true,"x-bento-repeatable":"unique.key"}}}}}}`: {
			[]string{`{"events":[{"type":"$purchase","details":{"value":{"amount":0.5}}}]}`}, nil, nil,
		},
		`{"type":"string","format":"uri"}`:        {nil, []string{`"a"`, `"/a"`, `"a%zz:b"`, `""`}, []string{`"https://a.example/b"`, `"mailto:ari@example.com"`}},
		`{"type":"string","format":"of-another"}`: {nil, nil, []string{`"a"`}},
	} {
		e.hold(t, SideResponse, schema)
	}
}

// What is not JSON, or not all of it, is none of a shape's business.
func TestAShapeIsSureOfNothingThatIsNotJSON(t *testing.T) {
	t.Parallel()
	a, _ := acceptorOf(t, SideResponse, `{}`)
	for _, body := range []string{
		``, ` `, `{`, `}`, `[`, `]`, `[1`, `[1,`, `[1,]`, `[,1]`, `[1 2]`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a":1,}`, `{"a" 1}`, `{a:1}`, `{"a":1 "b":2}`, `{1:2}`, `{,}`,
		`1 2`, "1\x00", `1.:`, `1.5:`, `{}{}`, `nul`, `nulll`, `tru`, `truee`, `fals`, `falsee`, `+1`, `01`, `1.`, `.5`, `1e`, `1e+`, `-`, `--1`, `0x1`, `1a`, `Infinity`, `NaN`,
		`"`, `"a`, `"\`, `"\x"`, `"\u12"`, `"\u12G4"`, "\"a\nb\"", "\"\x00\"", "\"\xff\"", `'a'`, "\xef\xbb\xbf1", `1,`, `:1`, `"a":1`,
	} {
		assert.False(t, a.accepts(slices.Clip([]byte(body)), nil), "%q", body)
	}
}

// Of a request more is looked at: addresses, and the names that its sender chose.
func TestWhatAShapeIsSureOfInARequest(t *testing.T) {
	t.Parallel()
	for schema, of := range map[string]struct{ sure, left []string }{
		`{"type":"string","format":"email"}`:                         {[]string{`"ari@example.com"`, `"a.b+c@mail.example.co"`}, []string{`"ari"`, `""`, `"ari@"`, `"@example.com"`, `"a b@example.com"`, `"ari@example.com\u0020"`}},
		`{"type":"object"}`:                                          {[]string{`{"firstName":1}`, `{"a":{"firstName":"sk_live_0123456789"}}`}, nil}, // nobody looks into it
		`{"type":"object","additionalProperties":{"type":"string"}}`: {[]string{`{"a":"b"}`}, []string{`{"firstName":"b"}`, `{"a":1}`}},
		// Neither is an event.
		`{"type":"object","properties":{"type":{"type":"string"}}}`: {[]string{`{"type":"$purchase"}`}, nil},
		`{"type":"object","properties":{"details":{"type":"object","additionalProperties":true,"x-bento-repeatable":"unique.key"}}}`: {
			[]string{`{"details":{"value":{"amount":0.5}}}`}, nil,
		},
		`{"type":"object","additionalProperties":true}`: {
			[]string{`{}`, `{"first_name":"Ari","seats":3}`},
			[]string{`{"firstName":1}`, `{"":1}`, `{"a":1,"a":2}`, `{"api_key":"x"}`, `{"note":"sk_live_0123456789"}`},
		},
	} {
		a, by := acceptorOf(t, SideRequest, schema)
		require.NotNil(t, a, schema)
		sureOf(t, a, by, schema, of.sure)
		for _, body := range of.left {
			assert.False(t, a.accepts([]byte(body), nil), "%s: %s", schema, body)
		}
	}
}
