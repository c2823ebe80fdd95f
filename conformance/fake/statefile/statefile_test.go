package statefile_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/conformance/fake"
	"example.com/bento-go/conformance/fake/faketest"
	"example.com/bento-go/conformance/fake/statefile"
	"example.com/bento-go/gen"
	bento "example.com/bento-go/wrapper"
)

func open(t *testing.T, path string) *statefile.File {
	t.Helper()
	file, err := statefile.Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { _ = file.Close() })
	return file
}

// fill does a bit of everything that changes a Bento.
func fill(t *testing.T, c *bento.Client) {
	t.Helper()
	purchase := bento.Event{Type: "$purchase", Email: "Ari@example.com", Details: gen.EventDetails{
		"unique": map[string]any{"key": "order-1"}, "value": map[string]any{"currency": "USD", "amount": 7995},
	}}
	_, err := c.TrackEvents(t.Context(), []bento.Event{purchase, purchase, {Type: "$signed_up", Email: "bo@example.com", Fields: gen.EventFields{"plan": "pro", "seats": 3}}})
	require.NoError(t, err)
	_, err = c.ImportSubscribers(t.Context(), []bento.SubscriberRecord{{Email: "cy@example.com", FirstName: new("Cy"), Tags: new("lead,vip")}, {Email: "gone@example.com"}})
	require.NoError(t, err)
	_, err = c.RunCommands(t.Context(), []bento.Command{bento.RemoveTag("cy@example.com", "lead"), bento.Unsubscribe("bo@example.com"), bento.ChangeEmail("ari@example.com", "ari@new.example")})
	require.NoError(t, err)
	_, err = c.SendEmails(t.Context(), []bento.Email{{To: "ari@new.example", From: "a@acme.example", Subject: "Hi", HTMLBody: "<p>Hi</p>"}})
	require.NoError(t, err)
	_, err = c.CreateTag(t.Context(), "spare")
	require.NoError(t, err)
	require.NoError(t, c.RequestDataDeletion(t.Context(), "gone@example.com"))
}

// view is all that an outsider can ask.
func view(t *testing.T, b *faketest.Bento) string {
	t.Helper()
	var text strings.Builder
	fmt.Fprintf(&text, "%+v\n%v\n%+v\n%+v\n", b.Server.Counts(), b.Server.EventTypes(), b.Server.Events(), b.Server.Emails())
	for _, email := range []string{"ari@example.com", "ari@new.example", "bo@example.com", "cy@example.com", "gone@example.com"} {
		person, known := b.Server.Subscriber(email)
		fmt.Fprintf(&text, "%v %+v\n", known, person)
	}
	tags, err := b.Client.ListTags(t.Context())
	require.NoError(t, err)
	fields, err := b.Client.ListFields(t.Context())
	require.NoError(t, err)
	fmt.Fprintf(&text, "%+v\n%+v\n", tags, fields)
	return text.String()
}

// What was accepted is there again after a restart, to the letter, whether the fake was closed or
// killed, and whatever was kept as a snapshot and whatever was not.
func TestARestartForgetsNothing(t *testing.T) {
	t.Parallel()
	for name, closed := range map[string][]bool{
		"closed": {true}, "killed": {false}, "closed, then killed": {true, false}, "killed, then closed": {false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "state")
			var before string
			for _, properly := range closed {
				file := open(t, path)
				b := faketest.New(t, fake.WithStore(file))
				if before != "" {
					assert.Equal(t, withoutRequests(before), withoutRequests(view(t, b)))
				}
				fill(t, b.Client)
				before = view(t, b)
				if properly {
					require.NoError(t, b.Server.Close())
				}
				require.NoError(t, file.Close())
			}
			b := faketest.New(t, fake.WithStore(open(t, path)))
			// Requests that changed nothing are counted by a snapshot only.
			assert.Equal(t, withoutRequests(before), withoutRequests(view(t, b)))
		})
	}
}

func withoutRequests(view string) string {
	_, rest, _ := strings.Cut(view, " Refused:")
	return rest
}

// Somebody of whom nothing was known can be told things about after a restart.
func TestAPersonWithoutFieldsCanHaveSomeLater(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state")
	file := open(t, path)
	b := faketest.New(t, fake.WithStore(file))
	_, err := b.Client.ImportSubscribers(t.Context(), []bento.SubscriberRecord{{Email: "ari@example.com"}})
	require.NoError(t, err)
	require.NoError(t, b.Server.Close())
	require.NoError(t, file.Close())
	b = faketest.New(t, fake.WithStore(open(t, path)))
	_, err = b.Client.ImportSubscribers(t.Context(), []bento.SubscriberRecord{{Email: "ari@example.com", FirstName: new("Ari"), Tags: new("vip")}})
	require.NoError(t, err)
	assert.Equal(t, "Ari", b.RequireSubscriber("ari@example.com").Attributes.Fields["first_name"])
}

// What was queued when the fake ended takes effect when it is due.
func TestWhatWasQueuedIsNotLost(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state")
	synctest.Test(t, func(t *testing.T) {
		for _, properly := range []bool{false, true} {
			file := open(t, path)
			b := faketest.New(t, fake.WithStore(file), fake.WithVisibilityDelay(time.Hour))
			_, err := b.Client.TrackEvents(t.Context(), []bento.Event{{Type: "x", Email: "ari@example.com"}})
			require.NoError(t, err)
			if properly {
				require.NoError(t, b.Server.Close())
			}
			require.NoError(t, file.Close())
			time.Sleep(time.Minute)
		}
		b := faketest.New(t, fake.WithStore(open(t, path)), fake.WithVisibilityDelay(time.Hour))
		assert.Empty(t, b.Server.Events())
		time.Sleep(time.Hour)
		_, err := b.Client.ListTags(t.Context())
		require.NoError(t, err)
		b.RequireEvents("x", "x")
	})
}

func TestAFileOfOthersIsLeftAlone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "notes.txt")
	text := []byte("nothing of the kind, and of some length, so that it could be a file of something")
	require.NoError(t, os.WriteFile(path, text, 0o600))
	_, err := statefile.Open(path)
	require.ErrorContains(t, err, "not the state of a fake")
	kept, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, text, kept)
	_, err = statefile.Open(filepath.Join(t.TempDir(), "no", "such", "folder"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestTwoFakesDoNotShareAFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state")
	open(t, path)
	_, err := statefile.Open(path)
	require.ErrorContains(t, err, "in use")
	if runtime.GOOS != "windows" {
		info, err := os.Stat(path)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "it holds addresses")
	}
}

// A damaged file is an error, never a panic, wherever the damage is.
func TestADamagedFileIsAnError(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state")
	file := open(t, path)
	b := faketest.New(t, fake.WithStore(file))
	fill(t, b.Client)
	require.NoError(t, b.Server.Close())
	fill(t, b.Client)
	require.NoError(t, file.Close())
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	for at := 0; at < len(whole); at += 2039 {
		damaged := append([]byte{}, whole...)
		for i := at; i < min(at+64, len(damaged)); i++ {
			damaged[i] ^= 0x5a
		}
		require.NoError(t, os.WriteFile(path, damaged, 0o600))
		file, err := statefile.Open(path)
		if err != nil {
			continue
		}
		_, _ = fake.New(fake.WithStore(file))
		require.NoError(t, file.Close())
	}
}
