package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"unicode/utf8"

	"example.com/bento-go/cmd/bentoctl/internal/intake"
	bento "example.com/bento-go/wrapper"
)

// A rowError is a row that is left out; the rest goes on.
type rowError struct {
	file   string
	line   int
	reason string
}

func (e *rowError) Error() string { return fmt.Sprintf("%s:%d: %s", e.file, e.line, e.reason) }

// readSubscribers reads a file as an import does, into records of the contract. It yields a
// *rowError for a row that is left out, such as that of a person who must not be written to. Any
// other error ends it.
func readSubscribers(r io.Reader, file string) iter.Seq2[bento.SubscriberRecord, error] {
	return readRows[bento.SubscriberRecord](r, file, intake.Subscribers)
}

// readEvents is readSubscribers for events.
func readEvents(r io.Reader, file string) iter.Seq2[bento.Event, error] {
	return readRows[bento.Event](r, file, intake.Events)
}

func readRows[T any](r io.Reader, file string, kind intake.Kind) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		unpacked, err := intake.Unpack(file, r, 0)
		if err != nil {
			yield(none, err)
			return
		}
		reader, err := intake.NewReader(unpacked, intake.Options{Kind: kind})
		if err != nil {
			yield(none, err)
			return
		}
		for {
			row, err := reader.Next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(none, err)
				return
			}
			record, err := recordOf[T](&row, file)
			if !yield(record, err) {
				return
			}
		}
	}
}

func recordOf[T any](row *intake.Row, file string) (record T, err error) {
	left := func(reason string) (T, error) { return record, &rowError{file, row.Line, reason + ": left out"} }
	switch {
	case row.Reason != "":
		return left(row.Reason)
	case row.Standing != intake.Active:
		return left(string(row.Standing) + ", not to be written to")
	case !utf8.Valid(row.Record):
		return left("not UTF-8: convert the file")
	}
	decoder := json.NewDecoder(bytes.NewReader(row.Record))
	decoder.DisallowUnknownFields()
	decoder.UseNumber() // an order number of 19 digits stays what it is
	if decoder.Decode(&record) != nil {
		return left("not what the contract describes")
	}
	if event, isEvent := any(record).(bento.Event); isEvent && event.Type == "" {
		return left("type is missing")
	}
	return record, nil
}
