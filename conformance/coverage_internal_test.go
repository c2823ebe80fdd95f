package conformance

import (
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What the contract does not say today it may say tomorrow: members of whatever is named by the traffic, shapes that
// do not suit, and an answer beside the class of it.
func TestCoverageOfAContractThatSaysMore(t *testing.T) {
	t.Parallel()
	doc, err := openapi3.NewLoader().LoadFromData([]byte(`{"openapi":"3.0.3","info":{"title":"a","version":"1"},"paths":{"/a":{"get":{"responses":{
		"503":{"description":"b","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Map"}}}},
		"5XX":{"description":"c","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Either"}}}}
	}}}},"components":{"schemas":{
		"Map":{"type":"object","properties":{"named":{"type":"string"}},"additionalProperties":{"$ref":"#/components/schemas/Free"}},
		"Free":{"type":"object","properties":{"inner":{"type":"string"},"other":{"type":"string"}}},
		"Either":{"type":"object","properties":{"beside":{"type":"string"}},"oneOf":[{"type":"string"}]}
	}}}`))
	require.NoError(t, err)
	checker := &Checker{doc: doc, members: newRegistry(doc)}
	op := doc.Paths.Value("/a").Get
	all := []string{"response Free.inner", "response Free.other", "response Map.named"}
	require.Equal(t, all, checker.newCoverage().unseen())
	for name, tc := range map[string]struct {
		status          int
		schema          string
		value           map[string]any
		unseen, missing []string
	}{
		"of a free name":  {503, "Map", map[string]any{"free": map[string]any{"inner": "x"}}, []string{"response Free.other", "response Map.named"}, []string{"5XX"}},
		"a named one":     {500, "Map", map[string]any{"named": "x"}, []string{"response Free.inner", "response Free.other"}, []string{"503"}},
		"a nameless one":  {500, "Map", map[string]any{"free": "x"}, all, []string{"503"}},
		"of no shape":     {500, "Either", map[string]any{"beside": "x"}, all, []string{"503"}},
		"of another kind": {404, "Either", nil, all, []string{"503", "5XX"}},
	} {
		cover := checker.newCoverage()
		cover.body(SideResponse, doc.Components.Schemas[tc.schema].Value, tc.value)
		cover.exchange(op, "", tc.status)
		assert.Equal(t, tc.unseen, cover.unseen(), name)
		assert.Equal(t, tc.missing, cover.missing(op).Statuses, name)
	}
}
