package intake

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"example.com/bento-go/conformance"
)

// A Row is one of a file. What it holds is good until the next is read.
type Row struct {
	Line int
	// Record is what the contract wants, as JSON; nil if the row is left out.
	Record []byte
	Email  string
	// Standing is what the row says of consent; a Record of one that is not Active must not be
	// imported as if it were.
	Standing Standing
	// Reason is why the row is left out.
	Reason string
	// Cells is the row of CSV as it is in the file, Text the line of NDJSON, or the beginning of a row that
	// cannot be read as CSV.
	Cells []string
	Text  []byte
	// Keyed is whether an event carries details.unique.key.
	Keyed bool
}

// A Reader reads the rows of a File.
type Reader struct {
	file    *File
	kind    Kind
	options Options
	tags    string

	// Of CSV.
	rows    *csv.Reader
	in      *bufio.Reader // which rows reads from
	limit   *rowLimit
	header  []string
	columns []Column
	root    *node
	email   int
	unique  int
	consent []int // columns that say something of it

	// Of NDJSON.
	lines *lines
	names map[string]string // of members, in Bento's manner
	paid  Standing          // what paidFor says of a line
	told  bool              // disabled says it

	read      int // rows
	record    []byte
	eventType []byte // the member of all events
	given     span   // where a line's own tags stand
}

// NewReader finds out whether a file is CSV or NDJSON, and what becomes of its columns.
func NewReader(f *File, o Options) (*Reader, error) {
	r := &Reader{file: f, kind: o.Kind, options: o, tags: strings.Join(o.Tags, ","), email: -1, unique: -1}
	head, err := f.text.Peek(maxSniffed)
	if len(bytes.TrimSpace(head)) == 0 {
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		return nil, fmt.Errorf("%s: the file is empty: want rows under a header, or one JSON object a line", f.Name)
	}
	if o.EventType != "" {
		quoted, err := jsontext.AppendQuote([]byte(`"type":`), o.EventType)
		if err != nil {
			return nil, errors.New("--event: not UTF-8")
		}
		r.eventType = quoted
	}
	if first := bytes.TrimSpace(head)[0]; first == '{' {
		if len(o.Map)+len(o.Types) > 0 || o.EventType != "" {
			return nil, fmt.Errorf("%s: it is NDJSON, which is sent as it is: --map, --type and --event are for columns", f.Name)
		}
		r.lines, r.names = &lines{r: f.text}, map[string]string{}
		return r, nil
	}
	r.limit = &rowLimit{r: f.text, left: maxRow}
	r.in = bufio.NewReaderSize(r.limit, 64<<10)
	r.rows = csv.NewReader(r.in)
	r.rows.Comma = separator(head)
	r.rows.FieldsPerRecord = -1
	r.rows.ReuseRecord = true
	return r, r.readHeader()
}

func (r *Reader) readHeader() error {
	header, err := r.rows.Read()
	if err != nil {
		return fmt.Errorf("%s: the header is not readable as CSV: %w", r.file.Name, err)
	}
	r.header = append([]string{}, header...)
	if r.columns, err = plan(r.header, r.options); err != nil {
		return fmt.Errorf("%s: %w", r.file.Name, err)
	}
	hasTags := false
	for i, c := range r.columns {
		if c.Consent {
			r.consent = append(r.consent, i)
		}
		switch c.Target {
		case "email":
			r.email = i
		case "details.unique.key":
			r.unique = i
		case "tags":
			hasTags = true
		}
	}
	r.root = tree(r.columns)
	if r.tags != "" && !hasTags && r.kind == Subscribers { // a column of nothing, for those everybody gets
		tags := newNode("tags")
		tags.column = len(r.columns)
		r.root.children = append(r.root.children, tags)
		r.columns = append(r.columns, Column{Target: "tags"})
	}
	return nil
}

// Header is the header of CSV; nil for NDJSON.
func (r *Reader) Header() []string { return r.header }

// Columns says what becomes of each column of CSV.
func (r *Reader) Columns() []Column { return r.columns[:len(r.header)] }

// Next reads a row. It returns io.EOF at the end; any other error ends the file.
func (r *Reader) Next() (Row, error) {
	if r.lines != nil {
		return r.nextLine()
	}
	r.limit.left = maxRow
	text := ahead(r.in)
	cells, err := r.rows.Read()
	if errors.Is(err, io.EOF) {
		return Row{}, io.EOF
	}
	row := Row{Cells: cells, Standing: r.options.As}
	r.read++
	var parse *csv.ParseError
	switch {
	case errors.Is(err, errLongRow):
		return row, fmt.Errorf("%s: row %d %w", r.file.Name, r.read, errLongRow)
	case errors.As(err, &parse) && parse.StartLine != parse.Line:
		return row, fmt.Errorf("%s:%d: a quote that opens here is not closed in its place: nothing behind it can be read", r.file.Name, parse.StartLine)
	case errors.As(err, &parse):
		row.Line, row.Reason, row.Text = parse.Line, parse.Err.Error(), text
		return row, nil
	case err != nil:
		return row, fmt.Errorf("%s: %w", r.file.Name, err)
	}
	row.Line, _ = r.rows.FieldPos(0)
	if len(cells) != len(r.header) {
		row.Reason = fmt.Sprintf("%d cells under %d columns", len(cells), len(r.header))
		return row, nil
	}
	if len(r.columns) > len(cells) {
		cells = append(cells, "")
	}
	r.fill(&row, cells)
	return row, nil
}

// fill makes a record of cells.
func (r *Reader) fill(row *Row, cells []string) {
	row.Email = trimmed(cells[r.email])
	if !conformance.ValidEmail(row.Email) {
		row.Reason = "email is not an address"
		return
	}
	for _, i := range r.consent {
		if c := &r.columns[i]; row.Standing == Active {
			row.Standing = c.consent.standing(c.name, strings.TrimSpace(cells[i]))
		}
	}
	row.Keyed = r.unique >= 0 && strings.TrimSpace(cells[r.unique]) != ""
	r.record = append(r.record[:0], '{')
	if r.options.EventType != "" && r.kind == Events {
		r.record = append(r.record, r.eventType...)
	}
	var err error
	r.record, err = r.appendMembers(r.record, r.root, cells)
	r.record = append(r.record, '}')
	if err != nil {
		row.Reason = err.Error()
		return
	}
	if r.kind == Events && !bytes.Contains(r.record, []byte(`"type":`)) {
		row.Reason = "type is missing"
		return
	}
	row.Record = r.record
}
