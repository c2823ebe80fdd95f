package bento

import (
	"context"
	"net/http"

	"example.com/bento-go/gen"
)

// FormResponse is what somebody answered in a form.
type FormResponse = gen.FormResponse

// ListFormResponses returns the responses to a form; no paging is documented.
//
// Contract: GET /fetch/responses (openapi.yaml, listFormResponses).
// Source: https://github.com/bentonow/bento-laravel-sdk
func (c *Client) ListFormResponses(ctx context.Context, form string, opts ...CallOption) ([]FormResponse, error) {
	if err := checkGiven(gen.OpListFormResponses, "form", form); err != nil {
		return nil, err
	}
	list, err := call[gen.FormResponseList](ctx, c, gen.OpListFormResponses, opts, func(ctx context.Context) (*http.Response, error) {
		return c.api.ListFormResponses(ctx, &gen.ListFormResponsesParams{ID: form})
	})
	return list.Data, err
}
