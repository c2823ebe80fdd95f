package conformance

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// maxDepth bounds how deep a body may nest; Bento's own nest four deep.
const maxDepth = 200

// The ways in which a body is not one JSON value in UTF-8.
var (
	errNotJSON   = errors.New("is not JSON")
	errDuplicate = errors.New("holds a key twice")
	errUTF8      = errors.New("is not UTF-8")
	errHalf      = errors.New("escapes half a character, such as \\ud800 alone")
	errTrailing  = errors.New("has bytes after the JSON value")
	errTooDeep   = errors.New("nests deeper than 200 levels")
	errTruncated = errors.New("breaks off in the middle of the JSON")
)

// decodeJSON reads exactly one JSON value, strictly: no duplicate keys, no invalid UTF-8,
// nothing after it, so that every Go version judges alike. Numbers come as json.Number, with
// every digit that was sent. The error is one of those above; it quotes nothing.
func decodeJSON(body []byte) (any, error) {
	dec := jsontext.NewDecoder(bytes.NewReader(body))
	value, err := decodeValue(dec, 0)
	if err != nil {
		return nil, classifyJSON(err)
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, errTrailing
	}
	return value, nil
}

func decodeValue(dec *jsontext.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errTooDeep
	}
	token, err := dec.ReadToken()
	if err != nil {
		return nil, err
	}
	switch token.Kind() {
	case '{':
		object := map[string]any{}
		for dec.PeekKind() != '}' {
			key, err := dec.ReadToken()
			if err != nil {
				return nil, err
			}
			name := key.String()
			if object[name], err = decodeValue(dec, depth+1); err != nil {
				return nil, err
			}
		}
		_, err := dec.ReadToken()
		return object, err
	case '[':
		array := []any{}
		for dec.PeekKind() != ']' {
			value, err := decodeValue(dec, depth+1)
			if err != nil {
				return nil, err
			}
			array = append(array, value)
		}
		_, err := dec.ReadToken()
		return array, err
	case '"':
		return token.String(), nil
	case '0':
		return json.Number(token.String()), nil
	case 't', 'f':
		return token.Bool(), nil
	default:
		return nil, nil //nolint:nilnil // JSON null
	}
}

var errNotForm = errors.New("is not a form")

// decodeForm reads a form; "a[b]=c" becomes {"a":{"b":"c"}}, as Rails has it.
func decodeForm(body []byte) (any, error) {
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, errNotForm
	}
	form := map[string]any{}
	for name, given := range values {
		if len(given) > 1 {
			return nil, errDuplicate
		}
		outer, inner, nested := strings.Cut(name, "[")
		if inner, closed := strings.CutSuffix(inner, "]"); nested && (!closed || inner == "") {
			return nil, errNotForm
		}
		inner = strings.TrimSuffix(inner, "]")
		object, isObject := form[outer].(map[string]any)
		if form[outer] != nil && (!nested || !isObject) { // a=1 beside a[b]=2
			return nil, errDuplicate
		}
		switch {
		case !nested:
			form[name] = given[0]
		case object == nil:
			form[outer] = map[string]any{inner: given[0]}
		default:
			object[inner] = given[0]
		}
	}
	return form, nil
}

// classifyJSON names a decoder's error without its text, which quotes the input.
func classifyJSON(err error) error {
	switch {
	case errors.Is(err, errTooDeep):
		return errTooDeep
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return errTruncated
	case errors.Is(err, jsontext.ErrDuplicateName):
		return errDuplicate
	case strings.Contains(err.Error(), "invalid UTF-8"):
		return errUTF8
	case strings.Contains(err.Error(), "invalid surrogate pair"):
		return errHalf
	default:
		return errNotJSON
	}
}
