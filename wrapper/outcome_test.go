package bento_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/gen"
	bento "example.com/bento-go/wrapper"
)

// "Not sent" is said only of what never left, "failed" only of what was surely refused, however
// harmless a repeat would be.
func TestWhatMayHaveArrivedIsUnknown(t *testing.T) {
	t.Parallel()
	person := []bento.SubscriberRecord{{Email: "ari@example.com"}}
	keyed := event("ari@example.com")
	keyed.Details = gen.EventDetails{"unique": map[string]any{"key": "order-1"}}
	for name, tc := range map[string]struct {
		answers []answer
		do      func(*bento.Client) (*bento.Result, error)
		advice  string
	}{
		"an import whose answers were lost": {
			[]answer{fail(errReset), fail(errReset), fail(errReset), fail(errReset)},
			func(c *bento.Client) (*bento.Result, error) { return c.ImportSubscribers(t.Context(), person) },
			"a repeat changes nothing",
		},
		"an import whose answer broke off": {
			[]answer{answerJSON(200, `{`)},
			func(c *bento.Client) (*bento.Result, error) { return c.ImportSubscribers(t.Context(), person) },
			"the request was accepted",
		},
		"an event of which a repeat would count twice": {
			[]answer{answerJSON(503, ``), answerJSON(503, ``), answerJSON(503, ``), answerJSON(503, ``)},
			func(c *bento.Client) (*bento.Result, error) { return c.TrackEvents(t.Context(), events(1)) },
			"may have taken effect",
		},
		"a command that would fire again": {
			[]answer{answerJSON(503, ``)},
			func(c *bento.Client) (*bento.Result, error) {
				return c.RunCommands(t.Context(), []bento.Command{bento.AddTagViaEvent("a@example.com", "vip")})
			},
			"may have taken effect",
		},
		"commands of which a repeat is harmless": {
			[]answer{fail(errReset), answerJSON(503, ``), fail(errReset), fail(errReset)},
			func(c *bento.Client) (*bento.Result, error) {
				return c.RunCommands(t.Context(), []bento.Command{bento.AddTag("a@example.com", "vip")})
			},
			"a repeat changes nothing",
		},
		"a lost answer, then refusals": {
			[]answer{fail(errReset), answerJSON(429, ``), fail(errRefused), answerJSON(429, ``)},
			func(c *bento.Client) (*bento.Result, error) { return c.TrackEvents(t.Context(), []bento.Event{keyed}) },
			"",
		},
	} {
		s := scripted(t, tc.answers...)
		result, err := tc.do(s.client(quick))
		require.ErrorIs(t, err, bento.ErrOutcomeUnknown, name)
		require.ErrorContains(t, err, tc.advice, name)
		assert.Equal(t, 1, result.Unknown, name)
		assert.Len(t, s.seen, len(tc.answers), name)
	}
}

// A 5xx leaves a doubt that no later refusal takes away; what is in doubt is not sent in halves.
func TestADoubtIsNotForgotten(t *testing.T) {
	t.Parallel()
	for name, later := range map[string]answer{
		"429": answerJSON(429, ``, "Retry-After", "3600"), "401": answerJSON(401, `{}`), "422": answerJSON(422, `{}`), "refused": fail(errRefused),
	} {
		synctest.Test(t, func(t *testing.T) {
			s := scripted(t, answerJSON(503, ``), later, later, later)
			result, err := s.client().TrackEvents(t.Context(), events(5), bento.WithBisection())
			require.ErrorIs(t, err, bento.ErrOutcomeUnknown, name)
			assert.Equal(t, 5, result.Unknown, name)
			assert.Equal(t, 1, result.Requests, name)
		})
	}
	synctest.Test(t, func(t *testing.T) {
		s := scripted(t, answerJSON(503, ``, "Retry-After", "60"))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		result, err := s.client().TrackEvents(ctx, events(5))
		require.ErrorIs(t, err, bento.ErrCanceled)
		assert.Equal(t, 5, result.Unknown, "a cancel in the backoff")
	})
	s := scripted(t, answerJSON(503, ``), answerJSON(422, `{}`))
	result, err := s.client(quick).ImportSubscribers(t.Context(), []bento.SubscriberRecord{{Email: "ari@example.com"}})
	require.NotErrorIs(t, err, bento.ErrOutcomeUnknown, "of an upsert there is no doubt")
	assert.Equal(t, 1, result.Failed)
}

// Counts that contradict themselves are never success.
func TestContradictoryCountsAreUnknown(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"results":10,"failed":3}`, `{"results":10,"failed":10}`, `{"results":9999}`, `{"results":10,"failed":-3}`, `{"results":-1,"failed":11}`,
		`{"results":1,"Results":10}`,
	} {
		result, err := scripted(t, answerJSON(200, body)).client().TrackEvents(t.Context(), events(10))
		require.Error(t, err, body)
		assert.Equal(t, 10, result.Unknown, body)
	}
}

func TestTheErrorThatEndsACallIsNeverForgotten(t *testing.T) {
	t.Parallel()
	all := append(make([]bento.Event, 1500), event("ari@example.com"))
	result, err := scripted(t, answerJSON(401, `{}`)).client().TrackEvents(t.Context(), all)
	require.ErrorIs(t, err, bento.ErrUnauthorized)
	assert.Len(t, result.Problems, 1001)
	assert.Equal(t, 1501, result.Failed)
}

func TestARecordThatCannotBeWrittenIsSetAside(t *testing.T) {
	t.Parallel()
	latin1 := event("ari@example.com")
	latin1.Fields = gen.EventFields{"first_name": "Jos\xe9"}
	nan := event("ari@example.com")
	nan.Details = gen.EventDetails{"ratio": math.NaN()}
	odd := event("ari@example.com")
	odd.Details = gen.EventDetails{"callback": make(chan int)}
	cycle := map[string]any{}
	cycle["self"] = cycle
	endless := event("ari@example.com")
	endless.Details = cycle
	s := scripted(t, accepted("1"))
	result, err := s.client().TrackEvents(t.Context(), []bento.Event{latin1, nan, odd, endless, event("bo@example.com")})
	require.ErrorIs(t, err, bento.ErrInvalid)
	assert.Equal(t, 1, result.Accepted)
	for i, want := range []string{"fields holds text that is not UTF-8", "details holds a number that is not finite", "JSON cannot write", "nests deeper"} {
		require.ErrorContains(t, result.Problems[i], want)
	}
	assert.JSONEq(t, `{"events":[{"type":"$signed_up","email":"bo@example.com"}]}`, s.seen[0].body)
}

func TestAnErrorByValuePrintsNoMoreThanItsText(t *testing.T) {
	t.Parallel()
	_, err := scripted(t, answerJSON(400, `{"error":"x"}`, "Location", "https://example.com/?site_uuid="+testSite, "Set-Cookie", "a="+testSecret)).client().ListTags(t.Context())
	var e *bento.Error
	require.ErrorAs(t, err, &e)
	encoded, marshalErr := json.Marshal(*e)
	require.NoError(t, marshalErr)
	requireNoSecrets(t, fmt.Sprintf("%v %+v %#v %v", *e, *e, *e, e.Header)+string(encoded))
}

func TestTextInEveryCommonPlaceIsUTF8(t *testing.T) {
	t.Parallel()
	for _, value := range []any{"\xff", []string{"\xff"}, map[string]string{"a": "\xff"}, map[string]any{"\xff": 1}} {
		_, err := bento.Encode(bento.AddField("a@example.com", "key", value))
		require.ErrorContains(t, err, "not UTF-8")
	}
}
