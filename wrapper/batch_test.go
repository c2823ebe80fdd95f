package bento_test

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	bento "example.com/bento-go/wrapper"
)

func email() bento.Email {
	return bento.Email{To: "ari@example.com", From: "support@acme.example", Subject: "Hello", HTMLBody: "<p>Hello</p>"}
}

func size(t *testing.T, r request, key string) int {
	t.Helper()
	var body map[string][]json.RawMessage
	require.NoError(t, json.Unmarshal([]byte(r.body), &body))
	return len(body[key])
}

func TestBatchesAreCutToTheDocumentedSize(t *testing.T) {
	t.Parallel()
	s := scripted(t, accepted("1000"), accepted("1000"), accepted("500"))
	result, err := s.client().TrackEvents(t.Context(), events(2500))
	require.NoError(t, err)
	assert.Equal(t, bento.Result{Read: 2500, Accepted: 2500, Requests: 3}, *result)
	for i, want := range []int{1000, 1000, 500} {
		assert.Equal(t, want, size(t, s.seen[i], "events"))
	}

	s = scripted(t, answerJSON(200, `{"results":60}`), answerJSON(201, `{"results":1}`))
	emails := make([]bento.Email, 61)
	for i := range emails {
		emails[i] = email()
	}
	result, err = s.client().SendEmails(t.Context(), emails)
	require.NoError(t, err)
	assert.Equal(t, 61, result.Accepted)
	assert.Equal(t, 1, size(t, s.seen[1], "emails"))
}

func TestNothingToSendSendsNothing(t *testing.T) {
	t.Parallel()
	s := scripted(t)
	result, err := s.client().TrackEvents(t.Context(), nil)
	require.NoError(t, err)
	assert.Equal(t, bento.Result{}, *result)
	assert.Empty(t, s.seen)
}

func TestASequenceIsReadOneBatchAtATime(t *testing.T) {
	t.Parallel()
	read := 0
	var source iter.Seq[bento.Event] = func(yield func(bento.Event) bool) {
		for range 5000 {
			read++
			if !yield(event("ari@example.com")) {
				return
			}
		}
	}
	s := scripted(t, accepted("1000"), func(req *http.Request) (*http.Response, error) {
		assert.Equal(t, 2000, read)
		return answerJSON(401, `{"error":"Unauthorized"}`)(req)
	})
	result, err := s.client().TrackEventsSeq(t.Context(), source)
	require.ErrorIs(t, err, bento.ErrUnauthorized)
	assert.Equal(t, 2000, read, "the rest is not read")
	assert.Equal(t, 1000, result.Accepted)
	assert.Equal(t, 1000, result.Failed)
}

func TestWhatBecameOfEachRecord(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		answers []answer
		want    bento.Result // without Problems
		is      error
	}{
		"one batch refused, the rest goes on": {
			[]answer{accepted("1000"), answerJSON(422, `{"errors":[{"field":"type","message":"is invalid"}]}`), accepted("500")},
			bento.Result{Read: 2500, Accepted: 1500, Failed: 1000, Requests: 3}, bento.ErrUnprocessable,
		},
		"credentials refused ends it": {
			[]answer{accepted("1000"), answerJSON(401, `{}`)},
			bento.Result{Read: 2500, Accepted: 1000, Failed: 1000, NotSent: 500, Requests: 2}, bento.ErrUnauthorized,
		},
		"no answer leaves it unknown": {
			[]answer{accepted("1000"), fail(errReset)},
			bento.Result{Read: 2500, Accepted: 1000, Unknown: 1000, NotSent: 500, Requests: 2}, bento.ErrOutcomeUnknown,
		},
		"some of a batch failed": {
			[]answer{answerJSON(200, `{"results":997,"failed":3}`), accepted("1000"), accepted("500")},
			bento.Result{Read: 2500, Accepted: 2497, Failed: 3, Requests: 3}, nil,
		},
		"the counts fall short": {
			[]answer{answerJSON(200, `{"results":1,"failed":0}`), accepted("1000"), accepted("500")},
			bento.Result{Read: 2500, Accepted: 1501, Unknown: 999, Requests: 3}, nil,
		},
		"the counts are absurd": {
			[]answer{answerJSON(200, `{"results":5000,"failed":-1}`), answerJSON(200, `{"results":-7,"failed":9999}`), accepted("500")},
			bento.Result{Read: 2500, Accepted: 500, Unknown: 2000, Requests: 3}, nil,
		},
		"success without counts": {
			[]answer{answerJSON(200, `{}`), accepted("1000"), accepted("500")},
			bento.Result{Read: 2500, Accepted: 1500, Unknown: 1000, Requests: 3}, nil,
		},
		"an HTML page in place of a success": {
			[]answer{respond(200, "text/html", "<html>"), accepted("1000"), accepted("500")},
			bento.Result{Read: 2500, Unknown: 1000, NotSent: 1500, Requests: 1}, bento.ErrUnexpectedAnswer,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := scripted(t, tc.answers...)
			result, err := s.client(bento.WithRetry(bento.RetryPolicy{MaxAttempts: 1})).TrackEvents(t.Context(), events(2500))
			var batch *bento.BatchError
			require.ErrorAs(t, err, &batch)
			assert.Equal(t, *result, batch.Result)
			assert.Equal(t, result.Read, result.Accepted+result.Failed+result.Unknown+result.NotSent)
			assert.NotEmpty(t, result.Problems)
			got := *result
			got.Problems = nil
			assert.Equal(t, tc.want, got)
			if tc.is != nil {
				require.ErrorIs(t, err, tc.is)
			}
			requireNoSecrets(t, err.Error())
		})
	}
}

