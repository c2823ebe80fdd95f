package intake

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"example.com/bento-go/conformance"
	"example.com/bento-go/internal/jsonscan"
)

// maxLine bounds a line of NDJSON.
const maxLine = 1 << 20

// lines reads a file a line at a time, in bounded memory.
type lines struct {
	r      *bufio.Reader
	number int
	long   []byte // a line that is longer than the reader's buffer
}

var errLongLine = fmt.Errorf("the line is longer than %d bytes", maxLine)

// next returns the next line that is not blank. A line that is too long is passed over.
func (l *lines) next() (line []byte, err error) {
	for {
		l.number++
		l.long = l.long[:0]
		line, err = l.r.ReadSlice('\n')
		tooLong := false
		for errors.Is(err, bufio.ErrBufferFull) {
			if tooLong = tooLong || len(l.long)+len(line) > maxLine; !tooLong {
				l.long = append(l.long, line...)
			}
			line, err = l.r.ReadSlice('\n')
		}
		if tooLong {
			return nil, errLongLine
		}
		if len(l.long) > 0 {
			l.long = append(l.long, line...)
			line = l.long
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			return line, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// nextLine reads a row of NDJSON. What it says is handed on as it is; whether the contract has it
// so, others judge.
func (r *Reader) nextLine() (Row, error) {
	line, err := r.lines.next()
	row := Row{Line: r.lines.number, Standing: r.options.As}
	switch {
	case errors.Is(err, errLongLine):
		row.Reason = err.Error()
		return row, nil
	case errors.Is(err, io.EOF):
		return row, io.EOF
	case err != nil:
		return row, fmt.Errorf("%s: %w", r.file.Name, err)
	}
	line = unnoted(line)
	row.Text = line
	r.given = span{}
	scan := jsonscan.Cursor{Body: line}
	if scan.Next() != '{' {
		row.Reason = "not a JSON object"
		return row, nil
	}
	r.paid, r.told = Active, false
	err = scan.Members("the record", func(name []byte) error { return r.member(&row, &scan, name) })
	if row.Standing == Active && !r.told {
		row.Standing = r.paid
	}
	switch {
	case err != nil:
		row.Reason = "not a JSON object: " + err.Error()
	case scan.Next() != 0:
		row.Reason = "more than one JSON value"
	case !conformance.ValidEmail(row.Email):
		row.Reason = "email is not an address"
	default:
		row.Record = r.tagged(line, scan.At-1)
	}
	return row, nil
}

// keyed notes whether a member of details.unique is a key: one of no length drops no repeat.
func keyed(row *Row, scan *jsonscan.Cursor, name []byte) error {
	if string(name) != "key" || scan.Next() != '"' {
		return scan.Skip()
	}
	text, err := scan.Quoted()
	row.Keyed = len(text) > 0
	return err
}

// A span is a part of a line.
type span struct{ from, to int }

// tagged adds the tags that everybody gets to a record that ends, but for its brace, at end.
func (r *Reader) tagged(line []byte, end int) []byte {
	if r.tags == "" || r.kind != Subscribers {
		return line
	}
	own := bytes.Trim(line[r.given.from:r.given.to], `"`)
	at, until, tags := end, end, `,"tags":"`+r.tags+`"`
	switch {
	case r.given.to == 0:
	case len(own) > 0 && string(own) != "null":
		at, until = r.given.to-1, r.given.to-1
		tags = "," + r.tags
	default:
		at, until = r.given.from, r.given.to
		tags = `"` + r.tags + `"`
	}
	r.record = append(append(append(r.record[:0], line[:at]...), tags...), line[until:end]...)
	r.record = append(r.record, '}')
	return r.record
}

func (r *Reader) member(row *Row, scan *jsonscan.Cursor, name []byte) error {
	switch {
	case string(name) == "email" && scan.Next() == '"':
		text, err := scan.Quoted()
		row.Email = string(text)
		return err
	case string(name) == "details" && scan.Next() == '{':
		return scan.Members("details", func(name []byte) error {
			if string(name) == "unique" && scan.Next() == '{' {
				return scan.Members("unique", func(name []byte) error { return keyed(row, scan, name) })
			}
			return scan.Skip()
		})
	}
	if string(name) == "tags" {
		scan.Blank()
		r.given.from = scan.At
		err := scan.Skip()
		r.given.to = scan.At
		return err
	}
	if r.kind != Subscribers || row.Standing != Active {
		return scan.Skip()
	}
	plain := r.plain(name)
	column := consentColumns[plain]
	if column == noConsent {
		return scan.Skip()
	}
	scan.Blank()
	from := scan.At
	if err := scan.Skip(); err != nil {
		return err
	}
	cell := string(bytes.Trim(scan.Body[from:scan.At], `"`))
	switch standing := column.standing(plain, cell); plain {
	case paidFor:
		r.paid = standing
	case disabled:
		r.told = true
		row.Standing = standing
	default:
		row.Standing = standing
	}
	return nil
}

// maxNames bounds the names of members that are remembered.
const maxNames = 1000

// plain is the name of a member in Bento's manner.
func (r *Reader) plain(name []byte) string {
	if plain, known := r.names[string(name)]; known {
		return plain
	}
	plain := bentoName(string(name))
	if len(r.names) < maxNames {
		r.names[string(name)] = plain
	}
	return plain
}
