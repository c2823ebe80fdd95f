package gen_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

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
	for _, body := range []string{`{"data":5}`, `{"data":123}`, `{"data":"x"}`, `{"data":[1]}`} {
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

// Real answers bend every member; none of it loses the rest, and nothing is lost in silence.
func TestBentMembersLoseNothingElse(t *testing.T) {
	t.Parallel()
	one := func(attributes string) string {
		return `{"data":[{"id":1,"type":"x","attributes":` + attributes + `},null]}`
	}
	var people gen.SubscriberList
	require.NoError(t, json.Unmarshal([]byte(strings.Replace(one(`{"uuid":"u","email":"e","fields":[],"cached_tag_ids":[1,"2",null]}`), "{", `{"meta":[],`, 1)), &people))
	require.Len(t, people.Data, 1)
	assert.Empty(t, people.Data[0].Attributes.Fields)
	assert.Equal(t, gen.List[gen.ID]{"1", "2"}, people.Data[0].Attributes.CachedTagIds)

	var broadcasts gen.BroadcastList
	require.NoError(t, json.Unmarshal([]byte(one(`{"name":"n","stats":[],"template":null}`)), &broadcasts))
	assert.Equal(t, "n", broadcasts.Data[0].Attributes.Name)

	var sequences gen.SequenceList
	require.NoError(t, json.Unmarshal([]byte(one(`{"name":"n","email_templates":{"id":"7","stats":[]}}`)), &sequences))
	assert.Equal(t, gen.Number(7), sequences.Data[0].Attributes.EmailTemplates[0].ID)
	require.NoError(t, json.Unmarshal([]byte(one(`{"name":"n","email_templates":{}}`)), &sequences))
	assert.Empty(t, sequences.Data[0].Attributes.EmailTemplates)

	var fields gen.FieldList
	for text, want := range map[string]gen.Flag{`true`: true, `"true"`: true, `"false"`: false, `null`: false} {
		require.NoError(t, json.Unmarshal([]byte(one(`{"name":"n","key":"k","whitelisted":`+text+`}`)), &fields))
		assert.Equal(t, want, fields.Data[0].Attributes.Whitelisted, text)
	}
	require.Error(t, json.Unmarshal([]byte(one(`{"name":"n","key":"k","whitelisted":"perhaps"}`)), &fields))

	var created gen.CreateBroadcastsResult
	require.NoError(t, json.Unmarshal([]byte(`{"results":1,"broadcasts":[{"id":"7","template_id":8}]}`), &created))
	assert.Equal(t, gen.Number(7), created.Broadcasts[0].ID)
	require.Error(t, json.Unmarshal([]byte(`{"results":1,"broadcasts":[{"id":"seven"}]}`), &created))
}

// What nobody can read as a time is none the less there.
func TestAConsentIsNotLostWithItsTime(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`"2024-06-10T10:00:00"`: "2024-06-10T10:00:00Z", `"2024-06-10T10:00:00.000+0000"`: "2024-06-10T10:00:00Z", `1718013600`: "2024-06-10T10:00:00Z", `"yesterday"`: "",
	} {
		var one gen.SubscriberEnvelope
		require.NoError(t, json.Unmarshal([]byte(`{"data":[null,{"id":"1","attributes":{"email":"e","unsubscribed_at":`+text+`}}]}`), &one), text)
		require.NotNil(t, one.Data.Value, "behind a null, and found")
		at := one.Data.Value.Attributes.UnsubscribedAt
		if want == "" {
			assert.Equal(t, "yesterday", at.Raw)
			continue
		}
		assert.Empty(t, at.Raw)
		assert.Equal(t, want, at.UTC().Format("2006-01-02T15:04:05Z07:00"), text)
	}
}

