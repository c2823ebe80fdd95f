package conformance

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"

	"github.com/getkin/kin-openapi/openapi3"
)

// memberName is the name of a member that cannot hold anybody's data.
var memberName = regexp.MustCompile(`^[\p{L}_$][\p{L}\p{N}_ $~/-]{0,63}$`)

// A walker goes through a value beside its schema and finds what kin-openapi does not.
type walker struct {
	side     Side
	findings []Finding
	errors   int // among them
}

// maxFindings bounds the errors that one body can bring forth, and what else it does: many warnings must not
// hide an error.
const maxFindings = 5000

func (w *walker) add(rule, pointer, message string) {
	f := found(rule, w.side, pointer, message)
	switch isError := f.Severity == SeverityError; {
	case isError && w.errors < maxFindings:
		w.errors++
		w.findings = append(w.findings, f)
	case !isError && len(w.findings)-w.errors < maxFindings:
		w.findings = append(w.findings, f)
	}
}

// has reports whether a place was found to be wrong already.
func (w *walker) has(pointer string) bool {
	return slices.ContainsFunc(w.findings, func(f Finding) bool { return f.Pointer == pointer })
}

func (w *walker) walk(schema *openapi3.Schema, value any, at string) {
	if shape := shapeOf(schema, value); shape != nil {
		w.walk(shape, value, at)
		return
	}
	switch value := value.(type) {
	case map[string]any:
		w.object(schema, value, at)
	case []any:
		if schema.Items == nil {
			return
		}
		for i, item := range value {
			w.walk(schema.Items.Value, item, at+"/"+strconv.Itoa(i))
		}
	case json.Number:
		if schema.Type.Is("integer") && !isInteger(string(value)) && !w.has(at) {
			w.add(schemaRule(w.side), at, "want an integer of at most 64 bits, in plain digits")
		}
	case string:
		if schema.Extensions["x-bento-field-name"] == true && w.side == SideRequest && !snakeCase.MatchString(value) {
			w.add(RulePayloadFieldName, at, "")
		}
		if schema.Format == "email" && w.side == SideRequest && !ValidEmail(value) {
			w.add(RulePayloadEmail, at, "")
		}
	}
}

func (w *walker) object(schema *openapi3.Schema, object map[string]any, at string) {
	free := schema.AdditionalProperties.Has != nil && *schema.AdditionalProperties.Has
	closed := schema.AdditionalProperties.Has != nil && !free
	for _, name := range slices.Sorted(maps.Keys(object)) {
		value, below := object[name], at+pointerSegment(name)
		if property := schema.Properties[name]; property != nil {
			w.walk(property.Value, value, below)
			continue
		}
		switch {
		case schema.AdditionalProperties.Schema != nil:
			w.custom(name, value, below)
		case closed:
			w.add(schemaRule(w.side), below, "is not in the contract")
		case free:
			w.custom(name, value, below)
		case len(schema.Properties) > 0 && w.side == SideResponse:
			w.add(RuleResponseDrift, below, "")
		}
	}
}

// isInteger reports whether digits are an integer that every language can hold.
func isInteger(digits string) bool {
	_, err := strconv.ParseInt(digits, 10, 64)
	return err == nil && digits != "-0"
}
