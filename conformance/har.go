package conformance

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"
	"time"

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
		if bom, _ := in.Peek(3); bytes.Equal(bom, []byte("\xef\xbb\xbf")) {
			_, _ = in.Discard(3)
		}
		// Real recorders write a key twice now and then, or half a character: only bodies are
		// judged strictly, not the file that holds them.
		bounded := &boundedReader{r: in, left: maxEntry}
		h := harReader{
			dec: jsontext.NewDecoder(bounded, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)),
			in:  bounded, file: file,
		}
		if err := h.read(yield); err != nil {
			yield(nil, err)
		}
	}
}

// maxEntry bounds an entry of a recording, and whatever else stands in its file.
const maxEntry = 64 << 20

type harReader struct {
	dec  *jsontext.Decoder
	in   *boundedReader
	file string
}

// A boundedReader reads at most left bytes, so that no entry fills the memory.
type boundedReader struct {
	r    io.Reader
	left int
}

var errTooLarge = errors.New("larger than 64 MiB")

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLarge
	}
	n, err := b.r.Read(p[:min(len(p), b.left)])
	b.left -= n
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
	case err != nil:
		return h.broken(err, entries)
	case !entries:
		return fmt.Errorf("%s: not a HAR recording: it holds no log.entries", h.file)
	}
	return nil
}

// end makes sure that nothing follows the recording: two files in one are not one file.
func (h *harReader) end() error {
	h.in.left = maxEntry
	if _, err := h.dec.ReadToken(); errors.Is(err, io.EOF) {
		return nil
	}
	return errMore
}

var (
	errMore      = errors.New("more follows the recording: give each file by itself")
	errStop      = errors.New("nobody wants more")
	errNotObject = errors.New("not an object")
)

// members calls visit for each member of the next value, which must be an object.
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

func (h *harReader) entries(yield func(*Exchange, error) bool) error {
	if _, err := h.dec.ReadToken(); err != nil {
		return err
	}
	for number := 0; h.dec.PeekKind() != ']'; number++ {
		h.in.left = maxEntry
		raw, err := h.dec.ReadValue()
		if err != nil {
			return err
		}
		source := Source{File: h.file, Entry: number, Offset: h.dec.InputOffset() - int64(len(raw))}
		exchange, err := parseEntry(raw)
		if err != nil {
			err = fmt.Errorf("%s: entry %d at byte %d: %w", h.file, number, source.Offset, err)
			exchange = &Exchange{}
		}
		exchange.Source = source
		if !yield(exchange, err) {
			return errStop
		}
	}
	_, err := h.dec.ReadToken()
	return err
}

// broken says where the file ends to be readable, and never what stands there.
func (h *harReader) broken(err error, entries bool) error {
	at := h.dec.InputOffset()
	switch {
	case errors.Is(err, errNotObject) && !entries:
		return fmt.Errorf("%s: not a HAR recording: want a JSON object with log.entries", h.file)
	case errors.Is(err, io.EOF) && at == 0:
		return fmt.Errorf("%s: the file is empty", h.file)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return fmt.Errorf("%s: the recording breaks off at byte %d: what came before was read; export it again", h.file, at)
	}
	if errors.Is(err, errTooLarge) {
		return fmt.Errorf("%s: an entry around byte %d is larger than 64 MiB: record with smaller bodies", h.file, at)
	}
	var syntactic *jsontext.SyntacticError
	if errors.As(err, &syntactic) {
		return fmt.Errorf("%s: not JSON at byte %d: want a HAR recording", h.file, syntactic.ByteOffset)
	}
	return fmt.Errorf("%s: at byte %d: %w", h.file, at, err)
}

// The members of an entry that matter. Pointers tell null and missing from empty.
type harEntry struct {
	StartedDateTime string      `json:"startedDateTime"`
	Time            json.Number `json:"time"` // some write 0.0, some "0"
	Request         *struct {
		Method   string      `json:"method"`
		URL      string      `json:"url"`
		Headers  []harHeader `json:"headers"`
		BodySize json.Number `json:"bodySize"`
		PostData *struct {
			MimeType string  `json:"mimeType"`
			Text     *string `json:"text"`
			Encoding string  `json:"encoding"`
		} `json:"postData"`
	} `json:"request"`
	Response *struct {
		Status  json.Number `json:"status"`
		Headers []harHeader `json:"headers"`
		Content struct {
			Size     json.Number `json:"size"`
			MimeType string      `json:"mimeType"`
			Text     *string     `json:"text"`
			Encoding string      `json:"encoding"`
		} `json:"content"`
	} `json:"response"`
}

type harHeader struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

func parseEntry(raw []byte) (*Exchange, error) {
	var e harEntry
	if err := json.Unmarshal(raw, &e); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			return nil, fmt.Errorf("%s is a JSON %s, which no HAR has there", wrong.Field, wrong.Value)
		}
		return nil, errors.New("not an entry of a HAR recording")
	}
	if e.Request == nil || e.Request.URL == "" {
		return nil, errors.New("no request.url")
	}
	x := &Exchange{Duration: time.Duration(number(e.Time, 0) * float64(time.Millisecond))}
	x.Started, _ = time.Parse(time.RFC3339Nano, e.StartedDateTime)
	x.Request = Request{Method: strings.ToUpper(e.Request.Method), URL: e.Request.URL, Header: headerOf(e.Request.Headers)}
	size := number(e.Request.BodySize, 0)
	if p := e.Request.PostData; p != nil {
		// A form may be recorded as params only, which each browser escapes in its own way.
		x.Request.Body, x.Request.BodyState = bodyOf(p.Text, p.Encoding, number(e.Request.BodySize, -1))
		declareType(x.Request.Header, p.MimeType)
	} else if writes := x.Request.Method != http.MethodGet; size > 0 || size < 0 && writes {
		x.Request.BodyState = BodyMissing
	}
	r := e.Response
	if r == nil || number(r.Status, 0) == 0 {
		return x, nil
	}
	x.Response = &Response{Status: int(number(r.Status, 0)), Header: headerOf(r.Headers)}
	if x.Request.Method != http.MethodHead { // its size is that of the body it would have
		x.Response.Body, x.Response.BodyState = bodyOf(r.Content.Text, r.Content.Encoding, number(r.Content.Size, -1))
	}
	if x.Response.Header == nil && r.Content.MimeType != "" {
		x.Response.Header = http.Header{}
	}
	declareType(x.Response.Header, r.Content.MimeType)
	return x, nil
}

// number reads a number, or says absent.
func number(n json.Number, absent float64) float64 {
	f, err := n.Float64()
	if err != nil {
		return absent
	}
	return f
}

// headerOf returns nil for no headers at all: the recording then says nothing of them.
func headerOf(list []harHeader) http.Header {
	if len(list) == 0 {
		return nil
	}
	h := http.Header{}
	for _, header := range list {
		if !strings.HasPrefix(header.Name, ":") {
			h.Add(header.Name, header.Value)
		}
	}
	if len(h) == 0 {
		return nil
	}
	return h
}

func declareType(h http.Header, mimeType string) {
	if h != nil && h.Get("Content-Type") == "" && mimeType != "" {
		h.Set("Content-Type", mimeType)
	}
}

func bodyOf(text *string, encoding string, size float64) ([]byte, BodyState) {
	switch {
	case text == nil && size != 0: // negative says that nobody knows
		return nil, BodyMissing
	case text == nil:
		return nil, BodyKnown
	case encoding == "base64":
		if decoded, err := base64.StdEncoding.DecodeString(*text); err == nil {
			return decoded, BodyKnown
		}
	}
	return []byte(*text), BodyKnown
}
