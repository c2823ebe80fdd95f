package fake

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"example.com/bento-go/conformance"
	"example.com/bento-go/gen"
)

// inbox is the one inbox of a fake. Nobody writes from the other side, and nobody looks after a
// conversation.
var inbox = gen.Inbox{ID: 1, Name: "Support", ChannelType: "Channel::Email", Email: "support@example.com", Timezone: "UTC"}

const (
	// conversationsPerPage and recentMessages are said nowhere.
	conversationsPerPage, recentMessages = 25, 20
	// conversationSize and messageSize are about what they take without their texts.
	conversationSize, messageSize = 1 << 10, 256
)

func (s *state) listInboxes(*call) reply {
	return answer(http.StatusOK, gen.InboxList{Success: true, Inboxes: gen.List[gen.Inbox]{inbox}})
}

func (s *state) listConversations(c *call) reply {
	query := c.URL.Query()
	var all gen.List[gen.Conversation]
	for _, one := range s.chats {
		if matches(one, query.Get("status"), query.Get("assignee_type"), query.Get("inbox_id"), query.Get("q")) {
			all = append(all, withoutMessages(one))
		}
	}
	page := c.page()
	items := cut(all, page, conversationsPerPage)
	return answer(http.StatusOK, gen.ConversationList{Conversations: items, Meta: gen.ConversationListMeta{
		Count: gen.Number(len(items)), TotalCount: gen.Number(len(all)), Page: gen.Number(page), PerPage: conversationsPerPage,
	}})
}

func matches(one *gen.Conversation, status, assignee, inboxID, text string) bool {
	switch {
	case status != "" && status != "all" && status != one.Status:
		return false
	case assignee == string(gen.AssigneeTypeMe), assignee == string(gen.AssigneeTypeAssigned):
		return false
	case inboxID != "" && inboxID != strconv.Itoa(int(inbox.ID)):
		return false
	}
	holds := func(where string) bool { return strings.Contains(strings.ToLower(where), strings.ToLower(text)) }
	return holds(one.Contact.Email) || holds(one.Contact.Name) ||
		slices.ContainsFunc(one.Messages, func(m gen.ChatMessage) bool { return holds(m.Content) })
}

func withoutMessages(one *gen.Conversation) gen.Conversation {
	listed := *one
	listed.Messages = nil
	return listed
}

// listConversationsByEmail has nothing for somebody unknown; what Bento answers then is said nowhere.
func (s *state) listConversationsByEmail(c *call) reply {
	found := gen.ContactConversations{Conversations: gen.List[gen.Conversation]{}}
	if one := s.chatWith[strings.ToLower(c.URL.Query().Get("contact_email"))]; one != nil {
		found.Contact, found.Conversations = one.Contact, append(found.Conversations, withoutMessages(one))
	}
	return answer(http.StatusOK, map[string]any{"contact": found.Contact, "conversations": found.Conversations})
}

func (s *state) getConversation(c *call) reply {
	one := s.conversation(c)
	if one == nil {
		return noConversation()
	}
	recent := *one
	recent.Messages = one.Messages[max(0, len(one.Messages)-recentMessages):]
	return answer(http.StatusOK, recent)
}

// conversation is the one that a call names, or nil.
func (s *state) conversation(c *call) *gen.Conversation {
	n, err := strconv.Atoi(c.id())
	if err != nil || n < 1 || n > len(s.chats) {
		return nil
	}
	return s.chats[n-1]
}

func noConversation() reply { return fail(http.StatusNotFound, "Conversation not found") }

// startConversation goes on with the conversation that there is, whatever its status.
func (s *state) startConversation(c *call) reply {
	var body struct {
		InboxID gen.Number `json:"inbox_id"`
		Email   string     `json:"contact_email"`
		Name    string     `json:"contact_name"`
		Content string     `json:"message_content"`
	}
	switch err := json.Unmarshal(c.body, &body); {
	case err != nil || body.InboxID != inbox.ID:
		return fail(http.StatusNotFound, "Inbox not found")
	case !conformance.ValidEmail(body.Email):
		return objections(http.StatusUnprocessableEntity, fieldError{"contact_email", "is invalid"})
	}
	one := s.chatWith[strings.ToLower(body.Email)]
	if one == nil {
		if len(s.chats) >= maxKept || !s.fits(conversationSize+len(body.Email)+len(body.Name)) {
			return tooMuchChat()
		}
		id := len(s.chats) + 1
		one = &gen.Conversation{
			ID: gen.Number(id), Status: string(gen.ConversationStatusOpen), URL: "https://app.bentonow.com/conversations/" + strconv.Itoa(id),
			Contact: gen.Contact{ID: gen.Number(id), Name: body.Name, Email: body.Email},
			Inbox:   gen.ConversationInbox{ID: inbox.ID, Name: inbox.Name, InboxType: inbox.ChannelType},
		}
		s.converse(one)
	}
	return s.say(one, body.Content, false)
}

// converse makes a conversation known.
func (s *state) converse(one *gen.Conversation) {
	s.chats = append(s.chats, one)
	s.chatWith[strings.ToLower(one.Contact.Email)] = one
}

func (s *state) replyToConversation(c *call) reply {
	var body gen.ReplyToConversationBody
	_ = json.Unmarshal(c.body, &body)
	if one := s.conversation(c); one != nil {
		return s.say(one, body.MessageContent, false)
	}
	return noConversation()
}

func (s *state) addConversationNote(c *call) reply {
	var body gen.AddConversationNoteBody
	_ = json.Unmarshal(c.body, &body)
	if one := s.conversation(c); one != nil {
		return s.say(one, body.Content, true)
	}
	return noConversation()
}

// say appends a message, and answers with it.
func (s *state) say(one *gen.Conversation, content string, private bool) reply {
	if !s.fits(messageSize + len(content)) {
		return tooMuchChat()
	}
	s.said++
	message := gen.ChatMessage{
		ID: gen.Number(s.said), Content: content, MessageType: "outgoing", Private: gen.Flag(private), CreatedAt: s.time(), Sender: gen.MessageSender{},
	}
	one.Messages = append(one.Messages, message)
	if !private {
		one.LastMessage = content
	}
	return answer(http.StatusOK, gen.MessageResult{
		Success: true, Message: message, Contact: one.Contact, Conversation: gen.ConversationState{ID: one.ID, Status: one.Status},
	})
}

func tooMuchChat() reply {
	return fail(http.StatusUnprocessableEntity, "This is one too many: this fake keeps 100,000 conversations, or 256 MB")
}

func (s *state) setConversationStatus(c *call) reply {
	var body gen.SetConversationStatusBody
	_ = json.Unmarshal(c.body, &body)
	one := s.conversation(c)
	if one == nil {
		return noConversation()
	}
	one.Status = string(body.Status)
	return answer(http.StatusOK, gen.ConversationStatusResult{Success: true, Conversation: gen.ConversationState{ID: one.ID, Status: one.Status}})
}
