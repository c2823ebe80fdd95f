package bento

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"example.com/bento-go/gen"
)

// Email is one email to one person. To, From and Subject are required, and a body: HTMLBody,
// TextBody, both, or a LayoutID. From is an Author of the account. Transactional reaches
// unsubscribed people too.
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
	for _, line := range []struct{ name, value string }{{"subject", e.Subject}, {"cc", e.CC}, {"reply_to", e.ReplyTo}} {
		if strings.ContainsAny(line.value, "\r\n\x00") {
			return fmt.Errorf("%s holds a line break: it is one line", line.name)
		}
	}
	switch {
	case e.Subject == "":
		return errors.New("subject is empty: every email needs one")
	case e.HTMLBody == "" && e.TextBody == "" && e.LayoutID == "":
		return errors.New("html_body is empty, and so are text_body and layout_id: every email needs one of them")
	}
	return nil
}
