package gen

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// The types and methods of this file are written by hand: they take what answers really hold,
// where the contract names the one form that they should have. The checker of package
// conformance still reports the difference.

// ID identifies a resource. Answers write it as a string; some as a number, which it takes too.
type ID string

// UnmarshalJSON takes a JSON string, number or null.
func (id *ID) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err == nil {
		*id = ID(text)
		return nil
	}
	var number json.Number
	if err := json.Unmarshal(b, &number); err != nil {
		return err
	}
	*id = ID(number)
	return nil
}

// Number is a whole number, such as the identifier of a template. Answers may write it as a
// string, which it takes too.
type Number int64

// UnmarshalJSON takes a whole number, as it is or in a string, or null.
func (n *Number) UnmarshalJSON(b []byte) error {
	text := strings.Trim(string(b), `"`)
	if text == "null" || text == "" {
		return nil
	}
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return &json.UnmarshalTypeError{Value: "text", Type: reflect.TypeFor[Number]()}
	}
	*n = Number(number)
	return nil
}

// Flag is true or false. Answers may write it as a string, or as null, which is false.
type Flag bool

// UnmarshalJSON takes a boolean, as it is or in a string, or null.
func (f *Flag) UnmarshalJSON(b []byte) error {
	switch strings.Trim(string(b), `"`) {
	case "true":
		*f = true
	case "false", "null", "":
		*f = false
	default:
		return &json.UnmarshalTypeError{Value: "value", Type: reflect.TypeFor[Flag]()}
	}
	return nil
}

// Time is a time in an answer. It is zero for null, for absent, and for what nobody can read as
// a time: one odd date should not lose a whole list.
type Time struct {
	time.Time
	// Raw is what stood there when nobody could read it: an unsubscribed_at of which only that is
	// known is none the less one. It is empty otherwise.
	Raw string
}

var layouts = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05.999999999-0700", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05 MST",
	"2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05.999999999", time.DateOnly,
}

// UnmarshalJSON takes any JSON value.
func (t *Time) UnmarshalJSON(b []byte) error {
	*t = Time{}
	if string(b) == "null" {
		return nil
	}
	if seconds, err := strconv.ParseFloat(string(b), 64); err == nil && seconds > 1e8 && seconds < 1e11 {
		t.Time = time.UnixMilli(int64(seconds * 1000)).UTC()
		return nil
	}
	text := string(b)
	_ = json.Unmarshal(b, &text)
	for _, layout := range layouts {
		if parsed, err := time.Parse(layout, strings.TrimSpace(text)); err == nil {
			t.Time = parsed
			return nil
		}
	}
	t.Raw = text
	return nil
}

// MarshalJSON writes RFC 3339, and null for the zero time.
func (t Time) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	return t.Time.MarshalJSON()
}

// Object is an object whose members the contract does not name, such as custom fields. Its
// values are what encoding/json makes of them; but a number that float64 cannot hold to the
// last digit is a [json.Number].
type Object map[string]any

// UnmarshalJSON takes an object, null, or the empty array as which PHP writes an empty object.
func (o *Object) UnmarshalJSON(b []byte) error {
	*o = nil
	if isNothing(b) {
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var members map[string]any
	if err := dec.Decode(&members); err != nil {
		return err
	}
	for name, value := range members {
		members[name] = withFloats(value)
	}
	*o = members
	return nil
}

// withFloats makes the numbers in value float64 where nothing is lost by it.
func withFloats(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for name, member := range value {
			value[name] = withFloats(member)
		}
	case []any:
		for i, item := range value {
			value[i] = withFloats(item)
		}
	case json.Number:
		number, err := value.Float64()
		whole := !strings.ContainsAny(string(value), ".eE")
		if err == nil && (!whole || math.Abs(number) <= 1<<53-1) {
			return number
		}
	}
	return value
}

// List is the data of a list. Answers write an array; null, an empty object and a single item
// are taken too. What is null in the array is left out.
type List[T any] []T

// UnmarshalJSON takes an array, an item or null.
func (l *List[T]) UnmarshalJSON(b []byte) error {
	*l = nil
	if isNothing(b) {
		return nil
	}
	if b[0] != '[' {
		b = append(append([]byte{'['}, b...), ']')
	}
	var items []*T
	if err := json.Unmarshal(b, &items); err != nil {
		return err
	}
	*l = make([]T, 0, len(items))
	for _, item := range items {
		if item != nil {
			*l = append(*l, *item)
		}
	}
	return nil
}

// MarshalJSON writes an array, an empty one for nil.
func (l List[T]) MarshalJSON() ([]byte, error) {
	if l == nil {
		return []byte("[]"), nil
	}
	return json.Marshal([]T(l))
}

// One is the data of a single resource. Value is nil if there is none. Answers write an object
// or null; an empty object, an empty array and an array of one are taken too.
type One[T any] struct{ Value *T }

// UnmarshalJSON takes an object, null or an array.
func (o *One[T]) UnmarshalJSON(b []byte) error {
	o.Value = nil
	if isNothing(b) {
		return nil
	}
	if b[0] != '[' {
		return json.Unmarshal(b, &o.Value)
	}
	var items []*T
	if err := json.Unmarshal(b, &items); err != nil {
		return err
	}
	for _, item := range items {
		if item != nil {
			o.Value = item
			return nil
		}
	}
	return nil
}

// MarshalJSON writes the object, or null.
func (o One[T]) MarshalJSON() ([]byte, error) { return json.Marshal(o.Value) }
