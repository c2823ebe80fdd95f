package main

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"example.com/bento-go/cmd/bentoctl/internal/intake"
)

// An aside is a file of rows that were not sent, each with its line and the reason: those that are
// wrong, to be mended and imported again, and those that consent forbids. It is made when the
// first of them comes, and never in the place of another file.
type aside struct {
	path   string // as it is, or is to be
	header []string
	more   []string // columns behind those of the input
	state  asideState
	file   *os.File
	buf    *bufio.Writer
	dry    bool // nothing is written
}

// What a file of them is called for.
const rejected, suppressed = "rejected", "suppressed"

// An asideState is where a checkpoint finds an aside again.
type asideState struct {
	Path string `json:"path"`
	Size int64  `json:"size"`
	Rows int    `json:"rows"`
}

// newAside plans the file that stands beside input, named for what it holds. header is nil for NDJSON.
func newAside(dir, input, what string, header []string, kept asideState) *aside {
	base := filepath.Base(input)
	for _, packed := range []string{".gz", ".csv", ".tsv", ".txt", ".ndjson", ".jsonl"} {
		base = strings.TrimSuffix(base, packed)
	}
	extension := ".csv"
	if header == nil {
		extension = ".ndjson"
	}
	a := &aside{path: filepath.Join(dir, base+"."+what+extension), header: header, more: []string{"bento_line", "bento_reason"}, state: kept}
	if what == rejected {
		a.more = append(a.more, "bento_raw") // of a row that is no CSV, and has no cells to be mended
	}
	return a
}

// put adds a row.
func (a *aside) put(row *intake.Row, reason string) error {
	if a.dry {
		return nil
	}
	if err := a.open(); err != nil {
		return err
	}
	a.state.Rows++
	if a.header == nil {
		line, err := intake.Noted(row.Text, row.Line, reason)
		_, _ = a.buf.Write(append(line, '\n')) // whose error the flush has
		return err
	}
	cells := append([]string{}, row.Cells...)
	for len(cells) < len(a.header) { // so that the others stand under their names
		cells = append(cells, "")
	}
	w := csv.NewWriter(a.buf)
	more := []string{strconv.Itoa(row.Line), reason, string(row.Text)}
	err := w.Write(append(cells, more[:len(a.more)]...))
	w.Flush()
	return err
}

// open opens the file: at the end that the checkpoint knows, or a new one.
func (a *aside) open() (err error) {
	if a.file != nil {
		return nil
	}
	if a.state.Path != "" {
		if a.file, err = os.OpenFile(a.state.Path, os.O_WRONLY, 0o600); err != nil {
			return err
		}
		if err := a.file.Truncate(a.state.Size); err != nil {
			return err
		}
		if _, err := a.file.Seek(0, io.SeekEnd); err != nil {
			return err
		}
		a.buf = bufio.NewWriter(a.file)
		return nil
	}
	extension := filepath.Ext(a.path)
	for n := 1; a.file == nil; n++ {
		a.state.Path = a.path
		if n > 1 {
			a.state.Path = fmt.Sprintf("%s-%d%s", strings.TrimSuffix(a.path, extension), n, extension)
		}
		a.file, err = os.OpenFile(a.state.Path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil && (!errors.Is(err, os.ErrExist) || n == 1000) {
			return fmt.Errorf("rows that are not sent cannot be set aside in %s (%w): name another folder by --output-dir", filepath.Dir(a.path), err)
		}
	}
	a.buf = bufio.NewWriter(a.file)
	if a.header != nil {
		w := csv.NewWriter(a.buf)
		_ = w.Write(slices.Concat(a.header, a.more))
		w.Flush()
		return w.Error()
	}
	return nil
}

// settle makes what was put safe, and notes how far the file reaches.
func (a *aside) settle() error {
	if a.file == nil {
		return nil
	}
	if err := errors.Join(a.buf.Flush(), a.file.Sync()); err != nil {
		return err
	}
	size, err := a.file.Seek(0, io.SeekCurrent)
	a.state.Size = size
	return err
}

// close lets go of the file. One of which nothing was settled goes away: its rows will be read again.
func (a *aside) close() error {
	if a.file == nil {
		return nil
	}
	if a.state.Size == 0 {
		made := a.state.Path
		a.state = asideState{}
		return errors.Join(a.file.Close(), os.Remove(made))
	}
	return errors.Join(a.buf.Flush(), a.file.Close())
}
