package bento_test

import (
	"encoding/json"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/gen"
	bento "example.com/bento-go/wrapper"
)

// Whatever encoding/json writes of a record, ours writes the same value.
func TestTheEncoderWritesWhatEncodingJSONWrites(t *testing.T) {
	t.Parallel()
	when := time.Date(2026, 6, 10, 9, 30, 0, 123456789, time.FixedZone("", 2*60*60))
	for _, e := range []bento.Event{
		{Type: "x", Email: "a@example.com"},
		{Type: "\"\\\n\t\x01<>&\u2028é😀", Email: "a@example.com", Date: when},
		{Type: "x", Email: "a@example.com", Fields: gen.EventFields{}, Details: gen.EventDetails{
			"nil": nil, "bool": true, "int": -7, "int64": int64(1) << 60, "uint8": uint8(3), "float": 1.5, "tiny": 1e-9, "huge": 1e300, "zero": 0.0,
			"time": when, "list": []any{1, "a", nil, []any{}, map[string]any{}}, "strings": []string{"a"}, "number": json.Number("12345678901234567890"),
			"raw": json.RawMessage(`{"a":1}`), "nested": map[string]any{"b": map[string]string{"c": "d"}}, "no list": []any(nil), "no map": map[string]any(nil),
			"struct": struct {
				A int `json:"a"`
			}{1},
		}},
	} {
		same(t, e)
	}
	full := bento.SubscriberRecord{Email: "a@example.com", FirstName: new(""), Tags: new("a,b"), UTMSource: new("ad")}
	full.Set("plan", "pro")
	full.Set("seats", 3)
	same(t, full)
	same(t, bento.SubscriberRecord{Email: "a@example.com"})
	same(t, bento.Email{To: "a@example.com", Transactional: true, Personalizations: gen.Personalizations{"a": 1}})
	same(t, bento.AddField("a@example.com", "plan", map[string]any{"a": 1}))
	same(t, bento.Subscribe("a@example.com"))
}

func same[T any](t testing.TB, record T) {
	t.Helper()
	ours, err := bento.Encode(record)
	require.NoError(t, err)
	theirs, err := json.Marshal(record)
	require.NoError(t, err)
	var a, b any
	require.NoError(t, json.Unmarshal(ours, &a), string(ours))
	require.NoError(t, json.Unmarshal(theirs, &b))
	assert.Equal(t, b, a)
}

func flatMembers(m map[string]any) bool {
	for _, value := range m {
		switch value.(type) {
		case map[string]any, []any:
			return false
		}
	}
	return true
}

// What goes to a profile, or into a template, is flat; what nests is refused by name.
func TestWhatMustBeFlatIs(t *testing.T) {
	t.Parallel()
	nested := bento.SubscriberRecord{Email: "a@example.com"}
	nested.Set("address", map[string]any{"city": "Bonn"})
	_, err := bento.Encode(nested)
	require.ErrorContains(t, err, "a custom field holds a value that nests")
	for _, value := range []any{[]string{"a"}, map[string]string{}, struct{ A int }{1}, []any{1}} {
		_, err = bento.Encode(bento.Event{Type: "x", Email: "a@example.com", Fields: gen.EventFields{"a": value}})
		require.ErrorContains(t, err, "fields holds a value that nests")
		_, err = bento.Encode(bento.Email{Personalizations: gen.Personalizations{"a": value}})
		require.ErrorContains(t, err, "personalizations holds a value that nests")
	}
	same(t, bento.Event{Type: "x", Email: "a@example.com", Fields: gen.EventFields{"when": time.Unix(0, 0).UTC(), "n": json.Number("1"), "none": nil}})
}

// FuzzEncode lets encoding/json decide about records made of any JSON.
func FuzzEncode(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":[1,-0,1e400,"\u0000\ud800",{"":null}]}`, `{"email":"x"}`, "{\"\xff\":1}"} {
		f.Add([]byte(seed), "type", "first")
	}
	f.Fuzz(func(t *testing.T, object []byte, kind, name string) {
		var m map[string]any
		if json.Unmarshal(object, &m) != nil || !utf8.ValidString(kind) || !utf8.ValidString(name) {
			return
		}
		same(t, bento.Event{Type: kind, Email: name, Details: m})
		record := bento.SubscriberRecord{Email: name, FirstName: &kind}
		for key, value := range m {
			record.Set(key, value)
		}
		email := bento.Email{To: name, From: kind, Subject: kind, HTMLBody: name, Personalizations: m}
		_, err := bento.Encode(email)
		if flat := flatMembers(m); flat != (err == nil) {
			t.Fatalf("flat: %v, but: %v", flat, err)
		} else if flat {
			same(t, email)
		}
		if _, err := bento.Encode(record); err == nil {
			same(t, record)
		}
		same(t, bento.AddField(name, kind, m))
		same(t, bento.AddTag(name, kind))
	})
}
