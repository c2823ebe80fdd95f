package bento

import (
	"context"
	"net/http"

	"example.com/bento-go/gen"
)

// Field is what a site knows of its people.
type Field = gen.Field

// ListFields returns every field of the site; no paging is documented.
//
// Contract: GET /fetch/fields (openapi.yaml, listFields).
// Source: https://bentonow.com/docs/fields
func (c *Client) ListFields(ctx context.Context, opts ...CallOption) ([]Field, error) {
	list, err := call[gen.FieldList](ctx, c, gen.OpListFields, opts, func(ctx context.Context) (*http.Response, error) {
		return c.api.ListFields(ctx)
	})
	return list.Data, err
}

// CreateField creates a field; Bento makes its name from the key, which should be lower case
// with underscores.
//
// Contract: POST /fetch/fields (openapi.yaml, createField).
// Source: https://bentonow.com/docs/fields
func (c *Client) CreateField(ctx context.Context, key string, opts ...CallOption) (*Field, error) {
	if err := checkGiven(gen.OpCreateField, "key", key); err != nil {
		return nil, err
	}
	envelope, err := call[gen.FieldEnvelope](ctx, c, gen.OpCreateField, opts, func(ctx context.Context) (*http.Response, error) {
		return c.api.CreateField(ctx, gen.CreateFieldBody{Field: gen.NewField{Key: key}})
	})
	return required(gen.OpCreateField, envelope.Data, err)
}
