// Package jsonscan goes through JSON without building anything of it.
package jsonscan

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A Cursor goes through a JSON value and takes out of it what somebody wants. It is lenient as
// recordings need it: members may come twice, text may be anything, null is absent. What nobody
// wants is passed over by its brackets.
type Cursor struct {
	Body []byte
	At   int
	Own  bool // what the last text said has memory of its own
}

// ErrSyntax says that what was read is no JSON.
var ErrSyntax = errors.New("not JSON")

// A WrongKind says that a member is of another type than it should be. It quotes no value.
type WrongKind struct{ path, kind string }

func (e *WrongKind) Error() string {
	return fmt.Sprintf("%s is a JSON %s, which no recording has there", e.path, e.kind)
}

// Blank passes over white space.
func (c *Cursor) Blank() {
	for c.At < len(c.Body) && (c.Body[c.At] == ' ' || c.Body[c.At] == '\n' || c.Body[c.At] == '\t' || c.Body[c.At] == '\r') {
		c.At++
	}
}

// Next returns the first byte of the value at hand, 0 at the end.
func (c *Cursor) Next() byte {
	c.Blank()
	if c.At == len(c.Body) {
		return 0
	}
	return c.Body[c.At]
}

// Kind names the type of the value at hand as JSON does.
func (c *Cursor) Kind() string {
	switch c.Next() {
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

// Members calls visit at the value of each member of an object; visit has to consume it. Null has
// no members.
func (c *Cursor) Members(path string, visit func(name []byte) error) error {
	switch c.Next() {
	case 'n':
		return c.Skip()
	case '{':
		c.At++
	default:
		return &WrongKind{path, c.Kind()}
	}
	for first := true; ; first = false {
		if more, err := c.more('}', first); !more {
			return err
		}
		if c.Next() != '"' {
			return ErrSyntax
		}
		name, err := c.Quoted()
		if err != nil {
			return err
		}
		if c.Next() != ':' {
			return ErrSyntax
		}
		c.At++
		if err := visit(name); err != nil {
			return err
		}
	}
}

// more goes past the comma to the next member or item, or past the end.
func (c *Cursor) more(end byte, first bool) (bool, error) {
	switch b := c.Next(); {
	case b == end:
		c.At++
		return false, nil
	case first == (b == ','):
		return false, ErrSyntax
	case !first:
		c.At++
	}
	return true, nil
}

// Items calls visit at each item of an array; visit has to consume it. Null has no items.
func (c *Cursor) Items(path string, visit func() error) error {
	switch c.Next() {
	case 'n':
		return c.Skip()
	case '[':
		c.At++
	default:
		return &WrongKind{path, c.Kind()}
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

// Text takes a string; null is none.
func (c *Cursor) Text(path string) (text []byte, given bool, err error) {
	switch c.Next() {
	case '"':
		text, err = c.Quoted()
		return text, err == nil, err
	case 'n':
		return nil, false, c.Skip()
	}
	return nil, false, &WrongKind{path, c.Kind()}
}

// Number takes a number, also one in a string; null and what is none are absent.
func (c *Cursor) Number(path string) (n float64, given bool, err error) {
	if kind := c.Kind(); kind == "object" || kind == "array" || kind == "bool" {
		return 0, false, &WrongKind{path, kind}
	}
	from := c.At
	if err := c.Skip(); err != nil {
		return 0, false, err
	}
	n, err = strconv.ParseFloat(string(bytes.Trim(c.Body[from:c.At], `"`)), 64)
	return n, err == nil, nil
}

// Skip passes over the value at hand.
func (c *Cursor) Skip() error {
	switch c.Next() {
	case 0:
		return ErrSyntax
	case '"':
		_, err := c.Raw()
		return err
	case '{', '[':
		return c.skipBrackets()
	}
	from := c.At
	for c.At < len(c.Body) && scalarByte[c.Body[c.At]] {
		c.At++
	}
	if c.At == from {
		return ErrSyntax
	}
	return nil
}

func (c *Cursor) skipBrackets() error {
	depth := 0
	for c.At < len(c.Body) {
		b := c.Body[c.At]
		c.At++
		switch b {
		case '"':
			c.At += Inside(c.Body[c.At:])
			if c.At >= len(c.Body) || c.Body[c.At] != '"' {
				return ErrSyntax
			}
			c.At++
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return nil
			}
		}
	}
	return ErrSyntax
}

// scalarByte are the bytes that numbers and words are made of.
var scalarByte = func() (table [256]bool) {
	for b := range table {
		table[b] = b > ' ' && !strings.ContainsRune(`{}[],:"`, rune(b))
	}
	return table
}()

// Raw passes over a string and returns its inside as it is written.
func (c *Cursor) Raw() ([]byte, error) {
	c.At++
	from := c.At
	c.At += Inside(c.Body[c.At:])
	if c.At >= len(c.Body) || c.Body[c.At] != '"' {
		return nil, ErrSyntax
	}
	c.At++
	return c.Body[from : c.At-1], nil
}

// Quoted takes a string and returns what it says. It shares the memory of the body if it holds no
// escape.
func (c *Cursor) Quoted() ([]byte, error) {
	raw, err := c.Raw()
	if err != nil {
		return nil, err
	}
	first := bytes.IndexByte(raw, '\\')
	c.Own = first >= 0
	if !c.Own {
		return raw, nil
	}
	return unescape(append([]byte(nil), raw...), first)
}
