package bento

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"example.com/bento-go/gen"
)

// A DeliveryWindow is the time that a question about deliveries is about. What is zero is Bento's
// to choose.
type DeliveryWindow struct{ Start, End time.Time }

// DeliveryReport returns the numbers of what became of emails in the window, by default of the last
// 24 hours. It needs Bento's transactional platform; a site without it gets [ErrForbidden]. Which
// numbers there are is not documented.
//
// Contract: GET /delivery/report (openapi.yaml, getDeliveryReport).
// Source: https://github.com/bentonow/api
func (c *Client) DeliveryReport(ctx context.Context, window DeliveryWindow, opts ...CallOption) (gen.DeliveryReport, error) {
	if err := window.check(); err != nil {
		return gen.DeliveryReport{}, invalid(gen.OpGetDeliveryReport, err)
	}
	return call[gen.DeliveryReport](ctx, c, gen.OpGetDeliveryReport, opts, func(ctx context.Context) (*http.Response, error) {
		return c.api.GetDeliveryReport(ctx, &gen.GetDeliveryReportParams{
			StartDate: optional(window.Start), EndDate: optional(window.End),
		})
	})
}

// maxDeliveryEvents is how many events an answer holds.
const maxDeliveryEvents = 100

// DeliveryEvents returns what happened to the emails to an address in the window, by default in the
// last 30 days: at most limit events, from 1 to 100, or 100 for a limit of 0. There are no pages; a
// narrower window shows what did not fit. It needs Bento's transactional platform; a site without it
// gets [ErrForbidden]. What is in an event is not documented.
//
// Contract: GET /delivery/events (openapi.yaml, listDeliveryEvents).
// Source: https://github.com/bentonow/api
func (c *Client) DeliveryEvents(ctx context.Context, email string, window DeliveryWindow, limit int, opts ...CallOption) ([]gen.Anything, error) {
	err := errors.Join(checkAddress("email", email), window.check())
	if limit < 0 || limit > maxDeliveryEvents {
		err = errors.Join(err, fmt.Errorf("limit is %d: want 1 to %d, or 0 for as many as Bento gives", limit, maxDeliveryEvents))
	}
	if err != nil {
		return nil, invalid(gen.OpListDeliveryEvents, err)
	}
	list, err := call[gen.DeliveryEventList](ctx, c, gen.OpListDeliveryEvents, opts, func(ctx context.Context) (*http.Response, error) {
		return c.api.ListDeliveryEvents(ctx, &gen.ListDeliveryEventsParams{
			Email: email, StartDate: optional(window.Start), EndDate: optional(window.End), Limit: optional(limit),
		})
	})
	return list.Events, err
}

func (w DeliveryWindow) check() error {
	if !w.End.IsZero() && w.Start.After(w.End) {
		return errors.New("the window starts after its end")
	}
	return nil
}
