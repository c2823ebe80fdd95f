package main

import (
	"context"
	"encoding/json"
	"iter"

	"github.com/spf13/pflag"

	"example.com/bento-go/gen"
	bento "example.com/bento-go/wrapper"
)

const (
	conversationColumns = "id status contact.email last_message"
	conversationMore    = "contact.name contact.phone_number inbox.name assignee.email url"
)

// chat are the readings of conversations.
func chat() []reading {
	return []reading{
		conversations(),
		{
			operation: gen.OpListConversationsByEmail, use: "conversations-with EMAIL", short: "List the conversations with a person",
			long: "Lists the conversations with the person of an address.", example: "conversations-with ari@example.com",
			args: asUsed, columns: conversationColumns, more: conversationMore, held: "conversations",
			list: func(ctx context.Context, q *query, _ int) error {
				_, err := q.client.ConversationsByEmail(ctx, q.args[0], q.keep())
				return err
			},
		},
		{
			operation: gen.OpGetConversation, use: "conversation ID", short: "Show a conversation", example: "conversation 12 --json",
			long: "Shows the conversation with a number that `get conversations` lists, and its recent messages.",
			args: asUsed, columns: conversationColumns, more: conversationMore + " messages", plain: true,
			one: func(ctx context.Context, q *query) error {
				id, err := numberOf("conversation", q.args[0])
				if err != nil {
					return err
				}
				_, err = q.client.Conversation(ctx, id, q.keep())
				return err
			},
		},
		{
			operation: gen.OpListInboxes, use: "inboxes", short: "List the inboxes", example: "inboxes",
			long:    "Lists the inboxes of the site, in which conversations come in.",
			columns: "id name channel_type email", more: "greeting_enabled greeting_message timezone", held: "inboxes",
			list: func(ctx context.Context, q *query, _ int) error {
				_, err := q.client.ListInboxes(ctx, q.keep())
				return err
			},
		},
	}
}

func conversations() reading {
	var filters bento.ConversationFilters
	return reading{
		operation: gen.OpListConversations, use: "conversations", short: "List the conversations",
		long:    "Lists the conversations that match every filter.",
		example: "conversations --status open --assignee unassigned\nconversations --all --format csv > conversations.csv",
		flags: func(f *pflag.FlagSet) {
			option(f, &filters.Status, "status", "open, resolved, pending, snoozed or all", gen.ConversationFilterOpen, gen.ConversationFilterResolved,
				gen.ConversationFilterPending, gen.ConversationFilterSnoozed, gen.ConversationFilterAll)
			option(f, &filters.AssigneeType, "assignee", "in these hands: me, unassigned, assigned or all", gen.AssigneeTypeMe,
				gen.AssigneeTypeUnassigned, gen.AssigneeTypeAssigned, gen.AssigneeTypeAll)
			option(f, &filters.Q, "query", "this text is found in them")
			f.Func("inbox", "of this inbox, by number", func(text string) error {
				id, err := numberOf("inbox", text)
				filters.InboxID = &id
				return err
			})
		},
		columns: conversationColumns, more: conversationMore, held: "conversations",
		list: func(ctx context.Context, q *query, page int) error {
			_, err := q.client.ListConversations(ctx, filters, page, q.keep())
			return err
		},
		all: func(ctx context.Context, q *query) iter.Seq2[[]json.RawMessage, error] {
			return walked(q, q.client.Conversations(ctx, filters, q.keep()))
		},
	}
}
