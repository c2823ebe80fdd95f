package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

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

type family struct {
	Name       string
	Documented rate
	Guarded    *rate // nil where the guardrails name none
}

type rate struct {
	Requests int
	Unit     string // a time.Duration constant, such as time.Minute
}

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

var (
	units        = map[string]string{"second": "time.Second", "minute": "time.Minute", "hour": "time.Hour", "day": "24 * time.Hour"}
	retryClasses = []string{"safe", "answered", "rejected", "never"}
)

// read validates the contract and collects its table, sorted by operationId.
func read(contract []byte) (*table, error) {
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
	basePath, err := doc.Servers.BasePath()
	if err != nil {
		return nil, err
	}
	families, err := readFamilies(doc.Extensions["x-bento-limits"])
	if err != nil {
		return nil, fmt.Errorf("x-bento-limits: %w", err)
	}
	statuses, err := readStatuses(doc)
	if err != nil {
		return nil, fmt.Errorf("x-errors: %w", err)
	}
	agents, err := readTexts(doc, "x-bento-generic-agents", "products")
	if err != nil {
		return nil, err
	}
	permanent, err := readTexts(doc, "x-bento-permanent", "sentences")
	if err != nil {
		return nil, err
	}
	if len(doc.Servers) == 0 {
		return nil, errors.New("servers: want one, with the address of the API")
	}
	server := strings.TrimSuffix(doc.Servers[0].URL, "/")
	repeatables, err := readRepeatables(doc)
	if err != nil {
		return nil, fmt.Errorf("x-bento-repeatable: %w", err)
	}
	t := &table{ServerURL: server, BasePath: basePath, Statuses: statuses, Agents: agents, Permanent: permanent, Families: families, Repeatable: repeatables}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			row, err := readOperation(op, families)
			if err != nil {
				return nil, at(op, fmt.Errorf("%s %s: %w", method, path, err))
			}
			row.Method, row.Path = method, path
			t.Operations = append(t.Operations, row)
		}
	}
	slices.SortFunc(t.Operations, func(a, b operation) int { return cmp.Compare(a.ID, b.ID) })
	return t, nil
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

func readFamilies(ext any) ([]family, error) {
	limits, ok := ext.(map[string]any)
	if !ok || len(limits) == 0 {
		return nil, errors.New("want a map of limit families")
	}
	var all []family
	for _, name := range slices.Sorted(maps.Keys(limits)) {
		rates, _ := limits[name].(map[string]any)
		documented, err := readRate(rates["documented"])
		if err != nil {
			return nil, fmt.Errorf("%s: documented: %w", name, err)
		}
		f := family{Name: name, Documented: documented}
		if ext, named := rates["guarded"]; named {
			guarded, err := readRate(ext)
			if err != nil {
				return nil, fmt.Errorf("%s: guarded: %w", name, err)
			}
			f.Guarded = &guarded
		}
		all = append(all, f)
	}
	return all, nil
}

// readRate reads "100/minute".
func readRate(ext any) (rate, error) {
	text, _ := ext.(string)
	count, per, _ := strings.Cut(text, "/")
	n, err := strconv.Atoi(count)
	unit, known := units[per]
	if err != nil || n < 1 || !known {
		return rate{}, fmt.Errorf("want N/second, N/minute, N/hour or N/day, got %q", text)
	}
	return rate{n, unit}, nil
}

func readOperation(op *openapi3.Operation, families []family) (operation, error) {
	row := operation{ID: op.OperationID, Summary: op.Summary}
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
		if row.Async, err = time.ParseDuration(text); text != "queued" && (err != nil || row.Async <= 0) {
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
