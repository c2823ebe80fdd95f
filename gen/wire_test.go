package gen_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/gen"
)

// What the generated types put on the wire: nothing that nobody set. An empty first_name
// would blank a person's profile, a zero date would backdate an event to the year 1.
func TestWhatGoesOnTheWire(t *testing.T) {
	t.Parallel()
	custom := gen.SubscriberRecord{Email: "ari@example.com", FirstName: new("Ari")}
	custom.Set("plan", "pro")
	custom.Set("seats", 3)
	custom.Set("churned_at", nil)
	for name, tc := range map[string]struct {
		body any
		want string
	}{
		"event without extras": {
			gen.Event{Type: "$signed_up", Email: "ari@example.com"},
			`{"type":"$signed_up","email":"ari@example.com"}`,
		},
		"event with empty maps and no date": {
			gen.Event{Type: "x", Email: "ari@example.com", Fields: gen.EventFields{}, Details: gen.EventDetails{}, Date: time.Time{}},
			`{"type":"x","email":"ari@example.com"}`,
		},
		"purchase": {
			gen.Event{
				Type: "$purchase", Email: "ari@example.com", Date: time.Date(2026, 6, 10, 9, 30, 0, 0, time.UTC),
				Details: gen.EventDetails{"unique": map[string]any{"key": "order-1"}, "value": map[string]any{"currency": "USD", "amount": 7995}},
			},
			`{"type":"$purchase","email":"ari@example.com","date":"2026-06-10T09:30:00Z",
			  "details":{"unique":{"key":"order-1"},"value":{"currency":"USD","amount":7995}}}`,
		},
		"subscriber with only an address": {
			gen.SubscriberRecord{Email: "ari@example.com"}, `{"email":"ari@example.com"}`,
		},
		"custom fields beside known ones": {
			custom, `{"email":"ari@example.com","first_name":"Ari","plan":"pro","seats":3,"churned_at":null}`,
		},
		"a field set to the empty string": {
			gen.SubscriberRecord{Email: "ari@example.com", LastName: new("")}, `{"email":"ari@example.com","last_name":""}`,
		},
		"email without extras": {
			gen.Email{To: "ari@example.com", From: "a@acme.example", Subject: "Hi", HTMLBody: "<p>", Personalizations: gen.Personalizations{}},
			`{"to":"ari@example.com","from":"a@acme.example","subject":"Hi","html_body":"\u003cp\u003e"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := json.Marshal(tc.body)
			require.NoError(t, err)
			assert.JSONEq(t, tc.want, string(got))
		})
	}
}

func TestOptionalParametersStayOffTheWire(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		params gen.ListBroadcastsParams
		want   string
	}{
		"no page": {gen.ListBroadcastsParams{}, ""},
		"page 2":  {gen.ListBroadcastsParams{Page: new(2)}, "page=2"},
	} {
		req, err := gen.NewListBroadcastsRequest("https://example.com/api/v1", &tc.params)
		require.NoError(t, err, name)
		assert.Equal(t, tc.want, req.URL.RawQuery, name)
	}
}

func TestMatchOperation(t *testing.T) {
	t.Parallel()
	for request, want := range map[[2]string]string{
		{"POST", "/api/v1/batch/events"}:         gen.OpTrackEvents,
		{"POST", "/proxied/api/v1/batch/events"}: gen.OpTrackEvents,
		{"GET", "/fetch/tags"}:                   gen.OpListTags,
		{"POST", "/fetch/tags"}:                  gen.OpCreateTag,
		{"GET", "/api/v1/batch/events"}:          "",
		{"POST", "/api/v1/batch/eventss"}:        "",
		{"POST", "/api/v1/rebatch/events/x"}:     "",
		{"POST", "events"}:                       "",
	} {
		op, ok := gen.MatchOperation(request[0], request[1])
		assert.Equal(t, want, op.ID, request)
		assert.Equal(t, want != "", ok, request)
	}
}

func TestOperationsAreThoseOfTheContract(t *testing.T) {
	t.Parallel()
	for _, op := range gen.Operations() {
		found, ok := gen.OperationByID(op.ID)
		require.True(t, ok)
		assert.Equal(t, op, found)
	}
	op, _ := gen.OperationByID(gen.OpSendEmails)
	assert.Equal(t, gen.RetryNever, op.Retry)
	assert.Equal(t, 60, op.BatchMax)
}
