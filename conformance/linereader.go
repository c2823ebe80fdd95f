package conformance

import (
	"bufio"
	"errors"
	"io"
)

// A lineReader reads a file line by line.
type lineReader struct {
	in     *bufio.Reader
	offset int64 // of the next line
	number int   // of the line that was read last, from 1
}

func newLineReader(r io.Reader) *lineReader {
	in := bufio.NewReaderSize(r, 64<<10)
	return &lineReader{in: in, offset: skipBOM(in)}
}

// next returns the next line with its end, or io.EOF.
func (l *lineReader) next() (line []byte, err error) {
	l.number++
	for {
		part, err := l.in.ReadSlice('\n')
		line = append(line, part...)
		l.offset += int64(len(part))
		switch {
		case len(line) > maxEntry:
			return nil, errTooLarge
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(line) > 0:
			return line, nil
		}
		return line, err
	}
}
