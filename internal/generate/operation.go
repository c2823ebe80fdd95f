package main

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
)

// An operation is a row of the table.
type operation struct {
	ID, Method, Path, Summary string
	Retry, Limit              string
	BatchKey                  string
	BatchMax                  uint64
	Pace                      *rate
	Plan                      string
	Queued                    bool
	Async                     time.Duration
	Paged, Automations        bool
	PageSize                  int
	Uncertain                 bool
}

// retryClasses are the words of x-bento-retry.
var retryClasses = []string{"safe", "answered", "rejected", "never"}

// readOperations reads all of them, sorted by ID.
func readOperations(doc *openapi3.T, families []family) (all []operation, err error) {
	batches := map[string]string{} // who has a key: its largest batch is a constant of that name
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			row, err := readOperation(op, families)
			if err != nil {
				return nil, at(op, fmt.Errorf("%s %s: %w", method, path, err))
			}
			if other, taken := batches[row.BatchKey]; taken && row.BatchKey != "" {
				return nil, at(op, fmt.Errorf("%s %s: x-bento-batch: %s are those of %s, too: two operations with one key are not foreseen", method, path, row.BatchKey, other))
			}
			batches[row.BatchKey] = row.ID
			row.Method, row.Path = method, path
			all = append(all, row)
		}
	}
	slices.SortFunc(all, func(a, b operation) int { return cmp.Compare(a.ID, b.ID) })
	return all, nil
}

func readOperation(op *openapi3.Operation, families []family) (operation, error) {
	row := operation{ID: op.OperationID, Summary: strings.Join(strings.Fields(op.Summary), " ")}
	if row.ID == "" {
		return row, errors.New("operationId is missing")
	}
	if !operationID.MatchString(row.ID) {
		return row, fmt.Errorf("operationId: want letters and digits, the first one small, got %q", row.ID)
	}
	row.Retry, _ = op.Extensions["x-bento-retry"].(string)
	if !slices.Contains(retryClasses, row.Retry) {
		return row, fmt.Errorf("x-bento-retry: want one of %s, got %q", strings.Join(retryClasses, ", "), row.Retry)
	}
	row.Limit, _ = op.Extensions["x-bento-limit"].(string)
	if !slices.ContainsFunc(families, func(f family) bool { return f.Name == row.Limit }) {
		return row, fmt.Errorf("x-bento-limit: %q is not a family of x-bento-limits", row.Limit)
	}
	var size float64
	var confidence string
	if err := errors.Join(
		word(op, "x-bento-paged", "true or false", &row.Paged), word(op, "x-bento-page-size", "a number", &size),
		word(op, "x-bento-automations", "true or false", &row.Automations), word(op, "x-bento-plan", "a name", &row.Plan),
		word(op, "x-bento-batch", "a member of the body", &row.BatchKey), word(op, "x-confidence", "low", &confidence),
		word(op, "x-bento-query-inputs", "true or false", new(bool)), word(op, "x-bento-body-filters", "true or false", new(bool)),
		word(op, "x-bento-one-of", "a list of parameters", new([]any)),
	); err != nil {
		return row, err
	}
	if confidence != "" && confidence != "low" {
		return row, fmt.Errorf("x-confidence: want low, got %q", confidence)
	}
	row.PageSize, row.Uncertain = int(size), confidence == "low"
	if err := readTimes(op, &row); err != nil {
		return row, err
	}
	if row.BatchKey == "" {
		return row, nil
	}
	records, err := batchSchema(op, row.BatchKey)
	if err != nil {
		return row, fmt.Errorf("x-bento-batch: %w", err)
	}
	row.BatchMax = *records.MaxItems
	return row, nil
}

// word reads an extension that may be left out, but not be of another type.
func word[T any](op *openapi3.Operation, name, want string, into *T) error {
	ext, given := op.Extensions[name]
	if !given {
		return nil
	}
	value, ok := ext.(T)
	if !ok {
		return fmt.Errorf("%s: want %s, got %v", name, want, ext)
	}
	*into = value
	return nil
}

// operationID is what becomes a name in every language.
var operationID = regexp.MustCompile(`^[a-z][a-zA-Z0-9]*$`)

func readTimes(op *openapi3.Operation, row *operation) (err error) {
	if ext, ok := op.Extensions["x-bento-async"]; ok {
		row.Queued = true
		text, _ := ext.(string)
		if row.Async, err = time.ParseDuration(text); text != "queued" && (err != nil || row.Async < time.Second || row.Async%time.Second != 0) {
			return fmt.Errorf("x-bento-async: want a duration such as 5m, or queued, got %q", text)
		}
	}
	if ext, ok := op.Extensions["x-bento-pace"]; ok {
		pace, err := readRate(ext)
		if err != nil {
			return fmt.Errorf("x-bento-pace: %w", err)
		}
		row.Pace = &pace
	}
	return nil
}

// batchSchema finds the array of records under key in the JSON body of op.
func batchSchema(op *openapi3.Operation, key string) (*openapi3.Schema, error) {
	if op.RequestBody == nil {
		return nil, errors.New("the operation has no body")
	}
	media := op.RequestBody.Value.Content.Get("application/json")
	if media == nil || media.Schema == nil {
		return nil, errors.New("the body has no JSON schema")
	}
	member := media.Schema.Value.Properties[key]
	if member == nil {
		return nil, fmt.Errorf("the body has no member %q", key)
	}
	for _, shape := range append(openapi3.SchemaRefs{member}, member.Value.OneOf...) {
		if shape.Value.Type.Is("array") && shape.Value.MaxItems != nil {
			return shape.Value, nil
		}
	}
	return nil, fmt.Errorf("the body has no array %q with maxItems", key)
}
