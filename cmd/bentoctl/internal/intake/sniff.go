package intake

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// maxRow bounds a row of CSV, in bytes.
const maxRow = 4 << 20

var errLongRow = errors.New("is longer than 4 MiB: most likely a quote is not closed")

// A rowLimit reads no more than is left for a row; encoding/csv by itself would take all of a file
// whose quote is never closed into memory.
type rowLimit struct {
	r    io.Reader
	left int
}

func (l *rowLimit) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, errLongRow
	}
	n, err := l.r.Read(p[:min(len(p), l.left)])
	l.left -= n
	return n, err
}

// maxText bounds what is kept of a row that cannot be read.
const maxText = 16 << 10

// ahead returns the line that comes next, without its end, or its beginning. It reads no further than whoever
// is to read the line has to.
func ahead(in *bufio.Reader) []byte {
	for more := error(nil); ; _, more = in.Peek(in.Buffered() + 1) {
		head, _ := in.Peek(in.Buffered())
		line := bytes.TrimLeft(head, "\r\n")
		end := bytes.IndexByte(line, '\n')
		switch {
		case end >= 0 && end <= maxText:
			return bytes.TrimSuffix(line[:end], []byte("\r")) // which stays where it is while the line is read
		case len(line) > maxText:
			return append(bytes.Clone(line[:maxText]), "…"...)
		case more != nil:
			return bytes.Clone(line)
		}
	}
}

// maxSniffed is how much of a file is looked at to find out what it is.
const maxSniffed = 32 << 10

// Peek says what becomes of the columns of a file, and of its first n rows, without reading it: they
// are still to come.
func Peek(f *File, o Options, n int) (columns []Column, records []string, err error) {
	head, _ := f.text.Peek(maxSniffed)
	whole := bytes.LastIndexByte(head, '\n') + 1 // the last row may be cut off
	if len(head) < maxSniffed {
		whole = len(head)
	}
	if start := bytes.TrimSpace(head); len(start) > 0 && len(bytes.TrimSpace(head[:whole])) == 0 {
		if start[0] != '{' {
			return nil, nil, fmt.Errorf("%s: %w", f.Name, errLongHeader)
		}
		whole = len(head) // a line of NDJSON may be as long
	}
	r, err := NewReader(&File{Name: f.Name, text: bufio.NewReaderSize(bytes.NewReader(head[:whole]), maxSniffed)}, o)
	if err != nil {
		return nil, nil, err
	}
	for len(records) < n {
		row, err := r.Next()
		if err != nil {
			break
		}
		if row.Reason == "" && row.Standing == Active {
			records = append(records, string(row.Record))
		}
	}
	if r.rows != nil {
		columns = r.Columns()
	}
	return columns, records, nil
}

var errLongHeader = fmt.Errorf("its first line is longer than %d KiB: want rows under a header, or one JSON object a line", maxSniffed>>10)

// separator is the one of , ; tab | that stands most often in the first line, outside of quotes.
func separator(head []byte) rune {
	counts := map[byte]int{}
	quoted := false
	for _, b := range head {
		if b == '"' {
			quoted = !quoted
		}
		if b == '\n' && !quoted {
			break
		}
		if !quoted {
			counts[b]++
		}
	}
	best := byte(',')
	for _, b := range []byte(";\t|") {
		if counts[b] > counts[best] {
			best = b
		}
	}
	return rune(best)
}
