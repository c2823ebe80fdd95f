package intake

import (
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// A node is a member of the records that a file becomes: of a column's cell, or of further nodes.
type node struct {
	name     string
	key      []byte // with its quotes and colon
	column   int    // -1 for an object
	children []*node
}

func newNode(name string) *node {
	key, _ := jsontext.AppendQuote(nil, name)
	return &node{name: name, key: append(key, ':'), column: -1}
}

// tree orders columns by the members they become.
func tree(columns []Column) *node {
	root := newNode("")
	for i, c := range columns {
		if c.Target == "" {
			continue
		}
		at := root
		for name := range strings.SplitSeq(c.Target, ".") {
			j := slices.IndexFunc(at.children, func(n *node) bool { return n.name == name })
			if j < 0 {
				j = len(at.children)
				at.children = append(at.children, newNode(name))
			}
			at = at.children[j]
		}
		at.column = i
	}
	return root
}

// appendMembers writes the members of n that the cells give; empty cells give none.
func (r *Reader) appendMembers(dst []byte, n *node, cells []string) ([]byte, error) {
	for _, child := range n.children {
		before := len(dst)
		if dst[len(dst)-1] != '{' {
			dst = append(dst, ',')
		}
		dst = append(dst, child.key...)
		from := len(dst)
		var err error
		if child.column < 0 {
			dst, err = r.appendMembers(append(dst, '{'), child, cells)
			if len(dst) == from+1 { // nothing within
				dst = dst[:before]
				continue
			}
			dst = append(dst, '}')
		} else if cell := trimmed(cells[child.column]); cell != "" || child.name == "tags" && r.tags != "" {
			dst, err = r.appendCell(dst, &r.columns[child.column], cell)
		} else {
			dst = dst[:before]
		}
		if err != nil {
			return dst, err
		}
	}
	return dst, nil
}

func (r *Reader) appendCell(dst []byte, c *Column, cell string) ([]byte, error) {
	switch c.Type {
	case "number":
		if !isNumber(cell) {
			return dst, fmt.Errorf("%s is not a number", c.Target)
		}
		return append(dst, cell...), nil
	case "bool":
		switch word := strings.ToLower(cell); {
		case slices.Contains(yes, word):
			return append(dst, "true"...), nil
		case slices.Contains(no, word):
			return append(dst, "false"...), nil
		}
		return dst, fmt.Errorf("%s is neither yes nor no", c.Target)
	case "date":
		t, ok := moment(cell)
		if !ok {
			return dst, fmt.Errorf("%s is not a date such as 2026-01-31 or 2026-01-31T09:00:00Z", c.Target)
		}
		return strconv.AppendQuote(dst, t.Format(time.RFC3339)), nil
	}
	if c.Target == "tags" && r.kind == Subscribers {
		cell = r.joinTags(cell)
	}
	return appendText(dst, cell)
}

var errNotUTF8 = errors.New("not UTF-8: convert the file")

// plain are the bytes that need no second look: letters, digits and signs of ASCII, without those
// that are escaped.
var plain = func() (table [256]bool) {
	for b := byte(' '); b < 0x7f; b++ {
		table[b] = b != '"' && b != '\\'
	}
	return table
}()

// appendText writes a string. Most hold nothing but plain bytes.
func appendText(dst []byte, text string) ([]byte, error) {
	for i := range len(text) {
		if !plain[text[i]] {
			dst, err := jsontext.AppendQuote(dst, text)
			if err != nil {
				return dst, errNotUTF8
			}
			return dst, nil
		}
	}
	return append(append(append(dst, '"'), text...), '"'), nil
}

// trimmed is strings.TrimSpace, which most cells do not need.
func trimmed(cell string) string {
	if n := len(cell); n > 0 && plain[cell[0]] && cell[0] != ' ' && plain[cell[n-1]] && cell[n-1] != ' ' {
		return cell
	}
	return strings.TrimSpace(cell)
}

// joinTags makes Bento's list of a cell: Mailchimp's, which is a line of CSV by itself, or one
// joined by commas, semicolons or bars already; and adds those that everybody gets.
func (r *Reader) joinTags(cell string) string {
	if strings.Contains(cell, `"`) {
		if inner, err := csv.NewReader(strings.NewReader(cell)).Read(); err == nil {
			for i := range inner {
				inner[i] = strings.ReplaceAll(inner[i], ",", " ")
			}
			cell = strings.Join(inner, ",")
		}
	} else if !strings.Contains(cell, ",") {
		cell = strings.NewReplacer(";", ",", "|", ",").Replace(cell)
	}
	switch {
	case r.tags == "":
		return cell
	case cell == "":
		return r.tags
	}
	return cell + "," + r.tags
}

// isNumber reports whether text is a number as JSON writes it.
func isNumber(text string) bool {
	v := jsontext.Value(text)
	return v.Kind() == '0' && v.IsValid()
}

// layouts are the dates that exports hold. A day comes before its month only where it can be told
// apart: with dashes or dots, as in Brevo's.
var layouts = []string{
	time.RFC3339, time.DateOnly, time.DateTime, "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05 UTC",
	"02-01-2006", "02-01-2006 15:04:05", "02.01.2006", "02.01.2006 15:04", "02.01.2006 15:04:05", "Jan 2, 2006", time.RFC1123Z, time.RFC1123,
}

// moment reads a date, or the seconds or milliseconds since 1970. One without a zone is UTC.
func moment(text string) (time.Time, bool) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && n > 100_000_000 && n < 100_000_000_000_000 {
		if n > 100_000_000_000 {
			return time.UnixMilli(n).UTC(), true
		}
		return time.Unix(n, 0).UTC(), true
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