// Records that Bento names as refused are told where they stand in the source, whatever was refused here
// before them; what it does not name is told of the batch.
func TestRecordsThatBentoNamesAreToldWhereTheyStand(t *testing.T) {
	t.Parallel()
	all := append([]bento.Event{event("")}, events(1200)...)
	for answer, want := range map[string][]string{
		`{"results":998,"failed":2,"errors":[{"index":0,"error":"no such type"},{"index":999,"error":"for canary@example.com"}]}`: {
			"record 1: no such type", "record 1000: for [address]",
		},
		`{"results":996,"failed":4,"errors":[{"index":7,"error":"a"},{"index":7,"error":"b"},{"index":1000,"error":"c"},{"index":-1,"error":"d"}]}`: {
			"records 1 to 1000: Bento refused 3 more, and does not say which", "record 8: a",
		},
		`{"results":998,"failed":2,"errors":[{"index":7,"error":"a"}]}`: {
			"records 1 to 1000: Bento refused 1 more, and does not say which", "record 8: a",
		},
		`{"results":998,"failed":2}`: {
			"records 1 to 1000: Bento accepted the batch but refused 2 of its 1000 records, and does not say which: check their addresses and types",
		},
		`{"results":999,"errors":[{"index":3,"error":"a"}]}`: {"record 4: a"},
		`{"results":999,"errors":[{"index":3}]}`:             {"record 4: Bento does not say why"},
		`{"results":999,"failed":1,"errors":[{"field":"email","message":"is invalid"}]}`: {
			"records 1 to 1000: Bento accepted the batch but refused 1 of its 1000 records, and does not say which: check their addresses and types",
		},
	} {
		result, err := scripted(t, answerJSON(200, answer), accepted("200")).client().TrackEvents(t.Context(), all)
		require.Error(t, err)
		assert.Equal(t, 1201, result.Accepted+result.Failed, "nothing is unknown: %+v", result)
		var told []string
		for _, p := range result.Problems[1:] {
			told = append(told, p.Error())
		}
		assert.Equal(t, want, told)
	}
}

// A batch of which Bento has refused every record is not taken apart to find the one that is to blame.
func TestABatchThatIsRefusedByCountIsNotTakenApart(t *testing.T) {
	t.Parallel()
	s := scripted(t, answerJSON(422, `{"results":0,"failed":3,"errors":[{"index":0,"error":"no such type"}]}`))
	result, err := s.client().TrackEvents(t.Context(), events(3), bento.WithBisection())
	require.ErrorIs(t, err, bento.ErrUnprocessable)
	assert.Equal(t, 3, result.Failed)
	assert.True(t, result.Problems[0].Counted)
	assert.NotContains(t, result.Problems[0].Error(), "no such type", "of which only one of them is")
	assert.Len(t, s.seen, 1)

	s = scripted(t, answerJSON(422, `{"results":0,"failed":2}`), accepted("1"), answerJSON(422, `{"error":"x"}`), accepted("1"), answerJSON(422, `{}`))
	result, err = s.client().TrackEvents(t.Context(), events(3), bento.WithBisection())
	require.Error(t, err)
	assert.Equal(t, 2, result.Accepted, "one was to blame, whatever the count")
}

