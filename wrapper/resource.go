package bento

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"example.com/bento-go/gen"
)

// sender is a method of the generated client with its arguments, but for the context.
type sender func(context.Context) (*http.Response, error)

// required returns the resource of an answer, which must hold one.
func required[T any](operation string, one gen.One[T], err error) (*T, error) {
	if err == nil && one.Value == nil {
		method, path := pathOf(operation)
		err = &Error{
			Operation: operation, Method: method, Path: path, kinds: []error{ErrUnexpectedAnswer},
			cause: errors.New("the answer holds no data"), Hint: "Its status says that the request was accepted.",
		}
	}
	return one.Value, err
}

// checkPage refuses a page that no paged operation has.
func checkPage(operation string, page int) error {
	if page < 1 {
		return invalid(operation, fmt.Errorf("page is %d: pages start at 1", page))
	}
	return nil
}

// checkGiven refuses an empty argument that names what the call is about.
func checkGiven(operation, name, value string) error {
	if value == "" {
		return invalid(operation, fmt.Errorf("%s is empty: name what the call is about", name))
	}
	return nil
}

// optional is nil for the zero value, which stays off the wire.
func optional[T comparable](value T) *T {
	var zero T
	if value == zero {
		return nil
	}
	return &value
}
