package fake_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/conformance/fake"
	"example.com/bento-go/conformance/fake/faketest"
	bento "example.com/bento-go/wrapper"
)

// memory is a store without a file.
type memory struct {
	snapshot []byte
	entries  [][]byte
	full     error // what Append fails with
}

func (m *memory) Load(restore, redo func([]byte) error) error {
	var errs []error
	if m.snapshot != nil {
		errs = append(errs, restore(m.snapshot))
	}
	for _, entry := range m.entries {
		errs = append(errs, redo(entry))
	}
	return errors.Join(errs...)
}

func (m *memory) Append(entry []byte) error {
	if m.full == nil {
		m.entries = append(m.entries, entry)
	}
	return m.full
}

func (m *memory) Save(snapshot []byte) error {
	m.snapshot, m.entries = snapshot, nil
	return nil
}

func TestWhatIsKeptDoesNotGrowForEver(t *testing.T) {
	t.Parallel()
	store := &memory{}
	b := faketest.New(t, fake.WithStore(store), fake.WithMaxAppended(100<<10))
	for i := range 20 {
		_, err := b.Client.SendEmails(t.Context(), []bento.Email{{To: "ari@example.com", From: "a@acme.example", Subject: strconv.Itoa(i), HTMLBody: strings.Repeat("x", 10<<10)}})
		require.NoError(t, err)
	}
	require.NotNil(t, store.snapshot, "it took the place of the entries")
	assert.Less(t, len(store.entries), 20)
	again := faketest.New(t, fake.WithStore(store))
	assert.Equal(t, 20, again.Server.Counts().Emails.Accepted)
	assert.Equal(t, b.Server.Emails(), again.Server.Emails())
}

func TestWhatCannotBeKeptIsNotAccepted(t *testing.T) {
	t.Parallel()
	b := faketest.New(t, fake.WithStore(&memory{full: errors.New("no space left on device")}))
	_, err := b.Client.SendEmails(t.Context(), []bento.Email{{To: "ari@example.com", From: "a@acme.example", Subject: "x", HTMLBody: "x"}})
	require.ErrorContains(t, err, "no space left on device")
	assert.Empty(t, b.Server.Emails())
	_, err = b.Client.ListTags(t.Context())
	require.NoError(t, err, "reads need no room")
}

func TestWhatAnotherVersionKeptIsAnError(t *testing.T) {
	t.Parallel()
	for _, store := range []*memory{
		{snapshot: []byte(`{"version":0}`)},
		{snapshot: []byte(`{"version":1,"queue":[{"operation":"listTags"}]}`)},
		{snapshot: []byte(`not JSON`)},
		{entries: [][]byte{[]byte(`{"operation":"gone","method":"POST","url":"/"}`)}},
		{entries: [][]byte{[]byte(`{"operation":"createTag","method":"P O S T","url":"/"}`)}},
	} {
		_, err := fake.New(fake.WithStore(store))
		require.ErrorContains(t, err, "cannot be read again")
	}
}
