package bento

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// The encoder writes what encoding/json would, by the same struct tags, but appends to one
// buffer and refuses two things that encoding/json lets pass: text that is not UTF-8, which it
// would silently replace, and custom fields that take the place of a typed one.

const maxNesting = 100

var (
	errNotUTF8    = errors.New("holds text that is not UTF-8: convert it first")
	errNotFinite  = errors.New("holds a number that is not finite, which JSON cannot write")
	errTooNested  = fmt.Errorf("nests deeper than %d levels", maxNesting)
	errNests      = errors.New("holds a value that nests: Bento takes strings, numbers and booleans there")
	errYear       = errors.New("holds a date outside the years 0 to 9999")
	errUnwritable = errors.New("holds a value that JSON cannot write")
)

// An encoder writes records of one type. It is not safe for concurrent use.
type encoder[T any] struct {
	writer
	slot   *T // where a record is put to be read; its address is taken once
	record reflect.Value
	fields []fieldPlan
	custom int // index of AdditionalProperties, -1 if there is none
	names  []string
}

// A fieldPlan is how a field of a record is written.
type fieldPlan struct {
	index               int
	key                 string // with its quotes and colon
	omitEmpty, omitZero bool
}

func newEncoder[T any]() *encoder[T] {
	e := &encoder[T]{slot: new(T), custom: -1}
	e.record = reflect.ValueOf(e.slot).Elem()
	for i := range e.record.NumField() {
		field := e.record.Type().Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "-" {
			e.custom = i
			continue
		}
		e.names = append(e.names, name)
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
	e.buf = dst
	if err := e.write(); err != nil {
		return dst, err
	}
	return e.buf, nil
}

func (e *encoder[T]) write() error {
	e.buf = append(e.buf, '{')
	for _, f := range e.fields {
		v := e.record.Field(f.index)
		if f.omitZero && v.IsZero() || f.omitEmpty && isEmpty(v) {
			continue
		}
		e.comma()
		e.buf = append(e.buf, f.key...)
		if err := e.field(v); err != nil {
			return fmt.Errorf("%s %w", strings.Trim(f.key, `":`), err)
		}
	}
	if e.custom >= 0 {
		custom, _ := e.record.Field(e.custom).Interface().(map[string]any)
		for _, name := range e.names {
			if _, shadows := custom[name]; shadows {
				return fmt.Errorf("AdditionalProperties holds %s, which has a field of its own: set that instead", name)
			}
		}
		if err := e.flat(custom); err != nil {
			return fmt.Errorf("a custom field %w", err)
		}
	}
	e.buf = append(e.buf, '}')
	return nil
}

// isEmpty is what omitempty means by empty.
func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Map, reflect.Slice:
		return v.Len() == 0
	case reflect.Struct:
		return false
	default:
		return v.IsZero()
	}
}
