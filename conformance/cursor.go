package conformance

import (
	"bytes"
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// A cursor goes through a JSON value and takes out of it what somebody wants. It is lenient as
// recordings need it: members may come twice, text may be anything, null is absent. What nobody
// wants is passed over by its brackets.
type cursor struct {
	body []byte
	at   int
	own  bool // what the last text said has memory of its own
}

// A wrongKind says that a member is of another type than it should be. It quotes no value.
type wrongKind struct{ path, kind string }

func (e *wrongKind) Error() string {
	return fmt.Sprintf("%s is a JSON %s, which no recording has there", e.path, e.kind)
}

func (c *cursor) blank() {
	for c.at < len(c.body) && (c.body[c.at] == ' ' || c.body[c.at] == '\n' || c.body[c.at] == '\t' || c.body[c.at] == '\r') {
		c.at++
	}
}

// next returns the first byte of the value at hand, 0 at the end.
func (c *cursor) next() byte {
	c.blank()
	if c.at == len(c.body) {
		return 0
	}
	return c.body[c.at]
}

func (c *cursor) kind() string {
	switch c.next() {
	case '{':
		return "object"
	case '[':
		return "array"
	case '"':
		return "string"
	case 't', 'f':
		return "bool"
	case 'n':
		return "null"
	}
	return "number"
}

// members calls visit at the value of each member of an object; visit has to consume it. Null has
// no members.
func (c *cursor) members(path string, visit func(name []byte) error) error {
	switch c.next() {
	case 'n':
		return c.skip()
	case '{':
		c.at++
	default:
		return &wrongKind{path, c.kind()}
	}
	for n := 0; ; n++ {
		switch c.next() {
		case '}':
			c.at++
			return nil
		case ',':
			if n == 0 {
				return errNotValue
			}
			c.at++
		default:
			if n > 0 {
				return errNotValue
			}
		}
		if c.next() != '"' {
			return errNotValue
		}
		name, err := c.text()
		if err != nil {
			return err
		}
		if c.next() != ':' {
			return errNotValue
		}
		c.at++
		if err := visit(name); err != nil {
			return err
		}
	}
}

// items calls visit at each item of an array; visit has to consume it. Null has no items.
func (c *cursor) items(path string, visit func() error) error {
	switch c.next() {
	case 'n':
		return c.skip()
	case '[':
		c.at++
	default:
		return &wrongKind{path, c.kind()}
	}
	for n := 0; ; n++ {
		switch c.next() {
		case ']':
			c.at++
			return nil
		case ',':
			if n == 0 {
				return errNotValue
			}
			c.at++
		default:
			if n > 0 {
				return errNotValue
			}
		}
		if err := visit(); err != nil {
			return err
		}
	}
}

// string takes a string; null is none.
func (c *cursor) string(path string) (text []byte, given bool, err error) {
	switch c.next() {
	case '"':
		text, err = c.text()
		return text, err == nil, err
	case 'n':
		return nil, false, c.skip()
	}
	return nil, false, &wrongKind{path, c.kind()}
}

// number takes a number, also one in a string; null and what is none are absent.
func (c *cursor) number(path string) (n float64, given bool, err error) {
	if kind := c.kind(); kind == "object" || kind == "array" || kind == "bool" {
		return 0, false, &wrongKind{path, kind}
	}
	from := c.at
	if err := c.skip(); err != nil {
		return 0, false, err
	}
	n, err = strconv.ParseFloat(string(bytes.Trim(c.body[from:c.at], `"`)), 64)
	return n, err == nil, nil
}

// skip passes over the value at hand.
func (c *cursor) skip() error {
	depth := 0
	for {
		switch b := c.next(); b {
		case 0:
			return errNotValue
		case '"':
			if _, err := c.raw(); err != nil {
				return err
			}
		case '{', '[':
			depth++
			c.at++
		case '}', ']':
			depth--
			c.at++
		case ',', ':':
			if depth == 0 {
				return errNotValue
			}
			c.at++
		default:
			for c.at < len(c.body) && bytes.IndexByte([]byte(" \t\r\n,:]}"), c.body[c.at]) < 0 {
				c.at++
			}
		}
		if depth < 0 {
			return errNotValue
		}
		if depth == 0 {
			return nil
		}
	}
}

// raw passes over a string and returns its inside as it is written.
func (c *cursor) raw() ([]byte, error) {
	c.at++
	from := c.at
	c.at += inside(c.body[c.at:])
	if c.at >= len(c.body) || c.body[c.at] != '"' {
		return nil, errNotValue
	}
	c.at++
	return c.body[from : c.at-1], nil
}

// text takes a string and returns what it says. It shares the memory of the body if it holds no
// escape.
func (c *cursor) text() ([]byte, error) {
	raw, err := c.raw()
	if err != nil {
		return nil, err
	}
	first := bytes.IndexByte(raw, '\\')
	c.own = first >= 0
	if !c.own {
		return raw, nil
	}
	return unescape(append(make([]byte, 0, len(raw)), raw[:first]...), raw[first:])
}

// unescape appends what the inside of a string says. Half a character becomes U+FFFD.
func unescape(dst, raw []byte) ([]byte, error) {
	for i := 0; i < len(raw); {
		if raw[i] != '\\' {
			n := ordinaryPrefix(raw[i:])
			dst = append(dst, raw[i:i+max(n, 1)]...)
			i += max(n, 1)
			continue
		}
		if i+1 == len(raw) {
			return nil, errNotValue
		}
		escaped := raw[i+1]
		i += 2
		if plain := escapes[escaped]; plain != 0 {
			dst = append(dst, plain)
			continue
		}
		if escaped != 'u' {
			return nil, errNotValue
		}
		r, ok := hex4(raw[i:])
		if !ok {
			return nil, errNotValue
		}
		i += 4
		if utf16.IsSurrogate(r) {
			second, ok := rune(0), false
			if i+1 < len(raw) && raw[i] == '\\' && raw[i+1] == 'u' {
				second, ok = hex4(raw[i+2:])
			}
			if r = utf16.DecodeRune(r, second); ok && r != utf8.RuneError {
				i += 6
			}
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst, nil
}

var escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func hex4(digits []byte) (rune, bool) {
	if len(digits) < 4 {
		return 0, false
	}
	n, err := strconv.ParseUint(string(digits[:4]), 16, 16)
	return rune(n), err == nil //nolint:gosec // 16 bits
}
