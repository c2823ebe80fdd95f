package bento

import (
	"fmt"
	"iter"

	"example.com/bento-go/gen"
)

// maxPages bounds a walk; it is far above any real list.
const maxPages = 100_000

// pages walks a paged list until a page is empty. A server that ignores `page` answers with the
// same items for ever; the walk notices by their ids and ends with an error.
func pages[T any](operation string, fetch func(page int) ([]T, error), id func(T) gen.ID) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		var previous []T
		for page := 1; page <= maxPages; page++ {
			items, err := fetch(page)
			if err != nil {
				yield(zero, err)
				return
			}
			if len(items) == 0 {
				return
			}
			if samePage(previous, items, id) {
				yield(zero, endless(operation, fmt.Errorf("page %d brings the items of the page before it", page)))
				return
			}
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
			previous = items
		}
		yield(zero, endless(operation, fmt.Errorf("no end after %d pages", maxPages)))
	}
}

func samePage[T any](a, b []T, id func(T) gen.ID) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if id(a[i]) != id(b[i]) {
			return false
		}
	}
	return true
}

func endless(operation string, cause error) *Error {
	method, path := pathOf(operation)
	return &Error{
		Operation: operation, Method: method, Path: path, kinds: []error{ErrUnexpectedAnswer}, cause: cause,
		Hint: "The server seems to ignore page; check BaseURL and any proxy or cache.",
	}
}
