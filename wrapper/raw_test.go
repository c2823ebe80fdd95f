package bento_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/gen"
	bento "example.com/bento-go/wrapper"
)

func TestRawRecordsAreSentAsTheyAre(t *testing.T) {
	t.Parallel()
	s := scripted(t, accepted("1"), accepted("1"))
	records := []json.RawMessage{
		json.RawMessage(`{"type":"x", "email":"ari@example.com"}`),
		json.RawMessage(`{"type":"x"`), json.RawMessage(`{}]}`), json.RawMessage(`[]`), nil, json.RawMessage(`{} {}`), json.RawMessage(`{"a":"x}`),
		json.RawMessage(`{oops}`), json.RawMessage(`{"email":}`), json.RawMessage(`{"a":1,,}`), json.RawMessage(`{"a":1,}`), json.RawMessage(`{"a" "b"}`), json.RawMessage(`{"a"}`),
		json.RawMessage(`{"a":01}`), json.RawMessage(`{"a":"b" "c"}`), json.RawMessage("{\"a\":\"\n\"}"), json.RawMessage(`{"a":"\"}`), json.RawMessage(`{1:2}`), json.RawMessage(`{"a":1"b":2}`),
	}
	result, err := s.client().SendRaw(t.Context(), gen.OpTrackEvents, records)
	require.ErrorIs(t, err, bento.ErrInvalid)
	assert.Equal(t, 1, result.Accepted)
	assert.Len(t, result.Problems, 18, "each is set aside by itself")
	assert.Contains(t, s.seen[0].body, `[{"type":"x", "email":"ari@example.com"}]`)
	_, err = s.client().SendRaw(t.Context(), gen.OpImportSubscribers, records[:1], bento.WithBatchBytes(10<<10))
	require.NoError(t, err)
	assert.Contains(t, s.seen[1].URL.Path, "/batch/subscribers")

	result, err = s.client().SendRaw(t.Context(), gen.OpListTags, records)
	require.ErrorIs(t, err, bento.ErrInvalid)
	assert.Equal(t, 19, result.NotSent)

	flat := []json.RawMessage{
		json.RawMessage(`{}`), json.RawMessage(`{"a":"","b":-1.5e3,"c":true,"d":null}`), json.RawMessage(`{"a":{"b":[1,{"c":"\"}"}]}}`), json.RawMessage(` {"ä":"ö"} `),
	}
	s = scripted(t, accepted("4"))
	result, err = s.client().SendRaw(t.Context(), gen.OpTrackEvents, flat)
	require.NoError(t, err)
	assert.Equal(t, 4, result.Accepted)
}

func TestARecordIsEncodedAsItsMethodSendsIt(t *testing.T) {
	t.Parallel()
	s := scripted(t, accepted("1"))
	encoded, err := bento.EncodeRecord(event("ari@example.com"))
	require.NoError(t, err)
	_, err = s.client().TrackEvents(t.Context(), []bento.Event{event("ari@example.com")})
	require.NoError(t, err)
	assert.Equal(t, s.seen[0].body, `{"events":[`+string(encoded)+`]}`)
	for _, wrong := range []func() error{
		func() error { _, err := bento.EncodeRecord(bento.Event{Email: "ari@example.com"}); return err },
		func() error { _, err := bento.EncodeRecord(bento.SubscriberRecord{}); return err },
		func() error { _, err := bento.EncodeRecord(bento.Email{To: "nobody"}); return err },
		func() error { _, err := bento.EncodeRecord(bento.AddTag("nobody", "x")); return err },
		func() error {
			_, err := bento.EncodeRecord(bento.Event{Type: "\xff", Email: "ari@example.com"})
			return err
		},
	} {
		require.ErrorIs(t, wrong(), bento.ErrInvalid)
	}
}

// Whether a repeat changes nothing, nobody can see in a raw event.
func TestRawEventsAreRepeatedByTheCallersWord(t *testing.T) {
	t.Parallel()
	record := []json.RawMessage{json.RawMessage(`{"type":"x","email":"ari@example.com","details":{"unique":{"key":"1"}}}`)}
	_, err := scripted(t, fail(errReset), accepted("1")).client(quick).SendRaw(t.Context(), gen.OpTrackEvents, record)
	require.ErrorIs(t, err, bento.ErrOutcomeUnknown)
	_, err = scripted(t, fail(errReset), accepted("1")).client(quick).SendRaw(t.Context(), gen.OpTrackEvents, record, bento.WithHarmlessRepeat())
	require.NoError(t, err)
}
