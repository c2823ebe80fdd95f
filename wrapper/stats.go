package bento

import (
	"context"
	"net/http"

	"example.com/bento-go/gen"
)

// PeopleCount counts people, and how many are subscribed.
type PeopleCount = gen.PeopleCount

// SiteStats counts the people of the site. Statistics allow few requests an hour: keep what you
// read.
//
// Contract: GET /stats/site (openapi.yaml, getSiteStats).
// Source: https://bentonow.com/docs/stats
func (c *Client) SiteStats(ctx context.Context, opts ...CallOption) (PeopleCount, error) {
	return call[PeopleCount](ctx, c, gen.OpGetSiteStats, opts, func(ctx context.Context) (*http.Response, error) {
		return c.api.GetSiteStats(ctx)
	})
}

// SegmentStats counts the people of a segment.
//
// Contract: GET /stats/segment (openapi.yaml, getSegmentStats).
// Source: https://bentonow.com/docs/stats
func (c *Client) SegmentStats(ctx context.Context, segment string, opts ...CallOption) (PeopleCount, error) {
	if err := checkGiven(gen.OpGetSegmentStats, "segment", segment); err != nil {
		return PeopleCount{}, err
	}
	return call[PeopleCount](ctx, c, gen.OpGetSegmentStats, opts, func(ctx context.Context) (*http.Response, error) {
		return c.api.GetSegmentStats(ctx, &gen.GetSegmentStatsParams{SegmentID: segment})
	})
}

// Report returns the numbers of a report made in Bento: Data is a float64 for a counter and a
// []any of points for a chart.
//
// Contract: GET /stats/report (openapi.yaml, getReport).
// Source: https://bentonow.com/docs/stats
func (c *Client) Report(ctx context.Context, id string, opts ...CallOption) (gen.Report, error) {
	if err := checkGiven(gen.OpGetReport, "id", id); err != nil {
		return gen.Report{}, err
	}
	return call[gen.Report](ctx, c, gen.OpGetReport, opts, func(ctx context.Context) (*http.Response, error) {
		return c.api.GetReport(ctx, &gen.GetReportParams{ReportID: id})
	})
}

// AdStats returns what advertising brought; the zero params ask for everything.
//
// Contract: GET /stats/ads (openapi.yaml, getAdStats).
// Source: https://bentonow.com/docs/stats
func (c *Client) AdStats(ctx context.Context, params gen.GetAdStatsParams, opts ...CallOption) (gen.AdStats, error) {
	return call[gen.AdStats](ctx, c, gen.OpGetAdStats, opts, func(ctx context.Context) (*http.Response, error) {
		return c.api.GetAdStats(ctx, &params)
	})
}
