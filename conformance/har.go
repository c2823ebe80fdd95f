package conformance

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// ReadHAR reads a HAR 1.2 recording as a stream, one entry in memory at a time. It is lenient:
// null and missing members, HTTP/2 pseudo headers and false base64 are what browsers write.
//
// An entry that cannot be read is yielded as an error beside an exchange that holds only its
// Source, and the rest goes on. A file that cannot be read any further is yielded as an error
// beside nil, and ends the sequence; what came before it is good.
func ReadHAR(r io.Reader, file string) iter.Seq2[*Exchange, error] {
	return func(yield func(*Exchange, error) bool) {
		in := bufio.NewReader(r)
		base := skipBOM(in)
		bounded := &boundedReader{r: in, left: maxEntry}
		h := harReader{dec: newLenientDecoder(bounded), in: bounded, file: file, base: base}
		if err := h.read(yield); err != nil {
			yield(nil, err)
		}
	}
}

type harReader struct {
	dec  *jsontext.Decoder // nil between entries
	in   *boundedReader
	file string
	base int64 // of what dec reads in the file

	sanitized bool // credentials were left out
}

// newLenientDecoder reads files as real recorders write them, with a key twice now and then, or
// half a character: only bodies are judged strictly, not the file that holds them.
func newLenientDecoder(r io.Reader) *jsontext.Decoder {
	return jsontext.NewDecoder(fullReader{r}, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

// A fullReader gives all that it is asked for, as long as there is any: a decoder copies what it
// holds of a value at each read, and a large one may come in crumbs.
type fullReader struct{ r io.Reader }

func (f fullReader) Read(p []byte) (int, error) {
	n, err := io.ReadFull(f.r, p)
	if n > 0 {
		return n, nil // the source says again what its trouble is
	}
	return 0, err
}

// A boundedReader reads at most left bytes, so that no entry fills the memory.
type boundedReader struct {
	r     io.Reader
	left  int
	lines int // that were ended
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLarge
	}
	n, err := b.r.Read(p[:min(len(p), b.left)])
	b.left -= n
	b.lines += bytes.Count(p[:n], newline)
	return n, err
}

// read finds log.entries and yields what is in it. A nil error means that the file was read to
// its end, or that nobody wanted more.
func (h *harReader) read(yield func(*Exchange, error) bool) error {
	entries := false
	err := h.members(func(name string) error {
		if name != "log" {
			return h.dec.SkipValue()
		}
		return h.members(func(name string) error {
			if name == "creator" {
				return h.creator()
			}
			if name != "entries" || h.dec.PeekKind() != '[' {
				return h.dec.SkipValue()
			}
			entries = true
			return h.entries(yield)
		})
	})
	if err == nil {
		err = h.end()
	}
	switch {
	case errors.Is(err, errStop):
		return nil
	case !entries && errors.Is(err, errTooLarge):
		return fmt.Errorf("%s: %w: it holds no log.entries in its first 64 MiB", h.file, ErrNotARecording)
	case !entries && (err == nil || errors.Is(err, errMore)):
		return fmt.Errorf("%s: %w: it holds no log.entries", h.file, ErrNotARecording)
	case err != nil:
		return h.broken(err, entries)
	}
	return nil
}

// creator finds out who made the recording.
func (h *harReader) creator() error {
	if h.dec.PeekKind() != '{' {
		return h.dec.SkipValue()
	}
	return h.members(func(name string) error {
		if name != "name" || h.dec.PeekKind() != '"' {
			return h.dec.SkipValue()
		}
		text, err := h.dec.ReadToken()
		h.sanitized = text.String() == "WebInspector" // Chrome's, and that of its kin
		return err
	})
}

// end makes sure that nothing follows the recording: two files in one are not one file.
func (h *harReader) end() error {
	_, err := h.dec.ReadToken()
	var syntactic *jsontext.SyntacticError
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err == nil, errors.As(err, &syntactic):
		return errMore
	}
	return err // of the file, such as a checksum that is not right
}

var (
	errMore      = errors.New("more follows the recording: give each file by itself")
	errStop      = errors.New("nobody wants more")
	errNotObject = errors.New("not an object")
	errNoEntry   = errors.New("not an entry of a HAR recording")
	errNoURL     = errors.New("no request.url")
)

// Members calls visit for each member of the next value, which must be an object.
func (h *harReader) members(visit func(name string) error) error {
	if h.dec.PeekKind() != '{' {
		if _, err := h.dec.ReadToken(); err != nil {
			return err
		}
		return errNotObject
	}
	_, _ = h.dec.ReadToken()
	for h.dec.PeekKind() == '"' {
		name, err := h.dec.ReadToken()
		if err != nil {
			return err
		}
		if err := visit(name.String()); err != nil {
			return err
		}
	}
	_, err := h.dec.ReadToken()
	return err
}

// entries yields what stands in the array. It cuts the entries itself, and hands the rest of the
// file to a decoder that believes to have read them.
func (h *harReader) entries(yield func(*Exchange, error) bool) error {
	if _, err := h.dec.ReadToken(); err != nil {
		return err
	}
	h.in.left = math.MaxInt
	unread := h.dec.UnreadBuffer()
	line := 1 + h.in.lines - bytes.Count(unread, newline)
	entries := newSplitter(io.MultiReader(bytes.NewReader(unread), h.in), h.position(), line)
	for number := 0; ; number++ {
		raw, at, line, err := entries.next()
		h.base, h.dec = at, nil
		if err != nil {
			return err
		}
		if raw == nil {
			return h.resume(entries)
		}
		source := Source{File: h.file, Entry: number, Offset: at, Line: line}
		exchange, err := parseEntry(raw)
		if err != nil {
			exchange, err = &Exchange{}, source.error(err)
		}
		exchange.Source, exchange.Request.Sanitized = source, h.sanitized
		if !yield(exchange, err) {
			return errStop
		}
	}
}

// resume goes on behind the entries.
func (h *harReader) resume(entries *splitter) error {
	const before = `{"log":{"entries":[`
	h.in.left = maxEntry
	h.base = entries.position() - int64(len(before))
	h.dec = newLenientDecoder(io.MultiReader(strings.NewReader(before), entries.rest()))
	for range 6 { // what stands in before, and the bracket that ends the array
		if _, err := h.dec.ReadToken(); err != nil {
			return err
		}
	}
	return nil
}

// position is how far the file was read.
func (h *harReader) position() int64 {
	if h.dec == nil {
		return h.base
	}
	return h.base + h.dec.InputOffset()
}

// broken says where the file ends to be readable, and never what stands there.
func (h *harReader) broken(err error, entries bool) error {
	at := h.position()
	var syntactic *jsontext.SyntacticError
	switch {
	case errors.Is(err, errNotObject) && !entries:
		return fmt.Errorf("%s: %w: want a JSON object with log.entries", h.file, ErrNotARecording)
	case errors.Is(err, io.EOF) && h.dec != nil:
		return fmt.Errorf("%s: %w: the file is empty", h.file, ErrNotARecording)
	case errors.Is(err, io.EOF):
		err = io.ErrUnexpectedEOF
	case errors.As(err, &syntactic) && !errors.Is(err, io.ErrUnexpectedEOF) && entries:
		return fmt.Errorf("%s: not JSON at byte %d: want a HAR recording", h.file, h.base+syntactic.ByteOffset)
	case errors.As(err, &syntactic) && !errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%s: %w: not JSON at byte %d: want HAR, a cassette of go-vcr, or NDJSON", h.file, ErrNotARecording, h.base+syntactic.ByteOffset)
	}
	return brokenAt(h.file, at, err)
}
