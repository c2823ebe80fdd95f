package conformance

import (
	"bytes"
	"errors"
	"io"

	"example.com/bento-go/internal/jsonscan"
)

// maxEntry bounds an entry of a recording, and whatever else stands in its file.
const maxEntry = 64 << 20

var errTooLarge = errors.New("larger than 64 MiB")

// A splitter cuts a stream into the JSON values that stand in it one after the other, separated
// by commas or white space. It looks at brackets and strings only: whether what is between them
// is JSON, its reader finds out. It holds one value in memory.
type splitter struct {
	r      io.Reader
	buf    []byte
	at     int   // where the unread part of buf begins
	offset int64 // of buf[0] in the stream
	line   int   // of the unread part
}

func newSplitter(r io.Reader, offset int64, line int) *splitter {
	return &splitter{r: r, buf: make([]byte, 0, 64<<10), offset: offset, line: line}
}

// position is the offset of what is read next.
func (s *splitter) position() int64 { return s.offset + int64(s.at) }

// fill reads more behind what is there, and returns io.EOF at the end.
func (s *splitter) fill() error {
	if s.at > 0 {
		s.offset += int64(s.at)
		s.buf = s.buf[:copy(s.buf, s.buf[s.at:])]
		s.at = 0
	}
	if len(s.buf) == cap(s.buf) {
		if len(s.buf) >= maxEntry {
			return errTooLarge
		}
		s.buf = append(make([]byte, 0, min(2*cap(s.buf), maxEntry)), s.buf...)
	}
	for range 100 {
		n, err := s.r.Read(s.buf[len(s.buf):cap(s.buf)])
		s.buf = s.buf[:len(s.buf)+n]
		if n > 0 && (err == nil || errors.Is(err, io.EOF)) { // the end comes once more
			return nil
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

// peek skips separators and returns the byte that comes next.
func (s *splitter) peek() (byte, error) {
	for {
		for s.at < len(s.buf) {
			switch b := s.buf[s.at]; b {
			case '\n':
				s.at++
				s.line++
			case ' ', '\t', '\r', ',':
				s.at++
			default:
				return b, nil
			}
		}
		if err := s.fill(); err != nil {
			return 0, err
		}
	}
}

// next returns the next value, which is good until the one after it is asked for, and where it begins. It
// returns nil before a closing bracket, and io.EOF at the end of the stream.
func (s *splitter) next() (value []byte, at int64, line int, err error) {
	first, err := s.peek()
	at, line = s.position(), s.line
	if err != nil {
		return nil, at, line, err
	}
	switch first {
	case ']', '}':
		return nil, at, line, nil
	case '{', '[':
		value, err = s.bracketed()
	default:
		value, err = s.scalar()
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	s.line += bytes.Count(value, newline)
	return value, at, line, err
}

var newline = []byte{'\n'}

// bracketed returns an object or an array.
func (s *splitter) bracketed() ([]byte, error) {
	depth, quoted := 0, false
	for i := 0; ; {
		for s.at+i >= len(s.buf) {
			if err := s.fill(); err != nil {
				return nil, err
			}
		}
		rest := s.buf[s.at+i:]
		if quoted {
			n := jsonscan.Inside(rest)
			if i += n; n < len(rest) { // its quote; or a control character, which its reader will not like
				quoted = rest[n] != '"'
				i++
			}
			continue
		}
		i++
		switch rest[0] {
		case '"':
			quoted = true
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				value := s.buf[s.at : s.at+i]
				s.at += i
				return value, nil
			}
		}
	}
}

// scalar returns what is neither object nor array.
func (s *splitter) scalar() ([]byte, error) {
	for i := 1; ; i++ {
		if s.at+i >= len(s.buf) {
			if err := s.fill(); err != nil && !errors.Is(err, io.EOF) {
				return nil, err
			}
		}
		if s.at+i >= len(s.buf) || bytes.IndexByte([]byte(" \t\r\n,]}"), s.buf[s.at+i]) >= 0 {
			value := s.buf[s.at : s.at+i]
			s.at += i
			return value, nil
		}
		if i > 1<<20 {
			return nil, jsonscan.ErrSyntax
		}
	}
}

// rest is what was read ahead, and what is not read yet.
func (s *splitter) rest() io.Reader {
	return io.MultiReader(bytes.NewReader(bytes.Clone(s.buf[s.at:])), s.r)
}