// Where Bento has refused every record of a batch, each that it names has its own reason, at its place in
// the source; the others have that of the batch.
func TestRecordsOfARefusedBatchHaveTheirOwnReasons(t *testing.T) {
	t.Parallel()
	refuses := func(n int) answer {
		return answerJSON(422, fmt.Sprintf(`{"results":0,"failed":%d,"errors":[{"index":1,"error":"no type"},{"index":0,"error":"for canary@example.com"},{"error":"x"}]}`, n))
	}
	for n, want := range map[int][]string{
		3: {
			"records 1000 to 1002: bento: trackEvents: 422 Unprocessable Entity",
			`record 1000: bento: trackEvents: 422 Unprocessable Entity: "for [address]"`, `record 1001: bento: trackEvents: 422 Unprocessable Entity: "no type"`,
		},
		2: {`record 1000: bento: trackEvents: 422 Unprocessable Entity: "for [address]"`, `record 1001: bento: trackEvents: 422 Unprocessable Entity: "no type"`},
	} {
		result, err := scripted(t, accepted("1000"), refuses(n)).client().TrackEvents(t.Context(), events(1000+n))
		require.ErrorIs(t, err, bento.ErrUnprocessable)
		assert.Equal(t, bento.Result{Read: 1000 + n, Accepted: 1000, Failed: n, Requests: 2, Problems: result.Problems}, *result)
		var told []string
		for _, p := range result.Problems {
			told = append(told, strings.SplitN(p.Error(), ". ", 2)[0])
			require.ErrorIs(t, p, bento.ErrUnprocessable)
			assert.True(t, p.Counted)
		}
		assert.ElementsMatch(t, want, told)
	}
}

// What is told of single records are reasons of a refusal that counts them all, and else of none.
func TestRecordsAreNamedOnlyWhereAllAreRefused(t *testing.T) {
	t.Parallel()
	const named = `"errors":[{"index":0,"error":"no type"}]`
	for name, tc := range map[string]struct {
		status int
		body   string
		want   bento.Problem
		text   string
	}{
		"no count":         {422, `{"results":0,` + named + `}`, bento.Problem{Last: 2, Failed: 3}, "index 0 no type"},
		"a smaller count":  {422, `{"results":0,"failed":1,` + named + `}`, bento.Problem{Last: 2, Failed: 3}, "index 0 no type"},
		"another refusal":  {401, `{"results":0,"failed":3,` + named + `}`, bento.Problem{Last: 2, Failed: 3}, "index 0 no type"},
		"none that counts": {503, `{"results":0,"failed":3,` + named + `}`, bento.Problem{Last: 2, Unknown: 3}, "503"},
		"none is named":    {422, `{"results":0,"failed":3,"errors":[{"field":"type","message":"is missing"}]}`, bento.Problem{Last: 2, Failed: 3, Counted: true}, "type is missing"},
	} {
		result, err := scripted(t, answerJSON(tc.status, tc.body)).client(bento.WithRetry(bento.RetryPolicy{MaxAttempts: 1})).TrackEvents(t.Context(), events(3))
		require.ErrorContains(t, err, tc.text, name)
		require.Len(t, result.Problems, 1, name)
		tc.want.Err = result.Problems[0].Err
		assert.Equal(t, tc.want, result.Problems[0], name)
	}
}

// An answer may name more records than are worth remembering.
func TestRecordsThatBentoNamesHaveABound(t *testing.T) {
	t.Parallel()
	var errs []string
	for i := range 1000 {
		errs = append(errs, fmt.Sprintf(`{"index":%d,"error":"x"}`, i))
	}
	result, err := scripted(t, answerJSON(200, `{"results":0,"failed":1000,"errors":[`+strings.Join(errs, ",")+`]}`)).client().TrackEvents(t.Context(), events(1000))
	require.Error(t, err)
	assert.Equal(t, 1000, result.Failed)
	assert.Len(t, result.Problems, 21, "the batch and twenty")
}

