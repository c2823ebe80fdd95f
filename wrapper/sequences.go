package bento

import (
	"context"
	"iter"
	"net/http"

	"example.com/bento-go/gen"
)

// Sequence is a row of emails that follow one another.
type Sequence = gen.Sequence

// SequenceEmail is an email to append to a sequence.
type SequenceEmail = gen.SequenceEmail

// ListSequences returns one page of the sequences of the site, from page 1.
//
// Contract: GET /fetch/sequences (openapi.yaml, listSequences).
// Source: https://bentonow.com/docs/sequences_api
func (c *Client) ListSequences(ctx context.Context, page int, opts ...CallOption) ([]Sequence, error) {
	if err := checkPage(gen.OpListSequences, page); err != nil {
		return nil, err
	}
	list, err := call[gen.SequenceList](ctx, c, gen.OpListSequences, opts, func(ctx context.Context) (*http.Response, error) {
		return c.api.ListSequences(ctx, &gen.ListSequencesParams{Page: &page})
	})
	return list.Data, err
}

// Sequences walks every page, as [Client.Broadcasts] does.
//
// Contract: GET /fetch/sequences (openapi.yaml, listSequences).
// Source: https://bentonow.com/docs/sequences_api
func (c *Client) Sequences(ctx context.Context, opts ...CallOption) iter.Seq2[Sequence, error] {
	return pages(gen.OpListSequences, func(page int) ([]Sequence, error) {
		return c.ListSequences(ctx, page, opts...)
	}, func(s Sequence) gen.ID { return s.ID })
}

// CreateSequenceEmail appends an email to the sequence with the id that [Client.ListSequences]
// answers with. It is not repeated unless it surely was not accepted: a repeat appends a second.
//
// Contract: POST /fetch/sequences/{id}/emails/templates (openapi.yaml, createSequenceEmail).
// Source: https://bentonow.com/docs/sequences_api
func (c *Client) CreateSequenceEmail(ctx context.Context, sequence string, email SequenceEmail, opts ...CallOption) (*EmailTemplate, error) {
	if err := checkGiven(gen.OpCreateSequenceEmail, "sequence", sequence); err != nil {
		return nil, err
	}
	envelope, err := call[gen.EmailTemplateEnvelope](ctx, c, gen.OpCreateSequenceEmail, opts, func(ctx context.Context) (*http.Response, error) {
		return c.api.CreateSequenceEmail(ctx, sequence, gen.CreateSequenceEmailBody{EmailTemplate: email})
	})
	return required(gen.OpCreateSequenceEmail, envelope.Data, err)
}
