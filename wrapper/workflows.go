package bento

import (
	"context"
	"iter"
	"net/http"

	"example.com/bento-go/gen"
)

// Workflow is what happens when; it is made in Bento and only read here.
type Workflow = gen.Workflow

// ListWorkflows returns one page of the workflows of the site, from page 1.
//
// Contract: GET /fetch/workflows (openapi.yaml, listWorkflows).
// Source: https://bentonow.com/docs/workflows_api
func (c *Client) ListWorkflows(ctx context.Context, page int, opts ...CallOption) ([]Workflow, error) {
	if err := checkPage(gen.OpListWorkflows, page); err != nil {
		return nil, err
	}
	list, err := call[gen.WorkflowList](ctx, c, gen.OpListWorkflows, opts, func(ctx context.Context) (*http.Response, error) {
		return c.api.ListWorkflows(ctx, &gen.ListWorkflowsParams{Page: &page})
	})
	return list.Data, err
}

// Workflows walks every page, as [Client.Broadcasts] does.
//
// Contract: GET /fetch/workflows (openapi.yaml, listWorkflows).
// Source: https://bentonow.com/docs/workflows_api
func (c *Client) Workflows(ctx context.Context, opts ...CallOption) iter.Seq2[Workflow, error] {
	return pages(gen.OpListWorkflows, func(page int) ([]Workflow, error) {
		return c.ListWorkflows(ctx, page, opts...)
	}, func(w Workflow) gen.ID { return w.ID })
}
