package bento

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// The encoder writes what encoding/json would, by the same struct tags, but appends to one
// buffer and refuses two things that encoding/json lets pass: text that is not UTF-8, which it
// would silently replace, and custom fields that take the place of a typed one.

const maxNesting = 100

var (
	errNotUTF8    = errors.New("holds text that is not UTF-8: convert it first")
	errNotFinite  = errors.New("holds a number that is not finite, which JSON cannot write")
	errTooNested  = fmt.Errorf("nests deeper than %d levels", maxNesting)
	errYear       = errors.New("holds a date outside the years 0 to 9999")
	errUnwritable = errors.New("holds a value that JSON cannot write")
)

// An encoder writes records of one type. It is not safe for concurrent use.
type encoder[T any] struct {
	slot   *T // where a record is put to be read; its address is taken once
	record reflect.Value
	fields []fieldPlan
	custom int // index of AdditionalProperties, -1 if there is none
	names  map[string]bool
}

// A fieldPlan is how a field of a record is written.
type fieldPlan struct {
	index               int
	key                 string // with its quotes and colon
	omitEmpty, omitZero bool
}

func newEncoder[T any]() *encoder[T] {
	e := &encoder[T]{slot: new(T), custom: -1, names: map[string]bool{}}
	e.record = reflect.ValueOf(e.slot).Elem()
	for i := range e.record.NumField() {
		field := e.record.Type().Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "-" {
			e.custom = i
			continue
		}
		e.names[name] = true
		e.fields = append(e.fields, fieldPlan{
			index: i, key: strconv.Quote(name) + ":",
			omitEmpty: strings.Contains(options, "omitempty"), omitZero: strings.Contains(options, "omitzero"),
		})
	}
	return e
}

// append writes a record to dst. After an error dst holds what it held before.
func (e *encoder[T]) append(dst []byte, record T) ([]byte, error) {
	*e.slot = record
	start := len(dst)
	dst = append(dst, '{')
	for _, f := range e.fields {
		v := e.record.Field(f.index)
		if f.omitZero && v.IsZero() || f.omitEmpty && isEmpty(v) {
			continue
		}
		var err error
		if dst, err = appendReflect(appendKey(dst, f.key), v); err != nil {
			return dst[:start], fmt.Errorf("%s %w", strings.Trim(f.key, `":`), err)
		}
	}
	if e.custom >= 0 {
		custom, _ := e.record.Field(e.custom).Interface().(map[string]any)
		for _, key := range sortedKeys(custom) {
			if e.names[key] {
				return dst[:start], fmt.Errorf("AdditionalProperties holds %s, which has a field of its own: set that instead", key)
			}
			var err error
			if dst, err = appendMember(dst, key, custom[key], 0); err != nil {
				return dst[:start], fmt.Errorf("a custom field %w", err)
			}
		}
	}
	return append(dst, '}'), nil
}

// isEmpty is what omitempty means by empty.
func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return false
	default:
		return v.IsZero()
	}
}

var mapType = reflect.TypeFor[map[string]any]()

func appendReflect(dst []byte, v reflect.Value) ([]byte, error) {
	switch v.Kind() {
	case reflect.String:
		return appendString(dst, v.String())
	case reflect.Bool:
		return strconv.AppendBool(dst, v.Bool()), nil
	case reflect.Int, reflect.Int64:
		return strconv.AppendInt(dst, v.Int(), 10), nil
	case reflect.Pointer:
		if v.IsNil() {
			return append(dst, "null"...), nil
		}
		return appendReflect(dst, v.Elem())
	case reflect.Map:
		if v.CanConvert(mapType) {
			return appendValue(dst, v.Convert(mapType).Interface(), 0)
		}
	case reflect.Struct:
		if v.CanAddr() {
			if t, ok := v.Addr().Interface().(*time.Time); ok {
				return appendTime(dst, *t)
			}
		}
	}
	return appendValue(dst, v.Interface(), 0)
}

// appendValue writes what applications put into maps; anything rarer goes to encoding/json.
func appendValue(dst []byte, value any, depth int) ([]byte, error) {
	if depth > maxNesting {
		return dst, errTooNested
	}
	switch value := value.(type) {
	case nil:
		return append(dst, "null"...), nil
	case string:
		return appendString(dst, value)
	case bool:
		return strconv.AppendBool(dst, value), nil
	case int:
		return strconv.AppendInt(dst, int64(value), 10), nil
	case int64:
		return strconv.AppendInt(dst, value, 10), nil
	case float64:
		return appendFloat(dst, value)
	case time.Time:
		return appendTime(dst, value)
	case map[string]any:
		return appendMap(dst, value, depth)
	case []any:
		return appendSlice(dst, value, depth)
	default:
		encoded, err := json.Marshal(value)
		if err != nil {
			return dst, errUnwritable // its own error may quote the value
		}
		return append(dst, encoded...), nil
	}
}

func appendMap(dst []byte, m map[string]any, depth int) ([]byte, error) {
	if m == nil {
		return append(dst, "null"...), nil
	}
	dst = append(dst, '{')
	var err error
	for _, key := range sortedKeys(m) {
		if dst, err = appendMember(dst, key, m[key], depth+1); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

func appendSlice(dst []byte, s []any, depth int) ([]byte, error) {
	if s == nil {
		return append(dst, "null"...), nil
	}
	dst = append(dst, '[')
	var err error
	for i, item := range s {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = appendValue(dst, item, depth+1); err != nil {
			return dst, err
		}
	}
	return append(dst, ']'), nil
}

func appendMember(dst []byte, key string, value any, depth int) ([]byte, error) {
	dst, err := appendString(appendKey(dst, ""), key)
	if err != nil {
		return dst, err
	}
	return appendValue(append(dst, ':'), value, depth)
}

// appendKey writes a key that is already encoded, and the comma before it.
func appendKey(dst []byte, key string) []byte {
	if dst[len(dst)-1] != '{' {
		dst = append(dst, ',')
	}
	return append(dst, key...)
}

// sortedKeys makes a body the same every time.
func sortedKeys(m map[string]any) []string {
	if len(m) == 0 {
		return nil
	}
	keys := make([]string, 0, 16) // stays on the stack for most records
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func appendFloat(dst []byte, f float64) ([]byte, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return dst, errNotFinite
	}
	format := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(dst, f, format, -1, 64), nil
}

func appendTime(dst []byte, t time.Time) ([]byte, error) {
	if y := t.Year(); y < 0 || y > 9999 {
		return dst, errYear
	}
	dst = append(dst, '"')
	dst = t.AppendFormat(dst, time.RFC3339Nano)
	return append(dst, '"'), nil
}

const hex = "0123456789abcdef"

func appendString(dst []byte, s string) ([]byte, error) {
	if !utf8.ValidString(s) {
		return dst, errNotUTF8
	}
	dst = append(dst, '"')
	from := 0
	for i := range len(s) {
		b := s[i]
		if b >= ' ' && b != '"' && b != '\\' {
			continue
		}
		dst = append(dst, s[from:i]...)
		switch b {
		case '"', '\\':
			dst = append(dst, '\\', b)
		case '\n':
			dst = append(dst, '\\', 'n')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[b>>4], hex[b&0xf])
		}
		from = i + 1
	}
	return append(append(dst, s[from:]...), '"'), nil
}
