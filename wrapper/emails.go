package bento

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"example.com/bento-go/gen"
)

// Email is one email to one person. To, From, Subject and HTMLBody are required, From is an
// Author of the account. Transactional reaches unsubscribed people too.
type Email = gen.Email

// SendEmails queues emails in batches of at most [gen.MaxEmails]; Bento sends them at a pace of
// its own, which the contract names.
// Results and errors are as with [Client.TrackEvents], with one difference: no batch is sent
// twice unless the caller asks for it, since Bento has no idempotency key. Emails of a batch that
// ended in a 5xx, or whose answer was lost, count as Unknown, and a person decides.
// [RetryPolicy.RejectedEmails] repeats batches that surely were not accepted, and
// [WithHarmlessRepeat] all.
//
// Contract: POST /batch/emails (openapi.yaml, sendEmails).
// Source: https://bentonow.com/docs/emails_api
func (c *Client) SendEmails(ctx context.Context, emails []Email, opts ...BatchOption) (*Result, error) {
	return c.emails().all(ctx, emails, opts)
}

// SendEmailsSeq is [Client.SendEmails] for a sequence of any length; it holds no more than the
// batches that are under way. When the call ends early the rest of the sequence is not read.
func (c *Client) SendEmailsSeq(ctx context.Context, emails iter.Seq[Email], opts ...BatchOption) (*Result, error) {
	return c.emails().seq(ctx, emails, opts)
}

func (c *Client) emails() batcher[Email] {
	return batcher[Email]{
		client: c, operation: gen.OpSendEmails, check: checkEmail,
		send: (*gen.Client).SendEmailsWithBody,
	}
}

func checkEmail(e Email) error {
	if err := errors.Join(checkAddress("to", e.To), checkAddress("from", e.From)); err != nil {
		return err
	}
	if strings.ContainsAny(e.Subject, "\r\n\x00") {
		return errors.New("subject holds a line break: a subject is one line")
	}
	for _, required := range []struct{ name, value string }{{"subject", e.Subject}, {"html_body", e.HTMLBody}} {
		if required.value == "" {
			return fmt.Errorf("%s is empty: every email needs one", required.name)
		}
	}
	return nil
}
