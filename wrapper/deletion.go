package bento

import (
	"context"
	"net/http"

	"example.com/bento-go/gen"
)

// RequestDataDeletion queues the anonymisation of a person, for the GDPR. It cannot be undone.
// Somebody unknown, perhaps already deleted, is [ErrNotFound].
//
// Contract: POST /data_deletion_requests (openapi.yaml, requestDataDeletion).
// Source: https://bentonow.com/docs/data_deletion_requests_api
func (c *Client) RequestDataDeletion(ctx context.Context, email string, opts ...CallOption) error {
	if err := checkAddress("email", email); err != nil {
		return invalid(gen.OpRequestDataDeletion, err)
	}
	_, err := call[gen.DataDeletionResult](ctx, c, gen.OpRequestDataDeletion, opts, func(ctx context.Context) (*http.Response, error) {
		site := c.site()
		return c.api.RequestDataDeletionWithFormdataBody(ctx, gen.DataDeletionBody{SiteUUID: &site, DataDeletionRequest: gen.NewSubscriber{Email: email}})
	})
	return err
}
