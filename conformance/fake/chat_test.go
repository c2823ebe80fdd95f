package fake_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/conformance/fake"
	"example.com/bento-go/conformance/fake/faketest"
	"example.com/bento-go/gen"
	bento "example.com/bento-go/wrapper"
)

func hello(name string) bento.ConversationStart {
	return bento.ConversationStart{InboxID: 1, ContactEmail: name + "@example.com", ContactName: name, MessageContent: "Hello " + name}
}

// Who writes to a person twice goes on with one conversation, also after a restart.
func TestAConversationGoesOn(t *testing.T) {
	t.Parallel()
	store := &memory{}
	b := faketest.New(t, fake.WithStore(store))
	_, err := b.Client.StartConversation(t.Context(), hello("ari"))
	require.NoError(t, err)
	_, err = b.Client.SetConversationStatus(t.Context(), 1, gen.ConversationStatusPending)
	require.NoError(t, err)
	require.NoError(t, b.Server.Close())
	b = faketest.New(t, fake.WithStore(store))
	for range 30 {
		result, err := b.Client.StartConversation(t.Context(), hello("Ari"))
		require.NoError(t, err)
		assert.Equal(t, gen.ConversationState{ID: 1, Status: "pending"}, result.Conversation)
	}
	one, err := b.Client.Conversation(t.Context(), 1)
	require.NoError(t, err)
	require.Len(t, one.Messages, 20, "the recent ones")
	assert.EqualValues(t, 31, one.Messages[19].ID)
	assert.Equal(t, "ari", one.Contact.Name)
	found, err := b.Client.ConversationsByEmail(t.Context(), "bo@example.com")
	require.NoError(t, err)
	assert.Empty(t, found.Conversations)
}

func TestConversationsAreFound(t *testing.T) {
	t.Parallel()
	b := faketest.New(t)
	for n := range 30 {
		_, err := b.Client.StartConversation(t.Context(), hello(fmt.Sprintf("ari%d", n)))
		require.NoError(t, err)
	}
	_, err := b.Client.SetConversationStatus(t.Context(), 3, gen.ConversationStatusResolved)
	require.NoError(t, err)
	for want, filters := range map[int][]bento.ConversationFilters{
		30: {{}, {Status: new(gen.ConversationFilterAll)}, {AssigneeType: new(gen.AssigneeTypeUnassigned)}, {InboxID: new(1)}, {Q: new("HELLO")}},
		29: {{Status: new(gen.ConversationFilterOpen)}},
		1:  {{Status: new(gen.ConversationFilterResolved)}, {Q: new("ari29@")}},
		0:  {{AssigneeType: new(gen.AssigneeTypeMe)}, {AssigneeType: new(gen.AssigneeTypeAssigned)}, {InboxID: new(2)}, {Q: new("nowhere")}},
	} {
		for _, f := range filters {
			n := 0
			for _, err := range b.Client.Conversations(t.Context(), f) {
				require.NoError(t, err)
				n++
			}
			assert.Equal(t, want, n)
		}
	}
	second, err := b.Client.ListConversations(t.Context(), bento.ConversationFilters{}, 2)
	require.NoError(t, err)
	assert.Len(t, second, 5)
}

// What there is not is a 404, what is no address a 422; the number of an inbox may be a text.
func TestWhatIsSaidNowhereIsRefused(t *testing.T) {
	t.Parallel()
	server := newFake(t, fake.WithRoom(4<<10))
	opening := `{"inbox_id":%s,"contact_email":"%s","message_content":"%s"}`
	for _, tc := range []struct {
		path, body string
		status     int
	}{
		{"/chat/messages", fmt.Sprintf(opening, `"1"`, "ari@example.com", "Hello"), 200},
		{"/chat/messages", fmt.Sprintf(opening, `2`, "ari@example.com", "Hello"), 404},
		{"/chat/messages", fmt.Sprintf(opening, `"x"`, "ari@example.com", "Hello"), 404},
		{"/chat/messages", fmt.Sprintf(opening, `1`, "nobody", "Hello"), 422},
		{"/chat/messages", `{"inbox_id":1,"contact_email":"ari@example.com"}`, 400},
		{"/chat/messages", fmt.Sprintf(opening, `1`, "ari@example.com", strings.Repeat("x", 4<<10)), 422},
		{"/chat/messages", fmt.Sprintf(opening, `1`, "bo@example.com", "Hello"), 200},
		{"/chat/messages", fmt.Sprintf(opening, `1`, "cy@example.com", "Hello"), 200},
		{"/chat/messages", fmt.Sprintf(opening, `1`, "di@example.com", "Hello"), 422},
		{"/chat/conversations/9/messages", `{"message_content":"Hello"}`, 404},
		{"/chat/conversations/9/notes", `{"content":"Hello"}`, 404},
		{"/chat/conversations/9/status", `{"status":"open"}`, 404},
		{"/chat/conversations/1/status", `{"status":"all"}`, 400},
	} {
		assert.Equal(t, tc.status, do(t, server, "POST", tc.path+site, tc.body).StatusCode, tc)
	}
	assert.Equal(t, 404, do(t, server, "GET", "/chat/conversations/9"+site, "").StatusCode)
	assert.Equal(t, 200, do(t, server, "GET", "/chat/conversations/by_email"+site+"&contact_email=bo@example.com", "").StatusCode)
	assert.Equal(t, 400, do(t, server, "GET", "/chat/conversations/by_email"+site, "").StatusCode)
}
