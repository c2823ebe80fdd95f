package conformance

import (
	"maps"
	"reflect"
	"slices"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
)

// Most bodies keep the contract. An acceptor, compiled from a schema, goes over the bytes of a
// body once and says "surely nothing to find" without building a tree; of anything else it says
// "not sure", and validate, which is the authority, judges the body by itself. It may be unsure
// of a body that is fine, never sure of one that is not: FuzzAccept holds the two together.

// An acceptor is compiled from a schema for one side of an exchange.
type acceptor struct{ root *shape }

// accepts reports whether validate would surely find nothing.
func (a *acceptor) accepts(body []byte, cover *coverage) bool {
	if a == nil || !utf8.Valid(body) {
		return false
	}
	s := scan{body: body, cover: cover}
	return s.value(a.root, 0) && s.end()
}

// kinds are the JSON types that a shape takes.
type kinds uint8

const (
	kindString kinds = 1 << iota
	kindNumber
	kindInteger
	kindBool
	kindNull
	kindObject
	kindArray
	kindAny
)

// A shape is a schema, made for scanning.
type shape struct {
	kinds kinds

	// strings
	minLength, maxLength uint64 // maxLength 0: none
	format               format
	enum                 []string

	// numbers
	min, max *float64

	// arrays
	items              *shape
	minItems, maxItems uint64 // maxItems 0: none

	// objects
	properties []property
	required   uint64   // bits of properties
	anyOf      []uint64 // likewise: all of one of them
	minMembers uint64
	extra      *shape // of members that are not named; nil: there may be none
	custom     bool   // whoever sends them chose their names

	event   bool // its details are looked into
	details bool // of an event
	kindAt  int

	// of a oneOf: the shape of each type
	object, array, text, number *shape
}

type property struct {
	name  string
	shape *shape
	seen  int // its place in the coverage
}

type format uint8

const (
	formatNone  format = iota
	formatEmail        // of a request
	formatDateTime
	formatField
	formatOther // never sure
)

// maxProperties is how many a shape can tell apart.
const maxProperties = 64

// compileAcceptor returns nil for a schema that it does not understand.
func compileAcceptor(side Side, schema *openapi3.Schema, members *registry) *acceptor {
	c := shapeCompiler{side: side, known: members, done: map[*openapi3.Schema]*shape{}}
	root := c.shape(schema)
	if !c.understood() {
		return nil
	}
	return &acceptor{root}
}

type shapeCompiler struct {
	side    Side
	done    map[*openapi3.Schema]*shape
	strange bool
	known   *registry
}

func (c *shapeCompiler) understood() bool { return !c.strange }

// strangeTo reports whether a schema says something that a shape cannot: whatever is not named here, such as
// what the next version of OpenAPI has a word for.
func strangeTo(s *openapi3.Schema) bool {
	rest := *s
	rest.Extensions, rest.Origin, rest.ExternalDocs, rest.XML = nil, nil, nil, nil // these say nothing of values
	rest.Title, rest.Description, rest.Default, rest.Example, rest.Deprecated = "", "", nil, nil, false
	switch {
	case len(s.OneOf) > 0: // beside which nothing else is understood
		rest.OneOf = nil
	case len(s.Type.Slice()) == 0:
		rest.Type, rest.Nullable = nil, false
	default:
		rest.Type, rest.Nullable, rest.Format = nil, false, ""
		rest.Min, rest.Max, rest.MinLength, rest.MaxLength = nil, nil, 0, nil
		if s.Type.Is(openapi3.TypeString) { // of others values are not compared
			rest.Enum = nil
		}
		rest.Items, rest.MinItems, rest.MaxItems = nil, 0, nil
		rest.Properties, rest.Required, rest.MinProps, rest.AdditionalProperties = nil, nil, 0, openapi3.AdditionalProperties{}
		if !slices.ContainsFunc(s.AnyOf, strangeAmongAny) {
			rest.AnyOf = nil
		}
	}
	return !reflect.ValueOf(rest).IsZero() || len(s.Properties) > maxProperties || isZero(s.MaxLength) || isZero(s.MaxItems)
}

// strangeAmongAny reports whether one of an anyOf says more than which members there must be.
func strangeAmongAny(ref *openapi3.SchemaRef) bool {
	rest := *ref.Value
	rest.Required, rest.Extensions, rest.Origin = nil, nil, nil
	return !reflect.ValueOf(rest).IsZero()
}

