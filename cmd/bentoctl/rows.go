package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"example.com/bento-go/conformance"
	bento "example.com/bento-go/wrapper"
)

// maxLine bounds a line of NDJSON.
const maxLine = 1 << 20

// A rowError is a row that is left out; the rest goes on.
type rowError struct {
	file   string
	line   int
	reason string
}

func (e *rowError) Error() string { return fmt.Sprintf("%s:%d: %s", e.file, e.line, e.reason) }

// readSubscribers reads CSV with a header. The column email is required; first_name, last_name,
// tags and remove_tags are Bento's own; any other becomes a custom field. An empty cell is left
// out, so that it overwrites nothing.
//
// It yields a *rowError for a row that is left out. Any other error ends it.
func readSubscribers(r io.Reader, file string) iter.Seq2[bento.SubscriberRecord, error] {
	return func(yield func(bento.SubscriberRecord, error) bool) {
		rows := csv.NewReader(r)
		rows.FieldsPerRecord = -1
		rows.ReuseRecord = true
		columns, err := readHeader(rows, file)
		if err != nil {
			yield(bento.SubscriberRecord{}, err)
			return
		}
		for {
			cells, err := rows.Read()
			if errors.Is(err, io.EOF) {
				return
			}
			record, err := subscriberOf(columns, cells, err)
			var parse *csv.ParseError
			line := 0
			switch {
			case errors.As(err, &parse) && parse.StartLine != parse.Line:
				yield(record, fmt.Errorf("%s:%d: a quote that opens here is not closed in its place: nothing behind it can be read", file, parse.StartLine))
				return
			case errors.As(err, &parse):
				line, err = parse.Line, parse.Err
			case len(cells) > 0:
				line, _ = rows.FieldPos(0)
			case err != nil: // the file itself cannot be read
				yield(record, fmt.Errorf("%s: %w", file, err))
				return
			}
			if err != nil {
				err = &rowError{file, line, err.Error()}
			}
			if !yield(record, err) {
				return
			}
		}
	}
}

func readHeader(rows *csv.Reader, file string) ([]string, error) {
	header, err := rows.Read()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: the file is empty: want CSV with a header line and a column named email", file)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: not readable as CSV: %w", file, err)
	}
	columns := make([]string, len(header))
	for i, name := range header {
		name = strings.TrimPrefix(name, "\ufeff")
		columns[i] = strings.ReplaceAll(strings.ToLower(strings.TrimSpace(name)), " ", "_")
		if columns[i] != "" && slices.Contains(columns[:i], columns[i]) {
			return nil, fmt.Errorf("%s: two columns are named %s: rename one", file, columns[i])
		}
	}
	if !slices.Contains(columns, "email") {
		return nil, fmt.Errorf("%s: no column is named email (there is: %s): rename the one that holds the addresses", file, strings.Join(columns, ", "))
	}
	return columns, nil
}

func subscriberOf(columns, cells []string, err error) (bento.SubscriberRecord, error) {
	var record bento.SubscriberRecord
	if err != nil {
		return record, err
	}
	if len(cells) != len(columns) {
		return record, fmt.Errorf("%d cells under %d columns: row left out", len(cells), len(columns))
	}
	for i, cell := range cells {
		if !utf8.ValidString(cell) {
			return record, errors.New("not UTF-8: row left out; convert the file")
		}
		if cell = strings.TrimSpace(cell); cell == "" || columns[i] == "" {
			continue
		}
		switch columns[i] {
		case "email":
			record.Email = cell
		case "first_name":
			record.FirstName = &cell
		case "last_name":
			record.LastName = &cell
		case "tags":
			record.Tags = &cell
		case "remove_tags":
			record.RemoveTags = &cell
		default:
			record.Set(columns[i], cell)
		}
	}
	if !conformance.ValidEmail(record.Email) {
		return record, errors.New("email is not an address: row left out")
	}
	return record, nil
}

// readEvents reads NDJSON, one event of the contract a line. It yields a *rowError for a line
// that is left out. Any other error ends it.
func readEvents(r io.Reader, file string) iter.Seq2[bento.Event, error] {
	return func(yield func(bento.Event, error) bool) {
		lines := bufio.NewScanner(r)
		lines.Buffer(nil, maxLine)
		number := 0
		for lines.Scan() {
			number++
			text := bytes.TrimSpace(lines.Bytes())
			if len(text) == 0 {
				continue
			}
			event, err := eventOf(text)
			if err != nil {
				err = &rowError{file, number, err.Error()}
			}
			if !yield(event, err) {
				return
			}
		}
		if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
			yield(bento.Event{}, fmt.Errorf("%s:%d: a line longer than %d bytes: want one JSON object a line", file, number+1, maxLine))
		} else if err != nil {
			yield(bento.Event{}, fmt.Errorf("%s: %w", file, err))
		}
	}
}

func eventOf(line []byte) (bento.Event, error) {
	var event bento.Event
	if !utf8.Valid(line) {
		return event, errors.New("not UTF-8: line left out; convert the file")
	}
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.DisallowUnknownFields()
	dec.UseNumber() // an order number of 19 digits stays what it is
	if err := dec.Decode(&event); err != nil {
		return event, errors.New("not an event of the contract (type, email, fields, details, date): line left out")
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return event, errors.New("more than one JSON value: line left out")
	}
	if event.Type == "" {
		return event, errors.New("type is missing: line left out")
	}
	if !conformance.ValidEmail(event.Email) {
		return event, errors.New("email is not an address: line left out")
	}
	return event, nil
}
