package conformance

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"iter"

	"example.com/bento-go/internal/jsonscan"
)

// Read reads recorded traffic of any format it knows, which it finds out from the content: HAR
// 1.2, cassettes of go-vcr, and NDJSON (see [ReadNDJSON]), each also compressed by gzip. It
// streams, with one exchange in memory, and yields errors as [ReadHAR] does.
func Read(r io.Reader, file string) iter.Seq2[*Exchange, error] {
	return func(yield func(*Exchange, error) bool) {
		in := bufio.NewReaderSize(r, 64<<10)
		if magic, _ := in.Peek(2); bytes.Equal(magic, []byte("\x1f\x8b")) {
			unpacked, err := gzip.NewReader(in)
			if err != nil {
				yield(nil, fmt.Errorf("%s: it begins like a gzip file, but is none: %w", file, err))
				return
			}
			in = bufio.NewReaderSize(&gzipErrors{unpacked}, 64<<10)
		}
		for x, err := range formatOf(in)(in, file) {
			if !yield(x, err) {
				return
			}
		}
	}
}

// gzipErrors names what is wrong with a compressed file.
type gzipErrors struct{ *gzip.Reader }

func (g *gzipErrors) Read(p []byte) (int, error) {
	n, err := g.Reader.Read(p)
	if err != nil && (errors.Is(err, gzip.ErrChecksum) || errors.Is(err, gzip.ErrHeader)) {
		err = fmt.Errorf("the gzip file is damaged: %w", err)
	}
	return n, err
}

type reader func(r io.Reader, file string) iter.Seq2[*Exchange, error]

// formatOf looks at the beginning of a file. What it does not know is taken for HAR, whose reader
// says best what is wrong.
func formatOf(in *bufio.Reader) reader {
	head, _ := in.Peek(32 << 10)
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	switch {
	case len(head) == 0:
		return ReadHAR
	case head[0] != '{' && interactionsLine.Match(head):
		return ReadCassette
	case head[0] == '{' && firstMemberOf(head) != "":
		return ReadNDJSON
	}
	return ReadHAR
}

// firstMemberOf returns the first member of an object that only an exchange of NDJSON has.
func firstMemberOf(head []byte) string {
	c := jsonscan.Cursor{Body: head, At: 1}
	for c.Next() == '"' {
		name, err := c.Raw()
		if err != nil || c.Next() != ':' {
			return ""
		}
		c.At++
		switch string(name) {
		case "request", "response", "duration_ms", "started":
			return string(name)
		case "log":
			return ""
		}
		if c.Skip() != nil || c.Next() != ',' {
			return ""
		}
		c.At++
	}
	return ""
}
