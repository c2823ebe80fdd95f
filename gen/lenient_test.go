package gen_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/gen"
)

const vip = `{"id":"1","type":"tags","attributes":{"name":"vip"}}`

// What real answers hold, and what a program gets of it.
func TestAnswersAreTakenInEveryShape(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]int{
		`{"data":[` + vip + `,` + vip + `]}`: 2, `{"data":[]}`: 0, `{"data":null}`: 0, `{"data":{}}`: 0, `{}`: 0, `{"data":` + vip + `}`: 1,
	} {
		var list gen.TagList
		require.NoError(t, json.Unmarshal([]byte(body), &list), body)
		assert.Len(t, list.Data, want, body)
	}
	for body, want := range map[string]bool{
		`{"data":` + vip + `}`: true, `{"data":[` + vip + `]}`: true,
		`{"data":null}`: false, `{"data":{}}`: false, `{"data":{ }}`: false, `{"data":[]}`: false, `{}`: false,
	} {
		var one gen.TagEnvelope
		require.NoError(t, json.Unmarshal([]byte(body), &one), body)
		if assert.Equal(t, want, one.Data.Value != nil, body) && want {
			assert.Equal(t, "vip", one.Data.Value.Attributes.Name)
		}
	}
	for _, body := range []string{`{"data":123}`, `{"data":"x"}`, `{"data":[1]}`} {
		require.Error(t, json.Unmarshal([]byte(body), new(gen.TagList)), body)
		require.Error(t, json.Unmarshal([]byte(body), new(gen.TagEnvelope)), body)
	}
}

func TestIDsMayBeNumbers(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]gen.ID{`"abc"`: "abc", `42`: "42", `9007199254740993`: "9007199254740993", `null`: ""} {
		var id gen.ID
		require.NoError(t, json.Unmarshal([]byte(body), &id), body)
		assert.Equal(t, want, id)
	}
	require.Error(t, json.Unmarshal([]byte(`{}`), new(gen.ID)))
}

func TestAnOddTimeLosesNothingElse(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`"2024-08-06T05:44:04.444Z"`: "2024-08-06T05:44:04.444Z", `"2024-08-06 05:44:04 UTC"`: "2024-08-06T05:44:04Z",
		`"2024-08-06T07:44:04+02:00"`: "2024-08-06T07:44:04+02:00", `"2024-08-06"`: "2024-08-06T00:00:00Z",
		`null`: "", `""`: "", `"soon"`: "", `5`: "",
	} {
		var tag gen.Tag
		require.NoError(t, json.Unmarshal([]byte(`{"id":1,"type":"tags","attributes":{"name":null,"created_at":`+body+`}}`), &tag), body)
		got, err := json.Marshal(tag.Attributes.CreatedAt)
		require.NoError(t, err)
		if want == "" {
			assert.Equal(t, "null", string(got), body)
		} else {
			assert.JSONEq(t, `"`+want+`"`, string(got), body)
		}
	}
}

// Absent and null are kept apart where it matters: in requests.
func TestAbsentIsNotNull(t *testing.T) {
	t.Parallel()
	for record, want := range map[*gen.EmailTemplateChange]string{
		{}: `{}`, {Subject: new("")}: `{"subject":""}`, {Subject: new("s"), HTML: new("h")}: `{"subject":"s","html":"h"}`,
	} {
		got, err := json.Marshal(record)
		require.NoError(t, err)
		assert.JSONEq(t, want, string(got))
	}
	custom := gen.SubscriberRecord{Email: "a@example.com"}
	custom.Set("plan", nil)
	got, err := json.Marshal(custom)
	require.NoError(t, err)
	assert.JSONEq(t, `{"email":"a@example.com","plan":null}`, string(got))
}

func TestEnumsAreConstantsAndAnswersMayHoldMore(t *testing.T) {
	t.Parallel()
	assert.True(t, gen.CommandNameAddTag.Valid())
	assert.False(t, gen.CommandName("add_everything").Valid())
	var w gen.Workflow
	require.NoError(t, json.Unmarshal([]byte(`{"id":"1","type":"something_new","attributes":{"name":"x","status":"paused","new":1}}`), &w))
	assert.Equal(t, "paused", w.Attributes.Status)
}

func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{`{"data":[` + vip + `]}`, `{"data":{}}`, `{"data":`, `null`, `{"data":{"id":1e400}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var list gen.BroadcastList
		var one gen.SubscriberEnvelope
		if json.Unmarshal(body, &list) == nil {
			if _, err := json.Marshal(list); err != nil {
				t.Fatal(err)
			}
		}
		_ = json.Unmarshal(body, &one)
	})
}
