package bento_test

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/gen"
	bento "example.com/bento-go/wrapper"
)

// written is what the encoder makes of a value, in a command.
func written(t *testing.T, value any) string {
	t.Helper()
	encoded, err := bento.Encode(bento.AddField("a@example.com", "k", value))
	require.NoError(t, err, "%#v", value)
	const before, after = `{"command":"add_field","email":"a@example.com","query":{"key":"k","value":`, `}}`
	text := string(encoded)
	if text[:len(before)] != before { // members of a map come in any order
		const before, after = `{"command":"add_field","email":"a@example.com","query":{"value":`, `,"key":"k"}}`
		return text[len(before) : len(text)-len(after)]
	}
	return text[len(before) : len(text)-len(after)]
}

// Numbers and text are written to the letter.
func TestValuesAreWrittenToTheLetter(t *testing.T) {
	t.Parallel()
	for want, value := range map[string]any{
		"1e-07": 1e-7, "0.000001": 1e-6, "-1e-07": -1e-7, "9.999999e-07": 9.999999e-7,
		"1e+21": 1e21, "999999999999999900000": 9.999999999999999e20, "100000000000000000000": 1e20, "0": 0.0, "1.5": 1.5, "-2": -2.0,
		"12": 12, "9007199254740993": int64(9007199254740993), "true": true, "null": nil,
		`"plain text!#[]^"`: "plain text!#[]^", `"a\nb"`: "a\nb", `"a\"b\\c"`: `a"b\c`, `"a\u0009b"`: "a\tb", `"a\u001fb"`: "a\x1fb", "\"~\x7f\"": "~\x7f", `"é"`: "é",
		`["a"]`: []string{"a"}, `[1,[2,3],{}]`: []any{1, []any{2, 3}, map[string]any{}},
	} {
		assert.Equal(t, want, written(t, value))
	}
}

// What JSON cannot carry is refused, and named, wherever it stands.
func TestWhatJSONCannotCarryIsRefused(t *testing.T) {
	t.Parallel()
	for want, value := range map[string]any{
		"not finite":                 math.Inf(1),
		"a number that is not":       math.Inf(-1),
		"outside the years":          time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC),
		"a date outside":             []any{time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC)},
		"text that is not UTF-8":     map[string]string{"\xff": "a"},
		"text that is not UTF":       []any{"a", "é\xff"},
		"text that is not UT":        "\x80",
		"a value that JSON cannot w": func() {},
	} {
		_, err := bento.Encode(bento.AddField("a@example.com", "k", value))
		require.ErrorContains(t, err, want)
	}
	_, err := bento.Encode(bento.Event{Type: "x", Email: "a@example.com", Date: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)})
	require.ErrorContains(t, err, "date holds a date outside the years 0 to 9999")
	for _, year := range []int{0, 9999} {
		same(t, bento.Event{Type: "x", Email: "a@example.com", Date: time.Date(year, 12, 31, 23, 59, 59, 0, time.UTC)})
	}
	_, err = bento.Encode(bento.SubscriberRecord{Email: "a@example.com", FirstName: new("\xff")})
	require.ErrorContains(t, err, "first_name holds text that is not UTF-8")
	_, err = bento.Encode(bento.Event{Type: "x", Email: "a@example.com", Fields: gen.EventFields{"\xff": 1}})
	require.ErrorContains(t, err, "fields holds text that is not UTF-8")
}

// A hundred levels may be nested, of lists and of objects, and not one more.
func TestAHundredLevelsMayBeNested(t *testing.T) {
	t.Parallel()
	nest := func(levels int, within func(any) any) any {
		var value any = "x"
		for range levels {
			value = within(value)
		}
		return value
	}
	for name, within := range map[string]func(any) any{
		"lists": func(v any) any { return []any{v} }, "objects": func(v any) any { return map[string]any{"a": v} },
	} {
		// The details themselves are a level.
		_, err := bento.Encode(bento.Event{Type: "x", Email: "a@example.com", Details: gen.EventDetails{"a": nest(99, within)}})
		require.NoError(t, err, name)
		_, err = bento.Encode(bento.Event{Type: "x", Email: "a@example.com", Details: gen.EventDetails{"a": nest(100, within)}})
		require.ErrorContains(t, err, "details nests deeper than 100 levels", name)
		_, err = bento.Encode(bento.AddField("a@example.com", "k", nest(99, within)))
		require.NoError(t, err, name)
		_, err = bento.Encode(bento.AddField("a@example.com", "k", nest(100, within)))
		require.ErrorContains(t, err, "query nests deeper than 100 levels", name)
	}
}

