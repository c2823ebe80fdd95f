package conformance_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/bento-go/conformance"
)

// Planted in wrong traffic: no finding may repeat it.
const canary = "c4n4ry"

func newChecker(t testing.TB, opts ...conformance.Option) *conformance.Checker {
	t.Helper()
	c, err := conformance.New(opts...)
	require.NoError(t, err)
	return c
}

// An exchange that keeps the contract, for a test to change.
func good(method, path, body, answer string) *conformance.Exchange {
	separator := "?"
	if strings.Contains(path, "?") {
		separator = "&"
	}
	return &conformance.Exchange{
		Request: conformance.Request{
			Method: method, URL: "https://app.bentonow.com/api/v1" + path + separator + "site_uuid=2d8ab3b8f2a14a06a4c4b8f5d1a8a0c3",
			Header: http.Header{
				"Authorization": {"Basic cGtfdGVzdDpza190ZXN0"}, "User-Agent": {"AcmeCRM/1.0"}, "Content-Type": {"application/json"},
			},
			Body: []byte(body),
		},
		Response: &conformance.Response{Status: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(answer)},
	}
}

const oneEvent = `{"events":[{"type":"$signed_up","email":"ari@example.com"}]}`

func eventBody(member string) string {
	return `{"events":[{"type":"x","email":"ari@example.com",` + member + `}]}`
}

func manyEvents(n int) string {
	return `{"events":[` + strings.TrimSuffix(strings.Repeat(`{"type":"x","email":"a@example.com"},`, n), ",") + `]}`
}
