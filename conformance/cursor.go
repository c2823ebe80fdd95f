package conformance

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
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
	for first := true; ; first = false {
		if more, err := c.more('}', first); !more {
			return err
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

// more goes past the comma to the next member or item, or past the end.
func (c *cursor) more(end byte, first bool) (bool, error) {
	switch b := c.next(); {
	case b == end:
		c.at++
		return false, nil
	case first == (b == ','):
		return false, errNotValue
	case !first:
		c.at++
	}
	return true, nil
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
	for first := true; ; first = false {
		if more, err := c.more(']', first); !more {
			return err
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
	switch c.next() {
	case 0:
		return errNotValue
	case '"':
		_, err := c.raw()
		return err
	case '{', '[':
		return c.skipBrackets()
	}
	from := c.at
	for c.at < len(c.body) && scalarByte[c.body[c.at]] {
		c.at++
	}
	if c.at == from {
		return errNotValue
	}
	return nil
}

func (c *cursor) skipBrackets() error {
	depth := 0
	for c.at < len(c.body) {
		b := c.body[c.at]
		c.at++
		switch b {
		case '"':
			c.at += inside(c.body[c.at:])
			if c.at >= len(c.body) || c.body[c.at] != '"' {
				return errNotValue
			}
			c.at++
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return nil
			}
		}
	}
	return errNotValue
}

// scalarByte are the bytes that numbers and words are made of.
var scalarByte = func() (table [256]bool) {
	for b := range table {
		table[b] = b > ' ' && !strings.ContainsRune(`{}[],:"`, rune(b))
	}
	return table
}()

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
	return unescape(append([]byte(nil), raw...), first)
}

// unescape makes of the inside of a string, in its place, what it says; nothing is escaped before
// from. Half a character becomes U+FFFD.
func unescape(text []byte, from int) ([]byte, error) {
	end := from
	for at := from; at < len(text); {
		if n := ordinaryPrefix(text[at:]); n > 0 || text[at] != '\\' {
			n = max(n, 1)
			end += copy(text[end:], text[at:at+n])
			at += n
			continue
		}
		if at+1 == len(text) {
			return nil, errNotValue
		}
		escaped := text[at+1]
		at += 2
		if plain := escapes[escaped]; plain != 0 {
			text[end] = plain
			end++
			continue
		}
		r, n, ok := unicodeEscape(text[at:])
		if escaped != 'u' || !ok {
			return nil, errNotValue
		}
		at += n
		end += utf8.EncodeRune(text[end:end+utf8.UTFMax], r)
	}
	return text[:end], nil
}

// unicodeEscape reads what follows \u, both halves of a pair, and returns how long that is.
func unicodeEscape(text []byte) (r rune, n int, ok bool) {
	if r, ok = hex4(text); !ok || !utf16.IsSurrogate(r) {
		return r, 4, ok
	}
	if len(text) >= 10 && text[4] == '\\' && text[5] == 'u' {
		if second, ok := hex4(text[6:]); ok && utf16.DecodeRune(r, second) != utf8.RuneError {
			return utf16.DecodeRune(r, second), 10, true
		}
	}
	return utf8.RuneError, 4, true
}

var escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func hex4(digits []byte) (rune, bool) {
	if len(digits) < 4 {
		return 0, false
	}
	n, err := strconv.ParseUint(string(digits[:4]), 16, 16)
	return rune(n), err == nil
}
