package bento

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"example.com/bento-go/gen"
)

// Tag is a label that people carry.
type Tag = gen.Tag

// ListTags returns every tag of the site; no paging is documented.
//
// Contract: GET /fetch/tags (openapi.yaml, listTags).
func (c *Client) ListTags(ctx context.Context) ([]Tag, error) {
	list, err := call[gen.TagList](ctx, c, gen.OpListTags, func(ctx context.Context) (*http.Response, error) {
		return c.api.ListTags(ctx)
	})
	return list.Data, err
}

// CreateTag creates a tag. Tags that a subscriber or an event uses come into being by
// themselves.
//
// Contract: POST /fetch/tags (openapi.yaml, createTag).
func (c *Client) CreateTag(ctx context.Context, name string) (*Tag, error) {
	if strings.TrimSpace(name) == "" {
		return nil, invalid(gen.OpCreateTag, errors.New("name is empty: a tag needs one"))
	}
	envelope, err := call[gen.TagEnvelope](ctx, c, gen.OpCreateTag, func(ctx context.Context) (*http.Response, error) {
		return c.api.CreateTag(ctx, gen.CreateTagBody{Tag: gen.NewTag{Name: name}})
	})
	if err != nil {
		return nil, err
	}
	return &envelope.Data, nil
}
