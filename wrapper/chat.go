package bento

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"

	"example.com/bento-go/gen"
)

// Conversation is what was written to and fro with a person. Lists leave out its messages.
type Conversation = gen.Conversation

// Inbox is where conversations come in: an address, or a chat on a page.
type Inbox = gen.Inbox

// ConversationFilters select conversations; those of all filters that are set.
type ConversationFilters = gen.ListConversationsParams

// ConversationStart is a message to a person, with whom there may be a conversation already. ContactName is for
// a contact who is new, MailSubject for an inbox of mail.
type ConversationStart = gen.StartConversationBody

// ListConversations returns one page of the conversations that match the filters, whose Page it sets
// itself, from page 1; a page past the end is empty.
//
// Contract: GET /chat/conversations (openapi.yaml, listConversations).
// Source: https://github.com/bentonow/api
func (c *Client) ListConversations(ctx context.Context, filters ConversationFilters, page int, opts ...CallOption) ([]Conversation, error) {
	if err := checkPage(gen.OpListConversations, page); err != nil {
		return nil, err
	}
	filters.Page = &page
	list, err := call[gen.ConversationList](ctx, c, gen.OpListConversations, opts, func(ctx context.Context) (*http.Response, error) {
		return c.api.ListConversations(ctx, &filters)
	})
	return list.Conversations, err
}

// Conversations walks every page, as [Client.Broadcasts] does.
//
// Contract: GET /chat/conversations (openapi.yaml, listConversations).
// Source: https://github.com/bentonow/api
func (c *Client) Conversations(ctx context.Context, filters ConversationFilters, opts ...CallOption) iter.Seq2[Conversation, error] {
	return pages(gen.OpListConversations, func(page int) ([]Conversation, error) {
		return c.ListConversations(ctx, filters, page, opts...)
	}, func(one Conversation) gen.ID { return gen.ID(fmt.Sprint(one.ID)) })
}

// ConversationsByEmail returns the contact with the address and the conversations with them; no
// paging is documented.
//
// Contract: GET /chat/conversations/by_email (openapi.yaml, listConversationsByEmail).
// Source: https://github.com/bentonow/api
func (c *Client) ConversationsByEmail(ctx context.Context, email string, opts ...CallOption) (gen.ContactConversations, error) {
	if err := checkAddress("email", email); err != nil {
		return gen.ContactConversations{}, invalid(gen.OpListConversationsByEmail, err)
	}
	return call[gen.ContactConversations](ctx, c, gen.OpListConversationsByEmail, opts, func(ctx context.Context) (*http.Response, error) {
		return c.api.ListConversationsByEmail(ctx, &gen.ListConversationsByEmailParams{ContactEmail: email})
	})
}

// Conversation returns the conversation with the number, and its recent messages.
//
// Contract: GET /chat/conversations/{id} (openapi.yaml, getConversation).
// Source: https://github.com/bentonow/api
func (c *Client) Conversation(ctx context.Context, id int, opts ...CallOption) (Conversation, error) {
	if err := checkConversation(gen.OpGetConversation, id); err != nil {
		return Conversation{}, err
	}
	return call[Conversation](ctx, c, gen.OpGetConversation, opts, func(ctx context.Context) (*http.Response, error) {
		return c.api.GetConversation(ctx, id)
	})
}

// ListInboxes returns every inbox of the site; no paging is documented.
//
// Contract: GET /chat/inboxes (openapi.yaml, listInboxes).
// Source: https://github.com/bentonow/api
func (c *Client) ListInboxes(ctx context.Context, opts ...CallOption) ([]Inbox, error) {
	list, err := call[gen.InboxList](ctx, c, gen.OpListInboxes, opts, func(ctx context.Context) (*http.Response, error) {
		return c.api.ListInboxes(ctx)
	})
	return list.Inboxes, err
}

