package conformance

import (
	"strconv"

	"example.com/bento-go/internal/jsonscan"
)

// text scans a string and returns its inside, and whether it is plain: without escapes.
func (s *scan) text() (inside []byte, plain, ok bool) {
	s.at++ // the quote, which the caller has seen
	from, plain := s.at, true
	for {
		s.at += jsonscan.OrdinaryPrefix(s.body[s.at:])
		switch {
		case s.take('"'):
			return s.body[from : s.at-1], plain, true
		case s.at < len(s.body) && s.body[s.at] == '\\' && s.escape():
			plain = false
		default:
			return nil, false, false
		}
	}
}

// escape takes what stands for one character by itself; halves of one are left to others.
func (s *scan) escape() bool {
	if s.at+1 >= len(s.body) {
		return false
	}
	switch s.body[s.at+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.at += 2
		return true
	case 'u':
		if s.at+6 > len(s.body) {
			return false
		}
		code, err := strconv.ParseUint(string(s.body[s.at+2:s.at+6]), 16, 16)
		s.at += 6
		return err == nil && (code < 0xd800 || code > 0xdfff)
	}
	return false
}

// number takes integers of at most 18 digits, and decimals. An exponent is left, and so nothing that may follow.
func (s *scan) number(sh *shape) bool {
	from := s.at
	s.take('-')
	digits := s.at
	for s.at < len(s.body) && s.body[s.at]-'0' <= 9 {
		s.at++
	}
	n := s.at - digits
	if n == 0 || n > 18 || n > 1 && s.body[digits] == '0' {
		return false
	}
	whole := true
	if s.take('.') {
		whole = false
		fraction := s.at
		for s.at < len(s.body) && s.body[s.at]-'0' <= 9 {
			s.at++
		}
		if s.at == fraction || s.at-fraction > 18 {
			return false
		}
	}
	switch {
	case sh.format == formatOther:
		return false
	case sh.kinds&kindAny != 0 || sh.kinds&kindNumber != 0 && sh.min == nil && sh.max == nil:
		return true
	case !whole || sh.kinds&kindInteger == 0 || sh.kinds&kindNumber != 0:
		return false
	}
	return s.within(sh, from, digits)
}

// within compares an integer with the bounds of its shape.
func (s *scan) within(sh *shape, from, digits int) bool {
	var n int64
	for _, c := range s.body[digits:s.at] {
		n = n*10 + int64(c-'0')
	}
	if digits > from { // -0 is for others to judge
		n = -n
		if n == 0 {
			return false
		}
	}
	return (sh.min == nil || float64(n) >= *sh.min) && (sh.max == nil || float64(n) <= *sh.max)
}