// A record is left out of nothing and holds nothing twice, whatever kinds its fields are of.
func TestFieldsOfEveryKindAreWritten(t *testing.T) {
	t.Parallel()
	type inner struct {
		A int `json:"a"`
	}
	type odd struct {
		Name     string         `json:"name,omitempty"`
		Flag     bool           `json:"flag"`
		Off      bool           `json:"off,omitempty"`
		Number   int            `json:"number,omitempty"`
		List     []string       `json:"list,omitempty"`
		Object   map[string]any `json:"object,omitempty"`
		Inner    inner          `json:"inner,omitempty"` //nolint:modernize // that it has no effect is what is tried
		Pointer  *inner         `json:"pointer,omitempty"`
		Text     *string        `json:"text"`
		When     time.Time      `json:"when,omitzero"`
		Repeated []any          `json:"repeated"`
	}
	when := time.Date(2026, 6, 10, 9, 30, 0, 0, time.UTC)
	for _, record := range []odd{
		{},
		{Name: "n", Flag: true, Off: true, Number: 1, List: []string{"a"}, Object: map[string]any{"a": 1}, Inner: inner{1}, Pointer: &inner{2}, Text: new("t"), When: when, Repeated: []any{1}},
		{List: []string{}, Object: map[string]any{}, Text: new(""), Repeated: []any{}},
	} {
		same(t, record)
	}
	type first struct {
		AdditionalProperties map[string]any `json:"-"`
		Name                 string         `json:"name"`
	}
	encoded, err := bento.Encode(first{map[string]any{"plan": "pro"}, "n"})
	require.NoError(t, err)
	assert.JSONEq(t, `{"name":"n","plan":"pro"}`, string(encoded))
	_, err = bento.Encode(first{map[string]any{"name": "pro"}, "n"})
	require.ErrorContains(t, err, "AdditionalProperties holds name")
}

// A raw record is judged as one of a type is, and whether a repeat of it does harm.
func TestARawRecordIsCheckedAsOneOfAType(t *testing.T) {
	t.Parallel()
	const ari = `"email":"ari@example.com"`
	for _, tc := range []struct {
		operation, record string
		harmless          bool
		refused           string
	}{
		{gen.OpTrackEvents, `{"type":"x",` + ari + `}`, false, ""},
		{gen.OpTrackEvents, `{"type":"x",` + ari + `,"details":{"unique":{"key":"1"}}}`, true, ""},
		{gen.OpTrackEvents, `{` + ari + `}`, false, "type is empty"},
		{gen.OpTrackEvents, `{"type":7,` + ari + `}`, false, "type is a number where the contract has another type"},
		{gen.OpTrackEvents, `{"type":"x",` + ari + `,"date":"yesterday"}`, false, "cannot be read as the contract describes it"},
		{gen.OpTrackEvents, `[]`, false, "not one JSON object"},
		{gen.OpImportSubscribers, `{` + ari + `}`, true, ""},
		{gen.OpImportSubscribers, `{"email":"nobody"}`, true, "not an email address"},
		{gen.OpRunCommands, `{"command":"add_tag",` + ari + `,"query":"vip"}`, true, ""},
		{gen.OpRunCommands, `{"command":"unsubscribe",` + ari + `}`, false, ""},
		{gen.OpRunCommands, `{"command":"add_tag","email":"nobody"}`, true, "not an email address"},
		{gen.OpSendEmails, `{"to":"ari@example.com","from":"a@acme.example","subject":"s","html_body":"h"}`, false, ""},
		{gen.OpSendEmails, `{"to":"ari@example.com"}`, false, "from is empty"},
		{gen.OpListTags, `{}`, false, `"listTags" is no operation that takes records`},
	} {
		what := fmt.Sprintf("%s %s", tc.operation, tc.record)
		harmless, err := bento.CheckRecord(tc.operation, []byte(tc.record))
		if tc.refused == "" {
			require.NoError(t, err, what)
		} else {
			require.ErrorIs(t, err, bento.ErrInvalid, what)
			require.ErrorContains(t, err, tc.refused, what)
		}
		assert.Equal(t, tc.harmless, harmless, what)
	}
}

// Whatever a raw record looks like, it is taken if it is one object, and refused if not.
func TestARawRecordIsOneObject(t *testing.T) {
	t.Parallel()
	for record, ok := range map[string]bool{
		`{}`: true, `{"a":"b"}`: true, `{"a":{"b":[1]}}`: true, "\t{\"a\":{\"b\":[1]}}\n": true, `{"a":"\"}"}`: true,
		``: false, `{`: false, `}`: false, `{"`: false, `[}`: false, `{]`: false, `"}`: false, `x}`: false, `{x`: false, `{"a":"b}`: false, `{}{}`: false, `{"a":1}}`: false,
		`{"a":[}`: false, `{"a":[}}`: false, `{"a":{]}`: false, `[{}]`: false, `{}}`: false, `{{}`: false, `{[}`: false, `{{}[]\}`: false, `x{}`: false, `{}x`: false, `{"a":]}`: false, `{"a":\}`: false, `|"a":1}`: false, `{"a":1~`: false,
	} {
		_, err := scripted(t, accepted("1")).client().SendRaw(t.Context(), gen.OpTrackEvents, []json.RawMessage{json.RawMessage(record)})
		if ok {
			require.NoError(t, err, record)
		} else {
			require.ErrorIs(t, err, bento.ErrInvalid, record)
		}
	}
}
