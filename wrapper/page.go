package bento

import (
	"fmt"
	"hash/maphash"
	"iter"

	"example.com/bento-go/gen"
)

// maxPages bounds a walk; it is far above any real list.
const maxPages = 100_000

// pages walks a paged list until a page is empty. A server that ignores `page` answers with the
// same items for ever; the walk notices a page that it had before, by its ids, and ends with an
// error.
func pages[T any](operation string, fetch func(page int) ([]T, error), id func(T) gen.ID) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		seed, seen := maphash.MakeSeed(), map[uint64]int{}
		for page := 1; page <= maxPages; page++ {
			items, err := fetch(page)
			if err != nil {
				yield(zero, err)
				return
			}
			if len(items) == 0 {
				return
			}
			sum := fingerprint(seed, items, id)
			if before, repeats := seen[sum]; repeats {
				yield(zero, endless(operation, fmt.Errorf("page %d brings the items of page %d", page, before)))
				return
			}
			seen[sum] = page
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
		}
		yield(zero, endless(operation, fmt.Errorf("no end after %d pages", maxPages)))
	}
}

// fingerprint tells pages apart by the ids of their items.
func fingerprint[T any](seed maphash.Seed, items []T, id func(T) gen.ID) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	for _, item := range items {
		_, _ = h.WriteString(string(id(item)))
		_ = h.WriteByte(0)
	}
	return h.Sum64()
}

func endless(operation string, cause error) *Error {
	method, path := pathOf(operation)
	return &Error{
		Operation: operation, Method: method, Path: path, kinds: []error{ErrUnexpectedAnswer}, cause: cause,
		Hint: "The server seems to ignore page; check BaseURL and any proxy or cache.",
	}
}
