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
// Source: https://bentonow.com/docs/tags_api
func (c *Client) ListTags(ctx context.Context, opts ...CallOption) ([]Tag, error) {
	list, err := call[gen.TagList](ctx, c, gen.OpListTags, opts, func(ctx context.Context) (*http.Response, error) {
		return c.api.ListTags(ctx)
	})
	return list.Data, err
}

// CreateTag creates a tag. Tags that a subscriber or an event uses come into being by
// themselves.
//
// Contract: POST /fetch/tags (openapi.yaml, createTag).
// Source: https://bentonow.com/docs/tags_api
func (c *Client) CreateTag(ctx context.Context, name string, opts ...CallOption) (*Tag, error) {
	if strings.TrimSpace(name) == "" {
		return nil, invalid(gen.OpCreateTag, errors.New("name is empty: a tag needs one"))
	}
	envelope, err := call[gen.TagEnvelope](ctx, c, gen.OpCreateTag, opts, func(ctx context.Context) (*http.Response, error) {
		return c.api.CreateTag(ctx, gen.CreateTagBody{Tag: gen.NewTag{Name: name}})
	})
	return required(gen.OpCreateTag, envelope.Data, err)
}

// DeleteTag discards the tag of that name, and restores it if it is discarded already: look at
// its DiscardedAt before. The name decides; Bento asks for the id, and does not look at it. The
// call is not repeated unless it surely was not accepted.
//
// Contract: DELETE /fetch/tags/{id} (openapi.yaml, deleteTag).
// Source: https://github.com/bentonow/api
func (c *Client) DeleteTag(ctx context.Context, id, name string, opts ...CallOption) error {
	if err := errors.Join(checkGiven(gen.OpDeleteTag, "id", id), checkGiven(gen.OpDeleteTag, "name", name)); err != nil {
		return err
	}
	_, err := call[gen.Message](ctx, c, gen.OpDeleteTag, opts, func(ctx context.Context) (*http.Response, error) {
		return c.api.DeleteTag(ctx, id, gen.CreateTagBody{Tag: gen.NewTag{Name: name}})
	})
	return err
}
