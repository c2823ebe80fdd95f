package bento

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"
)

var (
	errAnswerUTF8 = errors.New("the answer holds text that is not UTF-8")
	errTwice      = errors.New("the answer gives a member twice")
)

// checkText refuses an answer that readers would understand differently: one that is not UTF-8,
// or that gives a member twice, of which encoding/json takes the last in silence. The body is
// valid JSON.
func checkText(body []byte) error {
	if !utf8.Valid(body) {
		return errAnswerUTF8
	}
	s := memberScan{body: body}
	if s.value() {
		return errTwice
	}
	return nil
}

// A memberScan goes through valid JSON and looks for an object with two members of one name.
type memberScan struct {
	body  []byte
	at    int
	depth int      // of the value at hand; the answer itself is at 1
	names [][]byte // of the objects that are open, innermost last
}

// value scans the value at hand, and reports whether an object within gives a member twice.
func (s *memberScan) value() bool {
	s.depth++
	defer func() { s.depth-- }()
	s.skip(blank)
	switch s.body[s.at] {
	case '{':
		return s.object()
	case '[':
		return s.list()
	case '"':
		s.text()
	default:
		for s.at < len(s.body) && !strings.ContainsRune(blank+",]}", rune(s.body[s.at])) {
			s.at++
		}
	}
	return false
}

const blank = " \t\r\n"

func (s *memberScan) object() bool {
	outer := len(s.names)
	for s.at++; s.more('}'); {
		s.names = append(s.names, s.text())
		s.skip(blank + ":")
		if s.value() {
			return true
		}
	}
	names := s.names[outer:]
	s.names = s.names[:outer]
	if s.depth == 1 { // encoding/json takes Results for results, and the last of both
		for i, name := range names {
			names[i] = bytes.ToLower(name)
		}
	}
	return hasTwice(names)
}

func (s *memberScan) list() bool {
	for s.at++; s.more(']'); {
		if s.value() {
			return true
		}
	}
	return false
}

// more goes to the next member or item, and past the end if there is none.
func (s *memberScan) more(end byte) bool {
	s.skip(blank + ",")
	if s.body[s.at] == end {
		s.at++
		return false
	}
	return true
}

func (s *memberScan) skip(set string) {
	for s.at < len(s.body) && strings.IndexByte(set, s.body[s.at]) >= 0 {
		s.at++
	}
}

// text scans a string and returns what it says.
func (s *memberScan) text() []byte {
	from, escaped := s.at, false
	for s.at++; s.body[s.at] != '"'; s.at++ {
		if s.body[s.at] == '\\' {
			escaped = true
			s.at++
		}
	}
	s.at++
	if !escaped {
		return s.body[from+1 : s.at-1]
	}
	var text string
	_ = json.Unmarshal(s.body[from:s.at], &text)
	return []byte(text)
}

// hasTwice reports whether a name is there twice; it changes the order of names.
func hasTwice(names [][]byte) bool {
	if len(names) > 1 {
		slices.SortFunc(names, bytes.Compare)
	}
	for i := 1; i < len(names); i++ {
		if bytes.Equal(names[i-1], names[i]) {
			return true
		}
	}
	return false
}
