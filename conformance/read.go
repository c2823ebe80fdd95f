package conformance

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"iter"

	"example.com/bento-go/internal/jsonscan"
)

// ErrNotARecording is the error of a file that is in none of the formats, rather than a broken one of them.
var ErrNotARecording = errors.New("not a recording")

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
	var corrupt flate.CorruptInputError
	if errors.Is(err, gzip.ErrChecksum) || errors.Is(err, gzip.ErrHeader) || errors.As(err, &corrupt) {
		err = fmt.Errorf("the gzip file is damaged: %w", err)
	}
	return n, err
}

var bom = []byte("\xef\xbb\xbf")

// skipBOM passes over the mark that some editors put before UTF-8, and returns how long it is.
func skipBOM(in *bufio.Reader) int64 {
	if head, _ := in.Peek(len(bom)); !bytes.Equal(head, bom) {
		return 0
	}
	n, _ := in.Discard(len(bom))
	return int64(n)
}

// brokenAt says where a file ends to be readable, and never what stands there.
func brokenAt(file string, at int64, err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%s: the recording breaks off at byte %d: what came before was read; export it again", file, at)
	case errors.Is(err, errTooLarge):
		return fmt.Errorf("%s: an entry around byte %d is larger than 64 MiB: record with smaller bodies", file, at)
	}
	return fmt.Errorf("%s: at byte %d: %w", file, at, err)
}

type reader func(r io.Reader, file string) iter.Seq2[*Exchange, error]

// formatOf looks at the beginning of a file. What it does not know is taken for HAR, whose reader
// says best what is wrong.
func formatOf(in *bufio.Reader) reader {
	head, _ := in.Peek(32 << 10)
	head = bytes.TrimLeft(bytes.TrimPrefix(head, bom), " \t\r\n")
	switch {
	case len(head) == 0:
		return ReadHAR
	case head[0] != '{' && interactionsHead.Match(head):
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
