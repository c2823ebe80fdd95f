package conformance

import (
	"bytes"
	"slices"
)

const (
	maxScanDepth = 64
	maxScanNames = 64 // members that are open at a time, of those that no schema names
)

// A scan goes over a body, which is valid UTF-8. Each method consumes what it accepts; after a
// false the position means nothing.
type scan struct {
	body []byte
	at   int

	// The names of the objects that are open, innermost last, to notice one that comes twice.
	names [maxScanNames][]byte
	open  int
	// Names of fields that were found plain; a batch has the same few over and over.
	plain [64][]byte

	cover         *coverage
	unique, worth []byte // of the details of the event at hand
}

// peek returns the byte that comes next, 0 at the end. It skips white space, of which most bodies
// have none.
func (s *scan) peek() byte {
	if s.at < len(s.body) && s.body[s.at] > ' ' {
		return s.body[s.at]
	}
	return s.peekBeyond()
}

func (s *scan) peekBeyond() byte {
	for s.at < len(s.body) {
		switch b := s.body[s.at]; b {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return b
		}
	}
	return 0
}

func (s *scan) end() bool { return s.peek() == 0 && s.at == len(s.body) }

// take consumes the byte if it is next.
func (s *scan) take(b byte) bool {
	if s.at < len(s.body) && s.body[s.at] == b {
		s.at++
		return true
	}
	return false
}

func (s *scan) word(w string) bool {
	if len(s.body)-s.at < len(w) || string(s.body[s.at:s.at+len(w)]) != w {
		return false
	}
	s.at += len(w)
	return true
}

func (s *scan) value(sh *shape, depth int) bool {
	if depth > maxScanDepth {
		return false
	}
	switch s.peek() {
	case '{':
		if sh.object != nil {
			sh = sh.object
		}
		return sh.kinds&(kindObject|kindAny) != 0 && s.object(sh, depth)
	case '[':
		if sh.array != nil {
			sh = sh.array
		}
		return sh.kinds&(kindArray|kindAny) != 0 && s.array(sh, depth)
	case '"':
		if sh.text != nil {
			sh = sh.text
		}
		text, plain, ok := s.text()
		return ok && sh.kinds&(kindString|kindAny) != 0 && sh.takesText(text, plain)
	case 't':
		return sh.kinds&(kindBool|kindAny) != 0 && s.word("true")
	case 'f':
		return sh.kinds&(kindBool|kindAny) != 0 && s.word("false")
	case 'n':
		return sh.kinds&kindNull != 0 && s.word("null")
	default:
		if sh.number != nil {
			sh = sh.number
		}
		return s.number(sh)
	}
}

// once remembers a name of the object whose names begin at from, and reports whether it is the
// first of it.
func (s *scan) once(name []byte, from int) bool {
	if s.open == maxScanNames {
		return false
	}
	for _, other := range s.names[from:s.open] {
		if bytes.Equal(other, name) {
			return false
		}
	}
	s.names[s.open] = name
	s.open++
	return true
}

// find returns the index of the property, -1 if there is none.
func (sh *shape) find(name []byte) int {
	for i := range sh.properties {
		if sh.properties[i].name == string(name) {
			return i
		}
	}
	return -1
}

func (s *scan) object(sh *shape, depth int) bool {
	s.at++
	var seen, members uint64
	var kind []byte // of an event
	outer := s.open
	if sh.event {
		s.unique, s.worth = nil, nil
	}
	for {
		next := s.peek()
		if next == '}' {
			s.at++
			break
		}
		if members > 0 {
			if next != ',' {
				return false
			}
			s.at++
			next = s.peek()
		}
		if next != '"' {
			return false
		}
		name, plain, ok := s.text()
		if !ok || !plain || s.peek() != ':' {
			return false
		}
		s.at++
		members++
		at := sh.find(name)
		switch {
		case at >= 0:
			s.peek()
			from := s.at
			if seen&(1<<at) != 0 || !s.value(sh.properties[at].shape, depth+1) {
				return false
			}
			seen |= 1 << at
			s.cover.member(sh.properties[at].seen)
			if sh.event && at == sh.kindAt {
				kind = s.body[from:s.at]
			}
		case sh.kinds&kindAny == 0 && sh.extra == nil || !s.once(name, outer):
			return false
		case !s.extra(sh, name, depth):
			return false
		}
	}
	s.open = outer
	if sh.event && !plainDetails(kind, s.unique, s.worth) && len(detailFaults(kind, s.unique, s.worth)) > 0 {
		return false
	}
	return seen&sh.required == sh.required && members >= sh.minMembers && sh.holdsAny(seen)
}

// holdsAny reports whether one of an anyOf has all that it asks for.
func (sh *shape) holdsAny(seen uint64) bool {
	return len(sh.anyOf) == 0 || slices.ContainsFunc(sh.anyOf, func(all uint64) bool { return seen&all == all })
}

// extra scans a member that no property names.
func (s *scan) extra(sh *shape, name []byte, depth int) bool {
	within := sh.extra
	if within == nil {
		within = sh // anything, all the way down
	}
	if !sh.custom {
		return s.value(within, depth+1)
	}
	if len(name) == 0 {
		return false
	}
	sum := uint(len(name))
	for _, b := range name {
		sum = sum*31 + uint(b)
	}
	known := &s.plain[sum%uint(len(s.plain))]
	if !bytes.Equal(*known, name) {
		if !plainField(name) {
			return false
		}
		*known = name
	}
	s.peek()
	from := s.at
	if !s.value(within, depth+1) {
		return false
	}
	value := s.body[from:s.at]
	if sh.details && string(name) == "unique" {
		s.unique = value
	} else if sh.details && string(name) == "value" {
		s.worth = value
	}
	return value[0] != '"' || !maybeSecret(value)
}

func (s *scan) array(sh *shape, depth int) bool {
	s.at++
	items := sh.items
	if items == nil {
		items = sh
	}
	var n uint64
	for {
		next := s.peek()
		if next == ']' {
			s.at++
			break
		}
		if n > 0 {
			if next != ',' {
				return false
			}
			s.at++
			next = s.peek()
		}
		from := s.at
		if !s.value(items, depth+1) || next == '"' && items.custom && maybeSecret(s.body[from:s.at]) {
			return false
		}
		n++
	}
	return n >= sh.minItems && (sh.maxItems == 0 || n <= sh.maxItems)
}