// isZero reports whether a limit is given and is zero, which a shape takes for none.
func isZero(limit *uint64) bool { return limit != nil && *limit == 0 }

func (c *shapeCompiler) shape(s *openapi3.Schema) *shape {
	if known := c.done[s]; known != nil {
		return known
	}
	sh := &shape{}
	c.done[s] = sh
	if strangeTo(s) {
		c.strange = true
		return sh
	}
	if len(s.OneOf) > 0 {
		c.oneOf(sh, s)
		return sh
	}
	for _, kind := range s.Type.Slice() {
		sh.kinds |= map[string]kinds{
			openapi3.TypeString: kindString, openapi3.TypeNumber: kindNumber | kindInteger, openapi3.TypeInteger: kindInteger,
			openapi3.TypeBoolean: kindBool, openapi3.TypeObject: kindObject, openapi3.TypeArray: kindArray,
		}[kind]
	}
	if sh.kinds == 0 {
		sh.kinds = kindAny // but null
	}
	if s.Nullable {
		sh.kinds |= kindNull
	}
	c.scalars(sh, s)
	sh.minItems, sh.minMembers = s.MinItems, s.MinProps
	if s.MaxItems != nil {
		sh.maxItems = *s.MaxItems
	}
	if s.Items != nil {
		sh.items = c.shape(s.Items.Value)
	}
	c.members(sh, s)
	return sh
}

// oneOf takes shapes that can be told apart by their type.
func (c *shapeCompiler) oneOf(sh *shape, s *openapi3.Schema) {
	for _, ref := range s.OneOf {
		one := c.shape(ref.Value)
		if one.kinds&sh.kinds&^kindNull != 0 || one.kinds&kindAny != 0 || one.kinds&sh.kinds&kindNull != 0 {
			c.strange = true
		}
		sh.kinds |= one.kinds
		for kind, slot := range map[kinds]**shape{kindObject: &sh.object, kindArray: &sh.array, kindString: &sh.text, kindNumber | kindInteger: &sh.number} {
			if one.kinds&kind != 0 {
				*slot = one
			}
		}
	}
}

func (c *shapeCompiler) scalars(sh *shape, s *openapi3.Schema) {
	sh.minLength, sh.min, sh.max = s.MinLength, s.Min, s.Max
	if s.MaxLength != nil {
		sh.maxLength = *s.MaxLength
	}
	switch {
	case s.Extensions["x-bento-field-name"] == true && c.side == SideRequest:
		sh.format = formatField
	case s.Format == "email" && c.side == SideRequest:
		sh.format = formatEmail
	case slices.Contains([]string{"", "double", "float", "int64", "email"}, s.Format):
	case s.Format == "date-time":
		sh.format = formatDateTime
	default:
		sh.format = formatOther
	}
	for _, value := range s.Enum {
		text, ok := value.(string)
		c.strange = c.strange || !ok
		sh.enum = append(sh.enum, text)
	}
}

// bits stand for properties by their names.
func (c *shapeCompiler) bits(sh *shape, names []string) (bits uint64) {
	for _, name := range names {
		at := slices.IndexFunc(sh.properties, func(p property) bool { return p.name == name })
		if at < 0 {
			c.strange = true
			continue
		}
		bits |= 1 << at
	}
	return bits
}

func (c *shapeCompiler) members(sh *shape, s *openapi3.Schema) {
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		sh.properties = append(sh.properties, property{name, c.shape(s.Properties[name].Value), c.known.index(c.side, s, name)})
	}
	sh.event, sh.details = isEvent(c.side, s), isDetails(s)
	for i, p := range sh.properties {
		if p.name == "type" {
			sh.kindAt = i
		}
	}
	sh.required = c.bits(sh, s.Required)
	for _, one := range s.AnyOf {
		sh.anyOf = append(sh.anyOf, c.bits(sh, one.Value.Required))
	}
	free := s.AdditionalProperties.Has != nil && *s.AdditionalProperties.Has
	sh.custom = c.side == SideRequest && (free || s.AdditionalProperties.Schema != nil)
	switch {
	case s.AdditionalProperties.Schema != nil:
		sh.extra = c.shape(s.AdditionalProperties.Schema.Value)
	case free, len(s.Properties) == 0 && s.AdditionalProperties.Has == nil:
		sh.extra = &shape{kinds: kindAny | kindNull, custom: sh.custom}
	}
}