// StartConversation writes to a person in an inbox that [Client.ListInboxes] lists, in the
// conversation with them or in a new one. A repeat writes twice, so it is sent again only if it surely
// was not accepted; when no answer came, the error is [ErrOutcomeUnknown].
//
// Contract: POST /chat/messages (openapi.yaml, startConversation).
// Source: https://github.com/bentonow/api
func (c *Client) StartConversation(ctx context.Context, start ConversationStart, opts ...CallOption) (gen.MessageResult, error) {
	err := checkAddress("contact_email", start.ContactEmail)
	if start.InboxID < 1 {
		err = errors.Join(err, fmt.Errorf("inbox_id is %d: want the number of an inbox", start.InboxID))
	}
	if start.MessageContent == "" {
		err = errors.Join(err, errors.New("message_content is empty: say something"))
	}
	if err != nil {
		return gen.MessageResult{}, invalid(gen.OpStartConversation, err)
	}
	return call[gen.MessageResult](ctx, c, gen.OpStartConversation, opts, func(ctx context.Context) (*http.Response, error) {
		return c.api.StartConversation(ctx, start)
	})
}

// ReplyToConversation writes what the person gets to read. Repeats and errors are as with
// [Client.StartConversation].
//
// Contract: POST /chat/conversations/{id}/messages (openapi.yaml, replyToConversation).
// Source: https://github.com/bentonow/api
func (c *Client) ReplyToConversation(ctx context.Context, id int, content string, opts ...CallOption) (gen.MessageResult, error) {
	err := errors.Join(checkConversation(gen.OpReplyToConversation, id), checkGiven(gen.OpReplyToConversation, "content", content))
	if err != nil {
		return gen.MessageResult{}, err
	}
	return call[gen.MessageResult](ctx, c, gen.OpReplyToConversation, opts, func(ctx context.Context) (*http.Response, error) {
		return c.api.ReplyToConversation(ctx, id, gen.ReplyToConversationBody{MessageContent: content})
	})
}

// AddConversationNote writes what only the team gets to read. Repeats and errors are as with
// [Client.StartConversation].
//
// Contract: POST /chat/conversations/{id}/notes (openapi.yaml, addConversationNote).
// Source: https://github.com/bentonow/api
func (c *Client) AddConversationNote(ctx context.Context, id int, content string, opts ...CallOption) (gen.MessageResult, error) {
	err := errors.Join(checkConversation(gen.OpAddConversationNote, id), checkGiven(gen.OpAddConversationNote, "content", content))
	if err != nil {
		return gen.MessageResult{}, err
	}
	return call[gen.MessageResult](ctx, c, gen.OpAddConversationNote, opts, func(ctx context.Context) (*http.Response, error) {
		return c.api.AddConversationNote(ctx, id, gen.AddConversationNoteBody{Content: content})
	})
}

// SetConversationStatus opens a conversation, resolves it or puts it off (gen.ConversationStatus…), and
// returns what Bento says of it.
//
// Contract: POST /chat/conversations/{id}/status (openapi.yaml, setConversationStatus).
// Source: https://github.com/bentonow/api
func (c *Client) SetConversationStatus(ctx context.Context, id int, status gen.ConversationStatus, opts ...CallOption) (gen.ConversationStatusResult, error) {
	if err := checkConversation(gen.OpSetConversationStatus, id); err != nil {
		return gen.ConversationStatusResult{}, err
	}
	if !status.Valid() {
		return gen.ConversationStatusResult{}, invalid(gen.OpSetConversationStatus, errors.New("no such status: want open, resolved, pending or snoozed"))
	}
	return call[gen.ConversationStatusResult](ctx, c, gen.OpSetConversationStatus, opts, func(ctx context.Context) (*http.Response, error) {
		return c.api.SetConversationStatus(ctx, id, gen.SetConversationStatusBody{Status: status})
	})
}

func checkConversation(operation string, id int) error {
	if id < 1 {
		return invalid(operation, fmt.Errorf("id is %d: want the number of a conversation", id))
	}
	return nil
}
