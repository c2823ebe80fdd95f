package bento

import (
	"context"
	"net/http"

	"example.com/bento-go/gen"
)

// Segment is a group of people by a rule.
type Segment = gen.Segment

// ListSegments returns every segment of the site that is in use.
//
// Contract: GET /fetch/segments (openapi.yaml, listSegments).
// Source: https://bentonow.com/docs/segments_api
func (c *Client) ListSegments(ctx context.Context, opts ...CallOption) ([]Segment, error) {
	list, err := call[gen.SegmentList](ctx, c, gen.OpListSegments, opts, func(ctx context.Context) (*http.Response, error) {
		return c.api.ListSegments(ctx)
	})
	return list.Data, err
}

// Segment returns one segment.
//
// Contract: GET /fetch/segments/{id} (openapi.yaml, getSegment).
// Source: https://bentonow.com/docs/segments_api
func (c *Client) Segment(ctx context.Context, id string, opts ...CallOption) (*Segment, error) {
	if err := checkGiven(gen.OpGetSegment, "id", id); err != nil {
		return nil, err
	}
	envelope, err := call[gen.SegmentEnvelope](ctx, c, gen.OpGetSegment, opts, func(ctx context.Context) (*http.Response, error) {
		return c.api.GetSegment(ctx, id)
	})
	return required(gen.OpGetSegment, envelope.Data, err)
}

// MatchSegment reports whether a person of that address is in the segment. Bento answers 120 of
// these a minute for each segment.
//
// Contract: POST /fetch/segments/{id}/match (openapi.yaml, matchSegment).
// Source: https://github.com/bentonow/api
func (c *Client) MatchSegment(ctx context.Context, id, email string, opts ...CallOption) (bool, error) {
	if err := checkGiven(gen.OpMatchSegment, "id", id); err != nil {
		return false, err
	}
	if err := checkAddress("email", email); err != nil {
		return false, invalid(gen.OpMatchSegment, err)
	}
	envelope, err := call[gen.SegmentMatchEnvelope](ctx, c, gen.OpMatchSegment, opts, func(ctx context.Context) (*http.Response, error) {
		return c.api.MatchSegment(ctx, id, gen.MatchSegmentBody{Email: email})
	})
	match, err := required(gen.OpMatchSegment, envelope.Data, err)
	return err == nil && match.Match, err
}
