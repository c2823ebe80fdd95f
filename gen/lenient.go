package gen

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"
)

// The types of this file are written by hand: they take what answers really hold, where the
// contract names the one form that they should have. The checker of package conformance still
// reports the difference.

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

// Time is a time in an answer. It is zero for null, for absent, and for what nobody can read as
// a time: one odd date should not lose a whole list.
type Time struct{ time.Time }

var layouts = []string{time.RFC3339Nano, "2006-01-02 15:04:05 MST", "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05", time.DateOnly}

// UnmarshalJSON takes any JSON value.
func (t *Time) UnmarshalJSON(b []byte) error {
	*t = Time{}
	var text string
	_ = json.Unmarshal(b, &text) // null, or no text at all: nobody can read it as a time
	for _, layout := range layouts {
		if parsed, err := time.Parse(layout, strings.TrimSpace(text)); err == nil {
			t.Time = parsed
			return nil
		}
	}
	return nil
}

// MarshalJSON writes RFC 3339, and null for the zero time.
func (t Time) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	return t.Time.MarshalJSON()
}

// List is the data of a list. Answers write an array; null, an empty object and a single item
// are taken too.
type List[T any] []T

// UnmarshalJSON takes an array, an object or null.
func (l *List[T]) UnmarshalJSON(b []byte) error {
	*l = nil
	if isNothing(b) {
		return nil
	}
	if b[0] == '{' {
		var item T
		if err := json.Unmarshal(b, &item); err != nil {
			return err
		}
		*l = List[T]{item}
		return nil
	}
	return json.Unmarshal(b, (*[]T)(l))
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
	if b[0] == '[' {
		var items []T
		if err := json.Unmarshal(b, &items); err != nil {
			return err
		}
		if len(items) > 0 {
			o.Value = &items[0]
		}
		return nil
	}
	return json.Unmarshal(b, &o.Value)
}

// MarshalJSON writes the object, or null.
func (o One[T]) MarshalJSON() ([]byte, error) { return json.Marshal(o.Value) }

// isNothing reports whether b, as the decoder passes it, holds no resource.
func isNothing(b []byte) bool {
	if len(b) == 0 || bytes.Equal(b, []byte("null")) {
		return true
	}
	inner := bytes.TrimSpace(b)
	return len(inner) >= 2 && inner[0] == '{' && inner[len(inner)-1] == '}' && len(bytes.TrimSpace(inner[1:len(inner)-1])) == 0
}
