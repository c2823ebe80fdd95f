package bento_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	bento "example.com/bento-go/wrapper"
)

var once = bento.WithRetry(bento.RetryPolicy{MaxAttempts: 1})

func TestEveryStatusHasItsKindAndItsHint(t *testing.T) {
	t.Parallel()
	for status, tc := range map[int]struct {
		kind error
		hint string
	}{
		400: {bento.ErrBadRequest, "Check required fields and data types"},
		401: {bento.ErrUnauthorized, "site_uuid"},
		403: {bento.ErrForbidden, "Check User-Agent"},
		404: {bento.ErrNotFound, "Check path, method, and identifiers"},
		422: {bento.ErrUnprocessable, "correct the record"},
		429: {bento.ErrRateLimited, "Slow down and retry with backoff"},
		500: {bento.ErrServer, "Retry later with backoff"},
		503: {bento.ErrServer, "Retry later with backoff"},
		302: {bento.ErrRedirected, "not followed"},
		204: {bento.ErrUnexpectedAnswer, ""},
		418: {nil, ""},
	} {
		_, err := scripted(t, answerJSON(status, `{"error":"Server's words"}`)).client(once).ListTags(t.Context())
		var e *bento.Error
		require.ErrorAs(t, err, &e, status)
		assert.Equal(t, status, e.StatusCode)
		assert.Equal(t, "listTags", e.Operation)
		assert.Equal(t, "GET", e.Method)
		assert.Equal(t, "/fetch/tags", e.Path)
		assert.Contains(t, e.Hint, tc.hint, status)
		for _, kind := range []error{
			bento.ErrBadRequest, bento.ErrUnauthorized, bento.ErrForbidden, bento.ErrNotFound, bento.ErrUnprocessable,
			bento.ErrRateLimited, bento.ErrServer, bento.ErrRedirected, bento.ErrUnexpectedAnswer, bento.ErrNetwork,
		} {
			assert.Equal(t, errors.Is(tc.kind, kind), e.Is(kind), "%d is %v", status, kind)
		}
	}
}

// The commonest slip beside a fake: http://127.0.0.1:7373 for http://127.0.0.1:7373/api/v1.
func TestAnAddressWithoutItsPathIsNamed(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	for path, named := range map[string]bool{"": true, "/": true, "/api/v1": false, "/some/prefix/api/v1/": false} {
		cfg := testConfig()
		cfg.BaseURL = server.URL + path
		c, err := bento.New(cfg, once)
		require.NoError(t, err)
		_, err = c.ListTags(t.Context())
		require.ErrorIs(t, err, bento.ErrNotFound)
		assert.Equal(t, named, strings.Contains(err.Error(), "Bento's own address ends with /api/v1, and this one does not: check BaseURL (BENTO_BASE_URL)."), "%q: %v", path, err)
	}
	cfg := testConfig()
	cfg.BaseURL = "http://127.0.0.1:1/"
	c, err := bento.New(cfg, once, bento.WithHTTPClient(&http.Client{Transport: scripted(t, answerJSON(422, "{}"))}))
	require.NoError(t, err)
	_, err = c.ListTags(t.Context())
	require.NotContains(t, err.Error(), "/api/v1", "something is there")
}

func TestWhatBentoSaidIsFoundInEveryShape(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"error":"Unauthorized"}`:                                          `"Unauthorized"`,
		`{"message":"Site is not approved"}`:                                `"Site is not approved"`,
		`{"error":{"message":"nested"}}`:                                    `"nested"`,
		`{"error":["one","two"]}`:                                           `"one, two"`,
		`{"errors":[{"field":"email","message":"is invalid"}]}`:             `email is invalid`,
		`{"errors":[{"title":"Broken","detail":"quite"}]}`:                  `quite`,
		`{"results":0,"failed":1,"errors":[{"index":0,"error":"no type"}]}`: `index 0 no type`,
		`{"errors":[{"index":"3","error":["no type"]},{"index":null,"message":"x"},{"index":"a@b.example","error":"y"}]}`: `index 3 no type; x; y`,
		`{"errors":[{"field":"type","index":0,"error":"is missing"}]}`:                                                    `type is missing`,
		`{"errors":{"subject":["can't be blank","is too short"]}}`:                                                        `subject can't be blank, is too short`,
		`{"errors":"all wrong"}`:       `"all wrong"`,
		`"just a string"`:              `"just a string"`,
		"HTTP Basic: Access denied.\n": `"HTTP Basic: Access denied."`,
		`{"error":"to canary@example.com via ` + testSecret + `"}`:         `to [address] via [redacted]`,
		`{"errors":[{"field":"canary@example.com","message":"is taken"}]}`: `[address] is taken`,
		``:          `400 Bad Request.`,
		`[1,2,3]`:   `400 Bad Request.`,
		`{"data":1`: `{\"data\":1`,
	} {
		_, err := scripted(t, answerJSON(400, body)).client().ListTags(t.Context())
		require.ErrorContains(t, err, want, body)
		requireNoSecrets(t, err.Error())
		assert.NotContains(t, err.Error(), "\n")
	}
}