// A verdict that is missing is no verdict.
func TestAnAnswerThatSaysNothingIsNoVerdict(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{}`, `{"valid":null}`, `{"data":{}}`} {
		require.Error(t, json.Unmarshal([]byte(body), new(gen.Validity)), body)
		require.Error(t, json.Unmarshal([]byte(body), new(gen.ModerationResult)), body)
		require.Error(t, json.Unmarshal([]byte(body), new(gen.RulesetResult)), body)
	}
	var rules gen.RulesetResult
	require.NoError(t, json.Unmarshal([]byte(`{"valid":true,"reasons":null}`), &rules))
	assert.True(t, rules.Valid)
	var people gen.SubscriberList
	require.NoError(t, json.Unmarshal([]byte(`{"data":[],"meta":{"page":"2"}}`), &people))
	assert.Equal(t, gen.Number(2), people.Meta.Page)
	var v gen.Validity
	require.NoError(t, json.Unmarshal([]byte(`{"data":{"valid":true}}`), &v))
	assert.True(t, v.Valid)
	var created gen.CreateBroadcastsResult
	require.NoError(t, json.Unmarshal([]byte(`{"data":{"results":3,"failed":1}}`), &created))
	assert.Equal(t, 3, created.Results)
}

// Numbers of custom fields keep every digit.
func TestCustomNumbersKeepTheirDigits(t *testing.T) {
	t.Parallel()
	var o gen.Object
	require.NoError(t, json.Unmarshal([]byte(`{"seats":3,"rate":1.5,"big":9007199254740993,"inside":{"list":[-9007199254740993,1e2]}}`), &o))
	assert.Equal(t, gen.Object{
		"seats": 3.0, "rate": 1.5, "big": json.Number("9007199254740993"),
		"inside": map[string]any{"list": []any{json.Number("-9007199254740993"), 100.0}},
	}, o)
}

// What older endpoints wrap is found; an answer that says nothing is an error and not zero.
// However an answer speaks of single records, how many it took is read; and what names none names not the first.
func TestWhatIsSaidOfRecordsHidesNoCount(t *testing.T) {
	t.Parallel()
	none := gen.RecordError{Index: -1}
	for errs, want := range map[string][]gen.RecordError{
		`[{"index":3,"error":"no type"}]`:                    {{Index: 3, Error: "no type"}},
		`[{"index":"3","error":{"type":["is missing"]}}]`:    {{Index: 3}},
		`[{"error":"no type"},{"index":null,"error":"x"}]`:   {{Index: -1, Error: "no type"}, {Index: -1, Error: "x"}},
		`[{"index":"","error":"x"},"x",[],7,{"index":true}]`: {none, none, none, none, none},
		`[{"index":1.5}, {"index":99999999999999999999}]`:    {none, none},
		`{"email":["is invalid"]}`:                           {none},
		`"no type"`:                                          {none},
		`null`:                                               nil,
	} {
		var result gen.BatchResult
		require.NoError(t, json.Unmarshal([]byte(`{"results":2,"failed":1,"errors":`+errs+`}`), &result), errs)
		assert.Equal(t, 2, result.Results)
		assert.Equal(t, 1, *result.Failed)
		assert.Equal(t, want, []gen.RecordError(result.Errors), errs)
		var created gen.CreateBroadcastsResult
		require.NoError(t, json.Unmarshal([]byte(`{"results":2,"failed":1,"failures":`+errs+`}`), &created), errs)
		require.Len(t, created.Failures, len(want))
		for i, f := range created.Failures {
			assert.Equal(t, gen.RecordError{Index: f.Index, Error: f.Error}, want[i], errs)
		}
	}
	var failure gen.BroadcastFailure
	require.NoError(t, json.Unmarshal([]byte(`{"index":1,"name":"July news","error":"no subject"}`), &failure))
	assert.Equal(t, gen.BroadcastFailure{Index: 1, Name: "July news", Error: "no subject"}, failure)
}

func TestWrappedAnswersAreUnwrapped(t *testing.T) {
	t.Parallel()
	counts := `{"user_count":8,"subscriber_count":6,"unsubscriber_count":2}`
	for _, body := range []string{counts, `{"data":` + counts + `}`, `{"data":[` + counts + `]}`} {
		var count gen.PeopleCount
		require.NoError(t, json.Unmarshal([]byte(body), &count), body)
		assert.Equal(t, gen.PeopleCount{UserCount: 8, SubscriberCount: 6, UnsubscriberCount: 2}, count, body)
	}
	for _, body := range []string{`{"data":42,"chart_style":"counter"}`, `{"report_data":{"data":42,"chart_style":"counter"}}`} {
		var report gen.Report
		require.NoError(t, json.Unmarshal([]byte(body), &report), body)
		assert.Equal(t, gen.Report{Data: 42.0, ChartStyle: "counter"}, report, body)
	}
	for _, body := range []string{`{"results":2,"failed":0}`, `{"data":[{"results":2,"failed":0}]}`} {
		var result gen.BatchResult
		require.NoError(t, json.Unmarshal([]byte(body), &result), body)
		assert.Equal(t, 2, result.Results, body)
	}
	for _, body := range []string{`{}`, `[]`, `{"data":null}`, `{"data":{}}`, `{"total_subscribers":1000}`, `{"data":{"results":2}}`} {
		require.Error(t, json.Unmarshal([]byte(body), new(gen.PeopleCount)), body)
	}
	require.NoError(t, json.Unmarshal([]byte(`{}`), new(gen.BatchResult)))
	require.Error(t, json.Unmarshal([]byte(`{"results":"two"}`), new(gen.BatchResult)))
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
		for _, other := range []any{new(gen.BatchResult), new(gen.Report), new(gen.PeopleCount), new(gen.SequenceList), new(gen.FieldList)} {
			_ = json.Unmarshal(body, other)
		}
		if json.Unmarshal(body, &list) == nil {
			if _, err := json.Marshal(list); err != nil {
				t.Fatal(err)
			}
		}
		_ = json.Unmarshal(body, &one)
	})
}

// No date of an answer is one that fails the whole answer because it is odd: each is a gen.Time, also those
// that the contract has got since.
func TestDatesOfAnswersAreLenient(t *testing.T) {
	t.Parallel()
	seen := map[reflect.Type]bool{}
	var walk func(of reflect.Type, at string)
	walk = func(of reflect.Type, at string) {
		if of == reflect.TypeFor[time.Time]() {
			assert.Fail(t, at+" is a time.Time", "Name it among the dates in gen/overlay.yaml.")
		}
		if seen[of] || of == reflect.TypeFor[gen.Time]() {
			return
		}
		seen[of] = true
		switch of.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			walk(of.Elem(), at)
		case reflect.Struct:
			for f := range of.Fields() {
				walk(f.Type, at+"."+f.Name)
			}
		}
	}
	answers := 0
	for method := range reflect.TypeFor[*gen.ClientWithResponses]().Methods() {
		answer := method.Type.Out(0).Elem()
		for f := range answer.Fields() {
			if strings.HasPrefix(f.Name, "JSON2") {
				walk(f.Type, answer.Name())
				answers++
			}
		}
	}
	assert.Greater(t, answers, 30)
	assert.True(t, seen[reflect.TypeFor[gen.SubscriberAttributes]()])
}
