package bento

import (
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"time"
	"unicode/utf8"

	"example.com/bento-go/gen"
)

// A writer appends JSON to buf.
type writer struct{ buf []byte }

// field writes a field of a record, without taking it out of the record where that would cost
// an allocation.
func (w *writer) field(v reflect.Value) error {
	switch v.Kind() {
	case reflect.String:
		return w.string(v.String())
	case reflect.Bool:
		w.buf = strconv.AppendBool(w.buf, v.Bool())
		return nil
	case reflect.Pointer:
		if !v.IsNil() {
			return w.field(v.Elem())
		}
	}
	switch p := v.Addr().Interface().(type) {
	case *gen.EventFields:
		return w.flatObject(*p)
	case *gen.EventDetails:
		return w.object(*p, 0)
	case *gen.Personalizations:
		return w.flatObject(*p)
	case *time.Time:
		return w.time(*p)
	}
	return w.value(v.Interface(), 0)
}

// value writes what applications put into maps; anything rarer goes to encoding/json.
func (w *writer) value(value any, depth int) error {
	if depth > maxNesting {
		return errTooNested
	}
	switch value := value.(type) {
	case nil:
		w.buf = append(w.buf, "null"...)
	case string:
		return w.string(value)
	case bool:
		w.buf = strconv.AppendBool(w.buf, value)
	case int:
		w.buf = strconv.AppendInt(w.buf, int64(value), 10)
	case int64:
		w.buf = strconv.AppendInt(w.buf, value, 10)
	case float64:
		return w.float(value)
	case time.Time:
		return w.time(value)
	case map[string]any:
		return w.object(value, depth)
	case []any:
		return w.array(value, depth)
	case gen.FieldValue:
		return w.object(map[string]any{"key": value.Key, "value": value.Value}, depth)
	case []string:
		for _, text := range value {
			if !utf8.ValidString(text) {
				return errNotUTF8
			}
		}
		return w.rare(value)
	case map[string]string:
		for key, text := range value {
			if !utf8.ValidString(key) || !utf8.ValidString(text) {
				return errNotUTF8
			}
		}
		return w.rare(value)
	default:
		return w.rare(value)
	}
	return nil
}

// rare leaves a value to encoding/json.
func (w *writer) rare(value any) error {
	encoded, err := json.Marshal(value)
	if err != nil {
		return errUnwritable // its own error may quote the value
	}
	w.buf = append(w.buf, encoded...)
	return nil
}

func (w *writer) object(m map[string]any, depth int) error {
	if m == nil {
		w.buf = append(w.buf, "null"...)
		return nil
	}
	w.buf = append(w.buf, '{')
	err := w.members(m, depth+1)
	w.buf = append(w.buf, '}')
	return err
}

func (w *writer) flatObject(m map[string]any) error {
	w.buf = append(w.buf, '{')
	err := w.flat(m)
	w.buf = append(w.buf, '}')
	return err
}

// flat writes the members of m, none of which may be an object or a list.
func (w *writer) flat(m map[string]any) error {
	for name, value := range m {
		w.comma()
		if err := w.string(name); err != nil {
			return err
		}
		w.buf = append(w.buf, ':')
		at := len(w.buf)
		if err := w.value(value, 0); err != nil {
			return err
		}
		if w.buf[at] == '{' || w.buf[at] == '[' {
			return errNests
		}
	}
	return nil
}

// members writes the members of m in whatever order the map gives them.
func (w *writer) members(m map[string]any, depth int) error {
	for name, value := range m {
		w.comma()
		if err := w.string(name); err != nil {
			return err
		}
		w.buf = append(w.buf, ':')
		if err := w.value(value, depth); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) array(items []any, depth int) error {
	if items == nil {
		w.buf = append(w.buf, "null"...)
		return nil
	}
	w.buf = append(w.buf, '[')
	for i, item := range items {
		if i > 0 {
			w.buf = append(w.buf, ',')
		}
		if err := w.value(item, depth+1); err != nil {
			return err
		}
	}
	w.buf = append(w.buf, ']')
	return nil
}

// comma separates a member from the one before it.
func (w *writer) comma() {
	if w.buf[len(w.buf)-1] != '{' {
		w.buf = append(w.buf, ',')
	}
}

func (w *writer) float(f float64) error {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return errNotFinite
	}
	format := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	w.buf = strconv.AppendFloat(w.buf, f, format, -1, 64)
	return nil
}

func (w *writer) time(t time.Time) error {
	if y := t.Year(); y < 0 || y > 9999 {
		return errYear
	}
	w.buf = append(w.buf, '"')
	w.buf = t.AppendFormat(w.buf, time.RFC3339Nano)
	w.buf = append(w.buf, '"')
	return nil
}

const hex = "0123456789abcdef"

// plain is the ASCII that a JSON string holds as it is.
var plain = func() (table [256]bool) {
	for b := ' '; b < utf8.RuneSelf; b++ {
		table[b] = b != '"' && b != '\\'
	}
	return table
}()

func (w *writer) string(s string) error {
	w.buf = append(w.buf, '"')
	dst, from, ascii := w.buf, 0, true
	for i := range len(s) {
		b := s[i]
		if plain[b] {
			continue
		}
		if b >= utf8.RuneSelf {
			ascii = false
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
	if !ascii && !utf8.ValidString(s) {
		return errNotUTF8
	}
	w.buf = append(append(dst, s[from:]...), '"')
	return nil
}
