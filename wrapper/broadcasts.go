package bento

import (
	"context"
	"fmt"
	"iter"
	"net/http"

	"example.com/bento-go/gen"
)

// Broadcast is an email to many.
type Broadcast = gen.Broadcast

// BroadcastDraft is a broadcast to create.
type BroadcastDraft = gen.BroadcastDraft

// BroadcastFilters select broadcasts. Without a status (gen.BroadcastStatus…) Bento lists those
// that were sent. How certain each filter is stands in the contract.
type BroadcastFilters = gen.ListBroadcastsParams

// ListBroadcasts returns one page of the broadcasts that match the filters, whose Page it sets
// itself, from page 1; a page past the end is empty.
//
// Contract: GET /fetch/broadcasts (openapi.yaml, listBroadcasts).
// Source: https://bentonow.com/docs/broadcasts
func (c *Client) ListBroadcasts(ctx context.Context, filters BroadcastFilters, page int, opts ...CallOption) ([]Broadcast, error) {
	if err := checkPage(gen.OpListBroadcasts, page); err != nil {
		return nil, err
	}
	filters.Page = &page
	list, err := call[gen.BroadcastList](ctx, c, gen.OpListBroadcasts, opts, func(ctx context.Context) (*http.Response, error) {
		return c.api.ListBroadcasts(ctx, &filters)
	})
	return list.Data, err
}

// Broadcasts walks every page, asking for the next one only after the last one succeeded and
// was used up. An error is yielded once, with a zero Broadcast, and ends the sequence.
//
// Contract: GET /fetch/broadcasts (openapi.yaml, listBroadcasts).
// Source: https://bentonow.com/docs/broadcasts
func (c *Client) Broadcasts(ctx context.Context, filters BroadcastFilters, opts ...CallOption) iter.Seq2[Broadcast, error] {
	return pages(gen.OpListBroadcasts, func(page int) ([]Broadcast, error) {
		return c.ListBroadcasts(ctx, filters, page, opts...)
	}, func(b Broadcast) gen.ID { return b.ID })
}

// CreateBroadcasts creates at most [gen.MaxBroadcasts] drafts in one request, which is not
// repeated unless it surely was not accepted: a repeat makes second drafts. The result is not
// nil if Bento accepted the request. Drafts that Bento refused are the problems of a [*BatchError], each
// with its position and Bento's reason.
//
// Contract: POST /batch/broadcasts (openapi.yaml, createBroadcasts).
// Source: https://bentonow.com/docs/broadcasts
func (c *Client) CreateBroadcasts(ctx context.Context, drafts []BroadcastDraft, opts ...CallOption) (*gen.CreateBroadcastsResult, error) {
	if len(drafts) == 0 || len(drafts) > gen.MaxBroadcasts {
		return nil, invalid(gen.OpCreateBroadcasts, fmt.Errorf("%d drafts: want 1 to %d", len(drafts), gen.MaxBroadcasts))
	}
	answer, err := call[gen.CreateBroadcastsResult](ctx, c, gen.OpCreateBroadcasts, opts, func(ctx context.Context) (*http.Response, error) {
		return c.api.CreateBroadcasts(ctx, gen.CreateBroadcastsBody{Broadcasts: drafts})
	})
	if err != nil {
		return nil, err
	}
	return &answer, c.refusedDrafts(answer, len(drafts))
}

// refusedDrafts is nil if every draft was accepted.
func (c *Client) refusedDrafts(answer gen.CreateBroadcastsResult, n int) error {
	counted := gen.BatchResult{Results: answer.Results, Failed: new(answer.Failed)}
	for _, f := range answer.Failures {
		counted.Errors = append(counted.Errors, gen.RecordError{Index: f.Index, Error: f.Error})
	}
	result := Result{Read: n, Requests: 1}
	for _, p := range c.tally(counted, n) {
		result.add(p)
	}
	if result.Accepted == n {
		return nil
	}
	return &BatchError{Operation: gen.OpCreateBroadcasts, Result: result}
}
