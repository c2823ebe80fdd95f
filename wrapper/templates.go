package bento

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"example.com/bento-go/gen"
)

// EmailTemplate is an email of a sequence or workflow.
type EmailTemplate = gen.EmailTemplate

// EmailTemplateChange is what to change of a template; nil leaves a member as it is.
type EmailTemplateChange = gen.EmailTemplateChange

// EmailTemplate returns the template with the number that sequences and workflows list.
//
// Contract: GET /fetch/emails/templates/{id} (openapi.yaml, getEmailTemplate).
// Source: https://bentonow.com/docs/email_templates_api
func (c *Client) EmailTemplate(ctx context.Context, id int, opts ...CallOption) (*EmailTemplate, error) {
	if err := checkTemplate(gen.OpGetEmailTemplate, id); err != nil {
		return nil, err
	}
	envelope, err := call[gen.EmailTemplateEnvelope](ctx, c, gen.OpGetEmailTemplate, opts, func(ctx context.Context) (*http.Response, error) {
		return c.api.GetEmailTemplate(ctx, id)
	})
	return required(gen.OpGetEmailTemplate, envelope.Data, err)
}

// UpdateEmailTemplate replaces subject, body, or both, for every send from now on. The body
// must keep {{ visitor.unsubscribe_url }}.
//
// Contract: PATCH /fetch/emails/templates/{id} (openapi.yaml, updateEmailTemplate).
// Source: https://bentonow.com/docs/email_templates_api
func (c *Client) UpdateEmailTemplate(ctx context.Context, id int, change EmailTemplateChange, opts ...CallOption) (*EmailTemplate, error) {
	if err := checkTemplate(gen.OpUpdateEmailTemplate, id); err != nil {
		return nil, err
	}
	if change.Subject == nil && change.HTML == nil {
		return nil, invalid(gen.OpUpdateEmailTemplate, errors.New("nothing to change: set Subject, HTML, or both"))
	}
	envelope, err := call[gen.EmailTemplateEnvelope](ctx, c, gen.OpUpdateEmailTemplate, opts, func(ctx context.Context) (*http.Response, error) {
		return c.api.UpdateEmailTemplate(ctx, id, gen.UpdateEmailTemplateBody{EmailTemplate: change})
	})
	return required(gen.OpUpdateEmailTemplate, envelope.Data, err)
}

func checkTemplate(operation string, id int) error {
	if id < 1 {
		return invalid(operation, fmt.Errorf("id is %d: want the number of a template", id))
	}
	return nil
}