func TestABadRecordIsSetAsideAndTheRestGoesOn(t *testing.T) {
	t.Parallel()
	s := scripted(t, accepted("3"))
	all := []bento.Event{event("a@example.com"), event(""), event("b@example.com"), {Email: "canary@example.com"}, event("canary@"), event("c+d@exämple.com")}
	result, err := s.client().TrackEvents(t.Context(), all)
	require.ErrorIs(t, err, bento.ErrInvalid)
	assert.Equal(t, 3, result.Accepted)
	assert.Equal(t, 3, result.Failed)
	require.Len(t, result.Problems, 3)
	for i, at := range []int{1, 3, 4} {
		assert.Equal(t, at, result.Problems[i].First)
	}
	requireNoSecrets(t, err.Error()+result.Problems[2].Error())
	assert.Equal(t, 3, size(t, s.seen[0], "events"))
}

func TestRecordsThatWouldDoHarmAreRefused(t *testing.T) {
	t.Parallel()
	c := scripted(t).client()
	withSubject := email()
	withSubject.Subject = "Hello\r\nBcc: everybody@example.com"
	_, err := c.SendEmails(t.Context(), []bento.Email{withSubject})
	require.ErrorIs(t, err, bento.ErrInvalid)
	shadowed := bento.SubscriberRecord{Email: "ari@example.com"}
	shadowed.Set("email", "someone.else@example.com")
	_, err = c.ImportSubscribers(t.Context(), []bento.SubscriberRecord{shadowed})
	require.ErrorContains(t, err, "email, which has a field of its own")
}

func TestCancellationTellsWhatWasAccepted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s := scripted(t, accepted("1000"), func(req *http.Request) (*http.Response, error) {
		cancel()
		return nil, req.Context().Err()
	})
	result, err := s.client().TrackEvents(ctx, events(3000))
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, 1000, result.Accepted)
	assert.Equal(t, 1000, result.Unknown, "it had left, for all the client knows")
	assert.Equal(t, 1000, result.NotSent)
	assert.True(t, strings.HasPrefix(err.Error(), "bento: trackEvents: 1000 of 3000 records accepted, 1000 unknown, 1000 not sent"), err)
}

func TestASourceThatIsBadThroughoutIsRememberedInPart(t *testing.T) {
	t.Parallel()
	result, err := scripted(t).client().TrackEvents(t.Context(), make([]bento.Event, 5000))
	require.ErrorIs(t, err, bento.ErrInvalid)
	assert.Equal(t, 5000, result.Failed)
	assert.Len(t, result.Problems, 1000)
}

func TestEventsOnTheWire(t *testing.T) {
	t.Parallel()
	s := scripted(t, accepted("1"))
	e := event("ari@example.com")
	e.Date = time.Date(2026, 6, 10, 9, 30, 0, 0, time.UTC)
	_, err := s.client().TrackEvents(t.Context(), []bento.Event{e})
	require.NoError(t, err)
	req := s.seen[0]
	assert.JSONEq(t, `{"events":[{"type":"$signed_up","email":"ari@example.com","date":"2026-06-10T09:30:00Z"}]}`, req.body)
	assert.Equal(t, "/some/prefix/api/v1/batch/events", req.URL.Path)
	assert.Equal(t, testSite, req.URL.Query().Get("site_uuid"))
	assert.Equal(t, "AcmeCRM/1.0", req.UserAgent())
	assert.Equal(t, "application/json", req.Header.Get("Content-Type"))
	assert.Equal(t, "application/json", req.Header.Get("Accept"))
	assert.Empty(t, req.Header.Get("Idempotency-Key"), "net/http would repeat the POST")
	user, password, ok := req.BasicAuth()
	assert.True(t, ok)
	assert.Equal(t, testPublishable+testSecret, user+password)
}

func TestCommandsComeInASequenceTooAndGoOutInBatches(t *testing.T) {
	t.Parallel()
	s := scripted(t, answerJSON(200, `{"results":100,"failed":0}`), answerJSON(200, `{"results":20,"failed":0}`))
	result, err := s.client().RunCommandsSeq(t.Context(), func(yield func(bento.Command) bool) {
		for range 120 {
			if !yield(bento.AddTag("a@example.com", "vip")) {
				return
			}
		}
	})
	require.NoError(t, err)
	assert.Equal(t, 120, result.Accepted)
	assert.Len(t, s.seen, 2)
}
