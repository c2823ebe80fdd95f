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
