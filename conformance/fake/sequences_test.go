package fake_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/conformance/fake/faketest"
	bento "example.com/bento-go/wrapper"
)

// Who adds an email to a sequence finds it there, by the id and the subject that it has.
func TestASequenceListsItsEmails(t *testing.T) {
	t.Parallel()
	b := faketest.New(t)
	added, err := b.Client.CreateSequenceEmail(t.Context(), "sequence_1", bento.SequenceEmail{Subject: "Day two", HTML: "<p>"})
	require.NoError(t, err)
	_, err = b.Client.UpdateEmailTemplate(t.Context(), 1, bento.EmailTemplateChange{Subject: new("Hello")})
	require.NoError(t, err)
	for sequence, err := range b.Client.Sequences(t.Context()) {
		require.NoError(t, err)
		emails := sequence.Attributes.EmailTemplates
		require.Len(t, emails, 2)
		assert.Equal(t, "Hello", emails[0].Subject)
		assert.Equal(t, "Day two", emails[1].Subject)
		found, err := b.Client.EmailTemplate(t.Context(), int(emails[1].ID))
		require.NoError(t, err)
		assert.Equal(t, added.ID, found.ID)
	}
}
