package intake

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/text/encoding/unicode"
)

// A File is one input, opened: a file by itself, standard input, or what a ZIP holds.
type File struct {
	// Name is what messages call it: that of a ZIP's member includes the ZIP's.
	Name string
	// Path is where it is on the disk, a ZIP's for its member; "" for standard input.
	Path string
	// Size is how many bytes Offset will reach; 0 if nobody knows.
	Size int64

	raw   *counter
	text  *bufio.Reader
	close []io.Closer
}

// Open opens a file and unpacks it: gzip, a ZIP's members that hold rows, UTF-16 by its mark. "-" is
// stdin. Whoever gets files closes them.
func Open(name string, stdin io.Reader) ([]*File, error) {
	if name == "-" {
		f, err := Unpack("standard input", stdin, 0)
		return []*File{f}, err
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && info.IsDir() {
		err = fmt.Errorf("%s is a directory: give the files in it", name)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	if info.Mode().IsRegular() {
		mark := make([]byte, 4)
		if n, _ := file.ReadAt(mark, 0); n == 4 && string(mark) == "PK\x03\x04" {
			return openZip(name, file, info.Size())
		}
	}
	f, err := Unpack(name, file, info.Size())
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	f.Path = name
	f.close = append(f.close, file)
	return []*File{f}, nil
}

func openZip(name string, file *os.File, size int64) ([]*File, error) {
	archive, err := zip.NewReader(file, size)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: not readable as ZIP: %w", name, err), file.Close())
	}
	var files []*File
	for _, member := range archive.File {
		base := path.Base(member.Name)
		switch strings.ToLower(filepath.Ext(base)) {
		case ".csv", ".tsv", ".txt", ".ndjson", ".jsonl":
		default:
			continue
		}
		if strings.HasPrefix(base, ".") || strings.HasPrefix(member.Name, "__MACOSX/") {
			continue
		}
		opened, err := member.Open()
		if err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %s: %w", name, member.Name, err), file.Close())
		}
		f, err := Unpack(name+"/"+member.Name, opened, member.FileInfo().Size())
		if err != nil {
			return nil, errors.Join(err, opened.Close(), file.Close())
		}
		f.Path = name
		f.close = append(f.close, opened)
		files = append(files, f)
	}
	if len(files) == 0 {
		return nil, errors.Join(fmt.Errorf("%s: the ZIP holds no .csv, .tsv, .txt or .ndjson", name), file.Close())
	}
	files[len(files)-1].close = append(files[len(files)-1].close, file)
	return files, nil
}

// Unpack finds out how a file is packed and encoded.
func Unpack(name string, r io.Reader, size int64) (*File, error) {
	raw := &counter{r: r}
	text := bufio.NewReaderSize(raw, 64<<10)
	if mark, _ := text.Peek(2); bytes.Equal(mark, []byte{0x1f, 0x8b}) {
		unzipped, err := gzip.NewReader(text)
		if err != nil {
			return nil, fmt.Errorf("%s: not readable as gzip: %w", name, err)
		}
		text = bufio.NewReaderSize(unzipped, 64<<10)
	}
	mark, err := text.Peek(3)
	switch {
	case len(mark) == 0 && err != nil && !errors.Is(err, io.EOF):
		return nil, fmt.Errorf("%s: %w", name, err)
	case bytes.HasPrefix(mark, []byte{0xef, 0xbb, 0xbf}):
		_, _ = text.Discard(3)
	case bytes.HasPrefix(mark, []byte{0xff, 0xfe}), bytes.HasPrefix(mark, []byte{0xfe, 0xff}):
		decoded := unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder().Reader(text)
		text = bufio.NewReaderSize(decoded, 64<<10)
	}
	return &File{Name: name, Size: size, raw: raw, text: text}, nil
}

// Offset is how far into the file the reading is, in the bytes of Size.
func (f *File) Offset() int64 { return f.raw.n }

// Close closes the file.
func (f *File) Close() error {
	var errs []error
	for _, c := range f.close {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
