package contract_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	contract "example.com/bento-go"
	"example.com/bento-go/gen"
)

func load(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(contract.OpenAPI())
	require.NoError(t, err)
	return doc
}

func TestTheContractIsValidAndItsExamplesToo(t *testing.T) {
	t.Parallel()
	doc := load(t)
	assert.Equal(t, "3.0.3", doc.OpenAPI)
	require.NoError(t, doc.Validate(context.Background(), openapi3.EnableExamplesValidation()))
}

// Rules that keep what is generated readable; each costs an afternoon to find out.
func TestTheContractKeepsItsHouseRules(t *testing.T) {
	t.Parallel()
	doc := load(t)
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			name := method + " " + path
			assert.Regexp(t, `^[a-z]+([A-Z][a-z]+)*$`, op.OperationID, name)
			assert.NotEmpty(t, op.Summary, name)
			assert.NotEmpty(t, op.Extensions["x-source"], "%s names no source", name)
			for _, status := range []string{"400", "401", "403", "404", "422", "429", "5XX"} {
				assert.NotNil(t, op.Responses.Value(status), "%s has no %s", name, status)
			}
			if op.RequestBody == nil {
				continue
			}
			for media, content := range op.RequestBody.Value.Content {
				assert.NotEmpty(t, content.Schema.Ref, "%s: %s: name the schema in components, or its type has no name", name, media)
				assert.True(t, content.Example != nil || len(content.Examples) > 0, "%s: %s has no example", name, media)
			}
		}
	}
	for name, schema := range doc.Components.Schemas {
		for property, ref := range schema.Value.Properties {
			inline := ref.Ref == "" && (len(ref.Value.Properties) > 0 || len(ref.Value.Enum) > 0)
			assert.False(t, inline, "%s.%s: name the schema in components, or its type has no name", name, property)
		}
	}
}

func TestTheTableOfOperationsIsWhole(t *testing.T) {
	t.Parallel()
	var ids []string
	for path, item := range load(t).Paths.Map() {
		for method, op := range item.Operations() {
			ids = append(ids, op.OperationID)
			row, ok := gen.OperationByID(op.OperationID)
			require.True(t, ok, op.OperationID)
			assert.Equal(t, method+" "+path, row.Method+" "+row.Path)
		}
	}
	assert.Len(t, gen.Operations(), len(ids))
}

// tools.go is the index, go.mod's tool lines the pin, the generated headers the proof.
func TestToolsAgree(t *testing.T) {
	t.Parallel()
	index, err := os.ReadFile("tools.go")
	require.NoError(t, err)
	var imports []string
	for _, match := range regexp.MustCompile(`(?m)^\t_ "(.+)"$`).FindAllStringSubmatch(string(index), -1) {
		imports = append(imports, match[1])
	}
	var mod struct {
		Tool    []struct{ Path string }
		Require []struct{ Path, Version string }
	}
	out, err := exec.Command("go", "mod", "edit", "-json").Output()
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(out, &mod))
	var tools []string
	for _, tool := range mod.Tool {
		tools = append(tools, tool.Path)
	}
	assert.ElementsMatch(t, tools, imports, "tools.go and go.mod's tool lines")

	const generator = "github.com/oapi-codegen/oapi-codegen/v2"
	at := slices.IndexFunc(mod.Require, func(r struct{ Path, Version string }) bool { return r.Path == generator })
	require.GreaterOrEqual(t, at, 0)
	for _, file := range []string{"gen/types.gen.go", "gen/client.gen.go"} {
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Contains(t, string(source[:min(len(source), 400)]), generator+" version "+mod.Require[at].Version, file)
	}
}
