package fake_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/conformance/fake/faketest"
	"example.com/bento-go/gen"
	bento "example.com/bento-go/wrapper"
)

// Bento's own events do what the commands do.
func TestBentosOwnEventsAct(t *testing.T) {
	t.Parallel()
	b := faketest.New(t)
	track := func(kind string, details gen.EventDetails, fields gen.EventFields) gen.SubscriberAttributes {
		event := bento.Event{Type: kind, Email: "ari@example.com", Details: details, Fields: fields}
		_, err := b.Client.TrackEvents(t.Context(), []bento.Event{event})
		require.NoError(t, err)
		return b.RequireSubscriber("ari@example.com").Attributes
	}
	assert.Len(t, track("$tag", gen.EventDetails{"tag": "vip"}, nil).CachedTagIds, 1)
	assert.Len(t, track("tag", gen.EventDetails{"tag": "other"}, nil).CachedTagIds, 1, "an event of one's own does nothing")
	assert.Empty(t, track("$remove_tag", gen.EventDetails{"tag": "vip"}, nil).CachedTagIds)
	assert.Empty(t, track("$tag", gen.EventDetails{"tag": nil}, nil).CachedTagIds)
	assert.False(t, track("$unsubscribe", nil, nil).UnsubscribedAt.IsZero())
	back := track("$subscribe", nil, gen.EventFields{"plan": "pro"})
	assert.True(t, back.UnsubscribedAt.IsZero())
	assert.Equal(t, "pro", back.Fields["plan"])
	assert.Equal(t, "free", track("$update_fields", nil, gen.EventFields{"plan": "free"}).Fields["plan"])

	twice := gen.EventDetails{"tag": "vip", "unique": map[string]any{"key": "once"}}
	assert.Len(t, track("$tag", twice, nil).CachedTagIds, 1)
	assert.Empty(t, track("$remove_tag", gen.EventDetails{"tag": "vip"}, nil).CachedTagIds)
	assert.Empty(t, track("$tag", twice, nil).CachedTagIds, "a duplicate is dropped")
}

// What has the key of another event is dropped.
func TestAUniqueKeyIsAStringOrANumber(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		first, second string
		dropped       int
	}{
		{`"order-1"`, `"order-1"`, 1},
		{`1042`, `1042`, 1},
		{`1042`, `1043`, 0},
		{`1042`, `"1042"`, 1},
		{`""`, `""`, 0},
		{`null`, `null`, 0},
		{`true`, `true`, 0},
		{`{"key":1}`, `{"key":1}`, 0},
	} {
		server := newFake(t)
		for _, key := range []string{tc.first, tc.second} {
			body := `{"events":[{"type":"x","email":"ari@example.com","details":{"unique":{"of":1,"key":` + key + `}}}]}`
			assert.Equal(t, 200, do(t, server, "POST", "/batch/events"+site, body).StatusCode)
		}
		assert.Equal(t, tc.dropped, server.Counts().Duplicates, "%s %s", tc.first, tc.second)
	}
}

func TestAUniqueKeyIsKnownBeyondAHundredThousand(t *testing.T) {
	t.Parallel()
	c := &crowd{server: newFake(t)}
	send := func(from int) {
		var body strings.Builder
		for n := range 1000 {
			fmt.Fprintf(&body, `,{"type":"x","email":"ari@example.com","details":{"unique":{"key":%d}}}`, from+n)
		}
		assert.Equal(t, 200, c.send(t, "POST", "/batch/events?site_uuid=x", "application/json", `{"events":[`+body.String()[1:]+`]}`))
	}
	for from := 0; from <= 100_000; from += 1000 {
		send(from)
	}
	assert.Zero(t, c.server.Counts().Duplicates)
	send(100_000)
	assert.Equal(t, 1000, c.server.Counts().Duplicates)
}
