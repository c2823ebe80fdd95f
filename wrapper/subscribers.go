package bento

import (
	"context"
	"errors"
	"iter"
	"net/http"

	"example.com/bento-go/gen"
)

// SubscriberRecord is a person to create or update. Email is required; what is left out stays
// as it is in Bento; AdditionalProperties holds the custom fields.
type SubscriberRecord = gen.SubscriberRecord

// Subscriber is a person as Bento knows them.
type Subscriber = gen.Subscriber

// ImportSubscribers creates and updates people, in batches of at most [gen.MaxSubscribers],
// and triggers no automation. An import is an upsert: a batch whose answer was lost is simply
// sent again. Results and errors are as with [Client.TrackEvents]. How soon Bento shows what it
// took, the contract says (gen.Operation.Async).
//
// Contract: POST /batch/subscribers (openapi.yaml, importSubscribers).
// Source: https://bentonow.com/docs/subscribers
func (c *Client) ImportSubscribers(ctx context.Context, records []SubscriberRecord, opts ...BatchOption) (*Result, error) {
	return c.subscribers().all(ctx, records, opts)
}

// ImportSubscribersSeq is [Client.ImportSubscribers] for a sequence of any length; it holds
// no more than the batches that are under way. When the call ends early the rest of the sequence
// is not read.
func (c *Client) ImportSubscribersSeq(ctx context.Context, records iter.Seq[SubscriberRecord], opts ...BatchOption) (*Result, error) {
	return c.subscribers().seq(ctx, records, opts)
}

func (c *Client) subscribers() batcher[SubscriberRecord] {
	return batcher[SubscriberRecord]{
		client: c, operation: gen.OpImportSubscribers, check: checkSubscriber,
		send: (*gen.Client).ImportSubscribersWithBody,
	}
}

// SubscriberByEmail finds a person by address. Nobody is nil without an error: Bento does not
// answer 404 for somebody unknown.
//
// Contract: GET /fetch/subscribers (openapi.yaml, getSubscriber).
// Source: https://bentonow.com/docs/subscribers
func (c *Client) SubscriberByEmail(ctx context.Context, email string, opts ...CallOption) (*Subscriber, error) {
	if err := checkAddress("email", email); err != nil {
		return nil, invalid(gen.OpGetSubscriber, err)
	}
	return c.subscriber(ctx, gen.GetSubscriberParams{Email: &email}, opts)
}

// SubscriberByUUID finds a person by Bento's identifier; nobody is nil without an error.
//
// Contract: GET /fetch/subscribers (openapi.yaml, getSubscriber).
// Source: https://bentonow.com/docs/subscribers
func (c *Client) SubscriberByUUID(ctx context.Context, uuid string, opts ...CallOption) (*Subscriber, error) {
	if uuid == "" {
		return nil, invalid(gen.OpGetSubscriber, errors.New("uuid is empty: give the one Bento answered with"))
	}
	return c.subscriber(ctx, gen.GetSubscriberParams{UUID: &uuid}, opts)
}

func (c *Client) subscriber(ctx context.Context, params gen.GetSubscriberParams, opts []CallOption) (*Subscriber, error) {
	envelope, err := call[gen.SubscriberEnvelope](ctx, c, gen.OpGetSubscriber, opts, func(ctx context.Context) (*http.Response, error) {
		return c.api.GetSubscriber(ctx, &params)
	})
	return envelope.Data.Value, err
}

// CreateSubscriber returns the person with the address, who is created if need be. To set
// names, tags or fields, import. It may trigger automations.
//
// Contract: POST /fetch/subscribers (openapi.yaml, createSubscriber).
// Source: https://bentonow.com/docs/subscribers
func (c *Client) CreateSubscriber(ctx context.Context, email string, opts ...CallOption) (*Subscriber, error) {
	if err := checkAddress("email", email); err != nil {
		return nil, invalid(gen.OpCreateSubscriber, err)
	}
	envelope, err := call[gen.SubscriberEnvelope](ctx, c, gen.OpCreateSubscriber, opts, func(ctx context.Context) (*http.Response, error) {
		return c.api.CreateSubscriber(ctx, gen.CreateSubscriberBody{Subscriber: gen.NewSubscriber{Email: email}})
	})
	return required(gen.OpCreateSubscriber, envelope.Data, err)
}

// ListSubscribers returns one page of the people who match the filters, whose Page it sets
// itself, from page 1; a page past the end is empty. Enterprise only. How the filters travel is
// uncertain: see the contract.
//
// Contract: GET /fetch/search (openapi.yaml, searchSubscribers).
// Source: https://bentonow.com/docs/subscribers
func (c *Client) ListSubscribers(ctx context.Context, filters gen.SearchSubscribersParams, page int, opts ...CallOption) ([]Subscriber, error) {
	if err := checkPage(gen.OpSearchSubscribers, page); err != nil {
		return nil, err
	}
	filters.Page = &page
	list, err := call[gen.SubscriberList](ctx, c, gen.OpSearchSubscribers, opts, func(ctx context.Context) (*http.Response, error) {
		return c.api.SearchSubscribers(ctx, &filters)
	})
	return list.Data, err
}

// SearchSubscribers walks every page of what [Client.ListSubscribers] lists, as
// [Client.Broadcasts] does.
//
// Contract: GET /fetch/search (openapi.yaml, searchSubscribers).
// Source: https://bentonow.com/docs/subscribers
func (c *Client) SearchSubscribers(ctx context.Context, filters gen.SearchSubscribersParams, opts ...CallOption) iter.Seq2[Subscriber, error] {
	return pages(gen.OpSearchSubscribers, func(page int) ([]Subscriber, error) {
		return c.ListSubscribers(ctx, filters, page, opts...)
	}, func(s Subscriber) gen.ID { return s.ID })
}

func checkSubscriber(r SubscriberRecord) error { return checkAddress("email", r.Email) }
