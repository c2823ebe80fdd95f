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

// ListBroadcasts returns one page of the broadcasts of the site, from page 1; a page past the
// end is empty.
//
// Contract: GET /fetch/broadcasts (openapi.yaml, listBroadcasts).
func (c *Client) ListBroadcasts(ctx context.Context, page int) ([]Broadcast, error) {
	if page < 1 {
		return nil, invalid(gen.OpListBroadcasts, fmt.Errorf("page is %d: pages start at 1", page))
	}
	list, err := call[gen.BroadcastList](ctx, c, gen.OpListBroadcasts, func(ctx context.Context) (*http.Response, error) {
		return c.api.ListBroadcasts(ctx, &gen.ListBroadcastsParams{Page: &page})
	})
	return list.Data, err
}

// Broadcasts walks every page, asking for the next one only after the last one succeeded and
// was used up. An error is yielded once, with a zero Broadcast, and ends the sequence.
//
// Contract: GET /fetch/broadcasts (openapi.yaml, listBroadcasts).
func (c *Client) Broadcasts(ctx context.Context) iter.Seq2[Broadcast, error] {
	return pages(gen.OpListBroadcasts, func(page int) ([]Broadcast, error) {
		return c.ListBroadcasts(ctx, page)
	}, func(b Broadcast) string { return b.ID })
}
