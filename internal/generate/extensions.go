package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// extensions are the words that the contract has for behaviour; its head explains them.
var extensions = []string{
	"x-bento-async", "x-bento-automations", "x-bento-batch", "x-bento-body-filters", "x-bento-field-name", "x-bento-generic-agents", "x-bento-limit",
	"x-bento-limits", "x-bento-one-of", "x-bento-pace", "x-bento-page-size", "x-bento-paged", "x-bento-permanent", "x-bento-plan",
	"x-bento-query-inputs", "x-bento-repeatable", "x-bento-retry",
}

var extensionKey = regexp.MustCompile(`x-bento-[\w-]*\s*:`)

// checkExtensions refuses a word that nobody reads: a misspelt one would go unnoticed.
func checkExtensions(contract []byte) error {
	for i, line := range bytes.Split(contract, []byte("\n")) {
		line, _, _ = bytes.Cut(line, []byte("#"))
		for _, key := range extensionKey.FindAllString(string(line), -1) {
			if name := strings.TrimRight(key, " :"); !slices.Contains(extensions, name) {
				return &placed{i + 1, fmt.Errorf("%s is no extension of this contract: want one of %s", name, strings.Join(extensions, ", "))}
			}
		}
	}
	return nil
}

// readTexts reads a list of texts at the root of the contract, which must not be empty.
func readTexts(doc *openapi3.T, name, what string) ([]string, error) {
	var all []string
	list, _ := doc.Extensions[name].([]any)
	for _, text := range list {
		all = append(all, fmt.Sprint(text))
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: want a list of %s", name, what)
	}
	return all, nil
}

// readRepeatables collects the schemas whose records say themselves that a repeat is harmless.
func readRepeatables(doc *openapi3.T) (all []repeatable, err error) {
	for _, name := range slices.Sorted(maps.Keys(doc.Components.Schemas)) {
		schema := doc.Components.Schemas[name].Value
		if schema.Extensions["x-bento-repeatable"] == nil {
			continue
		}
		r := repeatable{Schema: name}
		if r.Values, r.Path, err = readRepeatable(schema); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, r)
	}
	return all, nil
}

// readRepeatable reads a path, or values of an enum.
func readRepeatable(schema *openapi3.Schema) (values, path []string, err error) {
	switch ext := schema.Extensions["x-bento-repeatable"].(type) {
	case string:
		return nil, strings.Split(ext, "."), nil
	case []any:
		for _, value := range ext {
			if !slices.Contains(schema.Enum, value) {
				return nil, nil, fmt.Errorf("%q is not in its enum", value)
			}
			values = append(values, fmt.Sprint(value))
		}
		return values, nil, nil
	}
	return nil, nil, errors.New("want a path such as unique.key, or a list of names")
}
