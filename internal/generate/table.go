package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// A table is what the contract says of its operations beyond their types.
type table struct {
	ServerURL  string // without a trailing slash
	BasePath   string
	Statuses   []status
	Agents     []string
	Permanent  []string // what an error says that no retry will change
	Families   []family
	Operations []operation
	Repeatable []repeatable
}

// A repeatable is a schema of records that may be repeated without changing anything, when they
// say so themselves (x-bento-repeatable): by one of the values, or by what stands at the path.
type repeatable struct {
	Schema       string
	Values, Path []string
}

// A status is a row of the conventions' status table (x-errors).
type status struct {
	Code        string // three digits, or a class such as 5XX
	Description string
}

// Case is the condition under which an int n is this status.
func (s status) Case() string {
	if class, ok := strings.CutSuffix(s.Code, "XX"); ok {
		return "n/100 == " + class
	}
	return "n == " + s.Code
}

// read validates the contract and collects its table, sorted by operationId.
func read(contract []byte) (*table, error) {
	doc, err := load(contract)
	if err != nil {
		return nil, err
	}
	t := &table{ServerURL: strings.TrimSuffix(doc.Servers[0].URL, "/")}
	if t.BasePath, err = doc.Servers.BasePath(); err != nil {
		return nil, err
	}
	if t.Families, err = readFamilies(doc.Extensions["x-bento-limits"]); err != nil {
		return nil, fmt.Errorf("x-bento-limits: %w", err)
	}
	if t.Statuses, err = readStatuses(doc); err != nil {
		return nil, fmt.Errorf("x-errors: %w", err)
	}
	if t.Agents, err = readTexts(doc, "x-bento-generic-agents", "products"); err != nil {
		return nil, err
	}
	if t.Permanent, err = readTexts(doc, "x-bento-permanent", "sentences"); err != nil {
		return nil, err
	}
	if t.Repeatable, err = readRepeatables(doc); err != nil {
		return nil, fmt.Errorf("x-bento-repeatable: %w", err)
	}
	if t.Operations, err = readOperations(doc, t.Families); err != nil {
		return nil, err
	}
	return t, nil
}

// load reads the contract, if it is valid.
func load(contract []byte) (*openapi3.T, error) {
	if err := checkExtensions(contract); err != nil {
		return nil, err
	}
	loader := openapi3.NewLoader()
	loader.IncludeOrigin = true
	doc, err := loader.LoadFromData(contract)
	if err != nil {
		return nil, err
	}
	if err := doc.Validate(context.Background()); err != nil {
		return nil, err
	}
	if len(doc.Servers) == 0 {
		return nil, errors.New("servers: want one, with the address of the API")
	}
	return doc, nil
}

func readStatuses(doc *openapi3.T) ([]status, error) {
	refs, ok := doc.Extensions["x-errors"].(map[string]any)
	if !ok || len(refs) == 0 {
		return nil, errors.New("want a map from status to answer")
	}
	var all []status
	for _, code := range slices.Sorted(maps.Keys(refs)) {
		ref, _ := refs[code].(map[string]any)
		name, _ := ref["$ref"].(string)
		answer := doc.Components.Responses[strings.TrimPrefix(name, "#/components/responses/")]
		if answer == nil || answer.Value.Description == nil {
			return nil, fmt.Errorf("%s: %q is not an answer with a description", code, name)
		}
		all = append(all, status{code, strings.TrimSpace(*answer.Value.Description)})
	}
	return all, nil
}
