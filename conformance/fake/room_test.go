package fake_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/conformance/fake"
	"example.com/bento-go/conformance/fake/faketest"
	"example.com/bento-go/gen"
	bento "example.com/bento-go/wrapper"
)

// What takes the place of something else takes only as much room as it is larger; what has none
// leaves what was there.
func TestWhatIsWrittenAnewTakesNoRoomTwice(t *testing.T) {
	t.Parallel()
	b := faketest.New(t, fake.WithRoom(20<<10))
	html := strings.Repeat("x", 5<<10)
	for range 20 {
		_, err := b.Client.UpdateEmailTemplate(t.Context(), 1, bento.EmailTemplateChange{HTML: &html})
		require.NoError(t, err)
		_, err = b.Client.TrackEvents(t.Context(), []bento.Event{{Type: "x", Email: "ari@example.com", Fields: gen.EventFields{"bio": html}}})
		require.NoError(t, err)
	}
	assert.Equal(t, html, b.RequireSubscriber("ari@example.com").Attributes.Fields["bio"])
	huge := strings.Repeat("y", 30<<10)
	_, err := b.Client.UpdateEmailTemplate(t.Context(), 1, bento.EmailTemplateChange{HTML: &huge})
	require.ErrorIs(t, err, bento.ErrUnprocessable)
	_, err = b.Client.TrackEvents(t.Context(), []bento.Event{{Type: "x", Email: "ari@example.com", Fields: gen.EventFields{"bio": huge}}})
	require.NoError(t, err)
	assert.Equal(t, html, b.RequireSubscriber("ari@example.com").Attributes.Fields["bio"])
}

// A record of a person for whom there is no room has failed, and leaves nothing.
func TestARecordOfOnePersonTooManyFails(t *testing.T) {
	t.Parallel()
	for path, record := range map[string]string{
		"/batch/events":      `{"events":[{"type":"x","email":"a@example.com"},{"type":"y","email":"b@example.com"},{"type":"x","email":"A@example.com"}]}`,
		"/batch/subscribers": `{"subscribers":[{"email":"a@example.com"},{"email":"b@example.com"},{"email":"A@example.com"}]}`,
		"/fetch/commands":    `{"command":[{"command":"subscribe","email":"a@example.com"},{"command":"subscribe","email":"b@example.com"},{"command":"subscribe","email":"A@example.com"}]}`,
	} {
		server := newFake(t, fake.WithRoom(3<<9)) // for one and a half
		assert.Contains(t, text(t, do(t, server, "POST", path+site, record)), `"failed":1,"results":2}`, path)
		_, known := server.Subscriber("b@example.com")
		assert.False(t, known, path)
		counts := server.Counts()
		assert.Equal(t, 1, counts.People, path)
		assert.NotEqual(t, 3, counts.Events.Accepted+counts.Subscribers.Accepted, path)
		assert.NotContains(t, server.EventTypes(), "y")
		for _, event := range server.Events() {
			assert.NotEqual(t, "b@example.com", event.Email)
		}
	}
}