// Whatever an address looks like and wherever it stands, no text of an error holds it; a URL of
// somebody else's making is not handed out either.
func TestNoAddressGetsIntoTheTextOfAnError(t *testing.T) {
	t.Parallel()
	foreign := &url.Error{Op: "Get", URL: "http://127.0.0.1/?site_uuid=" + testSite + "&email=canary%40example.com", Err: errReset}
	for name, a := range map[string]answer{
		"escaped, in a message": answerJSON(400, `{"error":"no canary%40example.com here"}`), "in an id": answerJSON(500, `{}`, "X-Request-Id", "canary@example.com"),
		"a transport's own URL": fail(foreign), "within another": fail(&url.Error{Op: "Get", URL: "canary@example.com", Err: fmt.Errorf("twice: %w", foreign)}),
	} {
		_, err := scripted(t, a).client(once).ListTags(t.Context())
		require.Error(t, err)
		text := fmt.Sprintf("%v %+v %#v", err, err, err)
		requireNoSecrets(t, text)
		assert.NotContains(t, text, "canary%40", name)
		var handedOut *url.Error
		assert.NotErrorAs(t, err, &handedOut, name)
	}
	_, err := scripted(t, fail(foreign)).client(once).ListTags(t.Context())
	require.ErrorIs(t, err, errReset, "its cause is still there")
}

func TestAnHTMLPageIsNamedNotQuoted(t *testing.T) {
	t.Parallel()
	page := "<!DOCTYPE html><html><title>Attention Required!</title>canary@example.com</html>"
	_, err := scripted(t, respond(403, "text/html; charset=UTF-8", page)).client().ListTags(t.Context())
	require.ErrorIs(t, err, bento.ErrBlocked)
	require.ErrorIs(t, err, bento.ErrForbidden)
	require.ErrorContains(t, err, "Check the User-Agent first")
	assert.NotContains(t, err.Error(), "<")

	_, err = scripted(t, respond(502, "text/html", page)).client(once).ListTags(t.Context())
	require.ErrorIs(t, err, bento.ErrServer)
	require.ErrorContains(t, err, "an HTML page")
}

// A cancel while the answer comes in is a cancel.
func TestACancelWhileTheAnswerComesIn(t *testing.T) {
	t.Parallel()
	s := scripted(t, func(req *http.Request) (*http.Response, error) {
		resp, err := answerJSON(200, `{"data":[`)(req)
		resp.Body = io.NopCloser(io.MultiReader(resp.Body, iotest.ErrReader(context.Canceled)))
		return resp, err
	})
	_, err := s.client(once).ListTags(t.Context())
	require.ErrorIs(t, err, bento.ErrCanceled)
	require.ErrorIs(t, err, context.Canceled)
}

func TestASuccessThatIsNoneIsAnError(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		answer answer
		want   string
	}{
		"HTML":           {respond(200, "text/html", "<html>"), "not declared as JSON"},
		"no type":        {respond(200, "", `{"data":[]}`), "not declared as JSON"},
		"empty":          {answerJSON(200, ""), "empty"},
		"invalid":        {answerJSON(200, `{invalid-json`), "not the JSON"},
		"trailing bytes": {answerJSON(200, `{"data":[]} {}`), "not the JSON"},
		"wrong type":     {answerJSON(200, `{"data":123}`), "data is a JSON number"},
		"too large":      {answerJSON(200, `{"data":"`+strings.Repeat("x", 11<<20)+`"}`), "larger than 10485760 bytes"},
	} {
		_, err := scripted(t, tc.answer).client().ListTags(t.Context())
		require.ErrorIs(t, err, bento.ErrUnexpectedAnswer, name)
		require.ErrorContains(t, err, tc.want, name)
		require.NotErrorIs(t, err, bento.ErrOutcomeUnknown, "a read has no outcome")
	}
}

func TestAnErrorKeepsTheBodyUnderALimitAndWithoutKeys(t *testing.T) {
	t.Parallel()
	body := testSecret + strings.Repeat("x", 1<<20)
	_, err := scripted(t, respond(400, "text/plain", body)).client().ListTags(t.Context())
	var e *bento.Error
	require.ErrorAs(t, err, &e)
	assert.LessOrEqual(t, len(e.Body), 64<<10)
	assert.Less(t, len(err.Error()), 1000)
	encoded, _ := json.Marshal(e)
	requireNoSecrets(t, string(e.Body)+fmt.Sprintf("%v %+v %#v", e, e, e)+string(encoded))
	assert.NotContains(t, fmt.Sprintf("%#v", e), strings.Repeat("x", 400))
}

func TestLogsShowShapesOnly(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s := scripted(t, fail(fmt.Errorf("dialling with %s for canary@example.com", testSecret)), answerJSON(200, `{"data":null}`))
	found, err := s.client(bento.WithLogger(logger), bento.WithRetry(bento.RetryPolicy{MinBackoff: 1})).SubscriberByEmail(t.Context(), "canary@example.com")
	require.NoError(t, err)
	assert.Nil(t, found)
	requireNoSecrets(t, log.String())
	assert.Equal(t, 2, strings.Count(log.String(), `msg="bento attempt" operation=getSubscriber`))
	assert.Equal(t, 1, strings.Count(log.String(), `msg="bento call" operation=getSubscriber attempt=2`))

	_, err = s.client(bento.WithLogger(logger), once).SubscriberByEmail(t.Context(), "canary@example.com")
	require.Error(t, err)
	logger.Error("failed", "err", err)
	requireNoSecrets(t, log.String())
}

func FuzzReadErrorBody(f *testing.F) {
	for _, seed := range []string{`{"error":"x"}`, `{"errors":[{"field":"a","message":"b"}]}`, `{"errors":{"a":["b"]}}`, "text", "", "[", "\xff"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		message, fields := bento.ReadErrorBody(body)
		for _, text := range append([]string{message}, fieldTexts(fields)...) {
			if strings.ContainsAny(text, "\n\r\x00") || len(text) > 1000 {
				t.Fatalf("not fit for an error: %q", text)
			}
		}
	})
}

func fieldTexts(fields []bento.FieldError) []string {
	texts := make([]string, len(fields))
	for i, f := range fields {
		texts[i] = f.String()
	}
	return texts
}
