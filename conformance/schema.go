package conformance

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// validators are the formats that kin-openapi does not check by itself. Addresses are no error
// of the contract but a warning: see payload.go.
var validators = map[string]openapi3.StringFormatValidator{
	"uri": openapi3.NewCallbackValidator(func(text string) error { // which the contract may have a use for one day
		if u, err := url.Parse(text); err != nil || u.Scheme == "" {
			return errors.New("not an absolute URI")
		}
		return nil
	}),
	"email": openapi3.NewCallbackValidator(func(string) error { return nil }),
}

// validate judges a JSON value by a schema: kin-openapi by its keywords, walk for what
// kin-openapi lets pass.
func validate(side Side, schema *openapi3.Schema, value any) []Finding {
	w := walker{side: side}
	w.visit(schema, value, "")
	w.walk(schema, value, "")
	return sorted(w.findings)
}

// visit lets kin-openapi judge the value that stands at a pointer.
func (w *walker) visit(schema *openapi3.Schema, value any, at string) {
	visitAs := openapi3.VisitAsRequest()
	if w.side == SideResponse {
		visitAs = openapi3.VisitAsResponse()
	}
	w.schemaErrors(at, schema.VisitJSON(value, visitAs, openapi3.MultiErrors(), openapi3.DisableSchemaErrorDetails(),
		openapi3.EnableFormatValidation(), openapi3.WithStringFormatValidators(validators)))
}

func schemaRule(side Side) string {
	if side == SideResponse {
		return RuleResponseSchema
	}
	return RuleRequestSchema
}

// schemaErrors turns kin-openapi's errors into findings. Its texts quote values, so that none
// of them is used.
func (w *walker) schemaErrors(at string, err error) {
	switch err := err.(type) { //nolint:errorlint // a oneOf wraps the errors of each shape; only the outermost counts
	case nil:
	case openapi3.MultiError:
		for _, e := range err {
			w.schemaErrors(at, e)
		}
	case *openapi3.SchemaError:
		at += pointer(err.JSONPointer())
		switch {
		case err.SchemaField == "properties": // an undeclared member: walk knows its name
		case err.SchemaField == "oneOf" && shapeOf(err.Schema, err.Value) != nil:
			w.visit(shapeOf(err.Schema, err.Value), err.Value, at)
		default:
			w.add(schemaRule(w.side), at, describe(err))
		}
	default:
		w.add(schemaRule(w.side), at, "the body breaks the contract")
	}
}

// shapeOf returns the one shape of a oneOf that a value was meant to have, which says better
// what is wrong with it than "none of them": the one that its discriminator names, or the only
// one of its type. It is nil if there is none, or more than one.
func shapeOf(s *openapi3.Schema, value any) *openapi3.Schema {
	var only *openapi3.Schema
	for _, shape := range s.OneOf {
		if d := s.Discriminator; d != nil {
			members, _ := value.(map[string]any)
			if name, _ := members[d.PropertyName].(string); shape.Ref == d.Mapping[name].Ref {
				return shape.Value
			}
			continue
		}
		kind := jsonType(value)
		if !shape.Value.Type.Is(kind) && (kind != openapi3.TypeNumber || !shape.Value.Type.Is(openapi3.TypeInteger)) {
			continue
		}
		if only != nil {
			return nil
		}
		only = shape.Value
	}
	return only
}

// jsonType is the name that a schema has for the type of a value.
func jsonType(value any) string {
	switch value.(type) {
	case map[string]any:
		return openapi3.TypeObject
	case []any:
		return openapi3.TypeArray
	case string:
		return openapi3.TypeString
	case bool:
		return openapi3.TypeBoolean
	case nil:
		return openapi3.TypeNull
	}
	return openapi3.TypeNumber
}

// describe says what the contract wants, in its own numbers.
func describe(e *openapi3.SchemaError) string {
	s := e.Schema
	switch e.SchemaField {
	case "required":
		return "is required"
	case "nullable":
		return "must not be null"
	case "type":
		return "want " + typeName(s)
	case "format":
		return "want " + article(s.Format)
	case "minItems":
		return "want at least " + count(s.MinItems, "item")
	case "maxItems":
		return "want at most " + count(*s.MaxItems, "item")
	case "minLength":
		if s.MinLength == 1 {
			return "must not be empty"
		}
		return "want at least " + count(s.MinLength, "character")
	case "maxLength":
		return "want at most " + count(*s.MaxLength, "character")
	case "minProperties":
		return "want at least " + count(s.MinProps, "member")
	case "minimum":
		return "want at least " + strconv.FormatFloat(*s.Min, 'f', -1, 64)
	case "maximum":
		return "want at most " + strconv.FormatFloat(*s.Max, 'f', -1, 64)
	case "enum":
		return "want one of " + strings.Trim(fmt.Sprint(s.Enum), "[]")
	case "pattern":
		return "want text that matches " + s.Pattern
	case "oneOf", "anyOf", "allOf":
		if names := choices(s); names != "" {
			return "needs " + names
		}
		return "has none of the shapes that the contract allows" + shapes(s)
	case "discriminator":
		return s.Discriminator.PropertyName + " names no known shape"
	default:
		return "breaks the contract's " + e.SchemaField
	}
}

// choices names the members of which an anyOf asks for some.
func choices(s *openapi3.Schema) string {
	if slices.ContainsFunc(s.AnyOf, strangeAmongAny) {
		return ""
	}
	var names []string
	for _, one := range s.AnyOf {
		names = append(names, strings.Join(one.Value.Required, " and "))
	}
	return strings.Join(names, " or ")
}

// shapes names the types of a oneOf, if each has another.
func shapes(s *openapi3.Schema) string {
	var names []string
	for _, shape := range s.OneOf {
		if name := strings.Join(shape.Value.Type.Slice(), " or "); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) < len(s.OneOf) || len(names) == 0 {
		return ""
	}
	return ": want " + strings.Join(names, ", ")
}

func typeName(s *openapi3.Schema) string {
	if len(s.Type.Slice()) == 0 { // for a number that is too large for kin-openapi
		return "another type"
	}
	return article(strings.Join(s.Type.Slice(), " or "))
}

func article(noun string) string {
	if strings.ContainsRune("aeio", rune(noun[0])) {
		return "an " + noun
	}
	return "a " + noun
}

func count(n uint64, noun string) string {
	return plural(int(min(n, math.MaxInt32)), noun) //nolint:gosec // it fits: the bound is the line itself
}

// pointer joins segments as RFC 6901 has it.
func pointer(segments []string) string {
	var b strings.Builder
	for _, s := range segments {
		b.WriteString(pointerSegment(s))
	}
	return b.String()
}

var pointerEscape = strings.NewReplacer("~", "~0", "/", "~1")

// pointerSegment writes a member's name, unless the name may itself be somebody's data.
func pointerSegment(name string) string {
	if _, err := strconv.ParseUint(name, 10, 31); err != nil && !memberName.MatchString(name) || isSecretValue(name) {
		return "/(name withheld)"
	}
	return "/" + pointerEscape.Replace(name)
}
