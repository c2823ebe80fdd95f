package bento_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/gen"
	bento "example.com/bento-go/wrapper"
)

// What Bento says becomes one line of bounded length.
func TestWhatBentoSaidIsOneLine(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		" a\n\tb  c\x7fd ":             "a b c d",
		"!a":                           "!a",
		"a\xffb":                       "a\uFFFDb",
		strings.Repeat("x", 300):       strings.Repeat("x", 300),
		strings.Repeat("x", 301):       strings.Repeat("x", 300) + "…",
		strings.Repeat("é", 151):       strings.Repeat("é", 150) + "…",
		"x" + strings.Repeat("é", 150): "x" + strings.Repeat("é", 149) + "…",
		"  {\"error\":\"x\"}\n":        "x",
	} {
		got, fields := bento.ReadErrorBody([]byte(body))
		assert.Equal(t, want, got)
		assert.Empty(t, fields)
	}
	many := make([]string, 25)
	for i := range many {
		many[i] = fmt.Sprintf(`{"field":"f%d","message":"m"}`, i)
	}
	message, fields := bento.ReadErrorBody([]byte(`{"errors":[` + strings.Join(many, ",") + `]}`))
	assert.Empty(t, message)
	assert.Len(t, fields, 20)
	message, fields = bento.ReadErrorBody([]byte(`{"errors":{"email":"is taken"}}`))
	assert.Empty(t, message, "what the fields say is not said twice")
	assert.Equal(t, []bento.FieldError{{Field: "email", Message: "is taken"}}, fields)
	message, fields = bento.ReadErrorBody([]byte(`{"errors":{"message":"is empty"}}`))
	assert.Empty(t, message, "nor if a field is called message")
	assert.Len(t, fields, 1)
}

// An error prints as its text, whatever prints it.
func TestAnErrorPrintsAsItsText(t *testing.T) {
	t.Parallel()
	_, err := scripted(t, answerJSON(429, `{"error":"slowly"}`, "Retry-After", "3", "X-Request-Id", strings.Repeat("r", 120))).client(once).ListTags(t.Context())
	var e *bento.Error
	require.ErrorAs(t, err, &e)
	want := `bento: listTags: 429 Too Many Requests: "slowly"; request ` + strings.Repeat("r", 100) + `; retry after 3s. ` + e.Hint
	assert.Equal(t, want, err.Error())
	assert.Equal(t, want, fmt.Sprintf("%#v", e))
	encoded, marshalErr := json.Marshal(e)
	require.NoError(t, marshalErr)
	assert.JSONEq(t, string(mustMarshal(t, want)), string(encoded))
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "err", e)
	for _, attribute := range []string{"err.operation=listTags", "err.status=429", "err.attempts=1", "err.request_id=rrr", "err.message=\"bento: listTags"} {
		assert.Contains(t, log.String(), attribute)
	}
	c := scripted(t).client()
	assert.Equal(t, [2]string{"bento.Client", "bento.Client"}, [2]string{c.String(), fmt.Sprintf("%#v", c)})
}

func mustMarshal(t *testing.T, value any) []byte {
	t.Helper()
	encoded, err := json.Marshal(value)
	require.NoError(t, err)
	return encoded
}

// A configuration prints as what is no secret of it.
func TestAConfigurationPrintsWhatIsNoSecret(t *testing.T) {
	t.Parallel()
	const want = `bento.Config{UserAgent: "AcmeCRM/1.0", BaseURL: "http://127.0.0.1:1/some/prefix/api/v1", keys and site redacted}`
	cfg := testConfig()
	assert.Equal(t, want, fmt.Sprint(cfg))
	text, err := cfg.MarshalText()
	require.NoError(t, err)
	assert.Equal(t, want, string(text))
	assert.Equal(t, want, cfg.LogValue().String())
}

// A configuration is refused for what is wrong with it to the letter.
func TestAConfigurationIsRefusedToTheLetter(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(*bento.Config)
		ok     bool
	}{
		"a key with DEL":              {func(c *bento.Config) { c.SecretKey += "\x7f" }, false},
		"a key with a space":          {func(c *bento.Config) { c.SiteUUID = "a b" }, false},
		"a key with punctuation":      {func(c *bento.Config) { c.SecretKey += "!~" }, true},
		"a fragment":                  {func(c *bento.Config) { c.BaseURL = "https://example.com/#x" }, false},
		"an agent as long as may be":  {func(c *bento.Config) { c.UserAgent = "Acme/" + strings.Repeat("1", 251) }, true},
		"an agent of one byte more":   {func(c *bento.Config) { c.UserAgent = "Acme/" + strings.Repeat("1", 252) }, false},
		"an agent with a tilde":       {func(c *bento.Config) { c.UserAgent = "Acme~/1.0 x" }, true},
		"an agent with DEL":           {func(c *bento.Config) { c.UserAgent = "Acme/1\x7f" }, false},
		"an agent that is not ASCII":  {func(c *bento.Config) { c.UserAgent = "Acmé/1.0" }, false},
		"an agent with a tab":         {func(c *bento.Config) { c.UserAgent = "Acme\t1" }, false},
		"loopback by another address": {func(c *bento.Config) { c.BaseURL = "http://127.9.9.9" }, true},
	} {
		cfg := testConfig()
		tc.change(&cfg)
		_, err := bento.New(cfg)
		assert.Equal(t, tc.ok, err == nil, name)
	}
}

// A failure says what to do, by what it was.
func TestAFailureSaysWhatToDo(t *testing.T) {
	t.Parallel()
	broken := func(err error) answer {
		return func(req *http.Request) (*http.Response, error) {
			resp, _ := answerJSON(200, `{`)(req)
			resp.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{`), iotest.ErrReader(err)))
			return resp, nil
		}
	}
	for name, tc := range map[string]struct {
		answer answer
		is     error
		want   string
	}{
		"a deadline of the socket":           {fail(&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}), bento.ErrTimeout, "Allow more time, by the context or WithTimeout"},
		"a deadline of the context":          {fail(context.DeadlineExceeded), bento.ErrTimeout, "Allow more time"},
		"an answer that broke off":           {broken(io.ErrUnexpectedEOF), bento.ErrUnexpectedAnswer, "The answer broke off"},
		"an answer that came too slowly":     {broken(os.ErrDeadlineExceeded), bento.ErrTimeout, "The answer broke off"},
		"an answer that took the whole time": {broken(context.DeadlineExceeded), bento.ErrTimeout, "The answer broke off"},
		"a conflict":                         {answerJSON(409, `{}`), bento.ErrConflict, "409 Conflict"},
		"a success that is none":             {answerJSON(299, `{}`), bento.ErrUnexpectedAnswer, "Bento answers with 200, 201 or 202 and a body"},
		"the last redirect":                  {answerJSON(399, `{}`), bento.ErrRedirected, "Redirects are not followed"},
		"a redirect":                         {answerJSON(300, `{}`), bento.ErrRedirected, "Redirects are not followed"},
		"an unreadable answer":               {answerJSON(200, `{"data":7}`), bento.ErrUnexpectedAnswer, "Check BaseURL and any proxy"},
	} {
		_, err := scripted(t, tc.answer).client(once).ListTags(t.Context())
		require.ErrorIs(t, err, tc.is, name)
		require.ErrorContains(t, err, tc.want, name)
		if strings.HasPrefix(name, "an answer") {
			require.ErrorIs(t, err, bento.ErrUnexpectedAnswer, name)
		}
	}
	_, err := scripted(t, answerJSON(202, `{"data":[]}`)).client().ListTags(t.Context())
	require.NoError(t, err)
	_, err = scripted(t, respond(200, "application/vnd.api+json", `{"data":[]}`)).client().ListTags(t.Context())
	require.NoError(t, err)
	_, err = scripted(t, respond(200, "application/json; =", `{"data":[]}`)).client().ListTags(t.Context())
	require.ErrorContains(t, err, "not declared as JSON")
	match, err := scripted(t, answerJSON(200, `{}`)).client().MatchSegment(t.Context(), "s1", "ari@example.com")
	require.ErrorIs(t, err, bento.ErrUnexpectedAnswer, "neither yes nor no")
	assert.False(t, match)
	for _, wrong := range [][2]string{{"", "ari@example.com"}, {"s1", "ari"}} {
		match, err = scripted(t).client().MatchSegment(t.Context(), wrong[0], wrong[1])
		require.ErrorIs(t, err, bento.ErrInvalid)
		assert.False(t, match)
	}
	_, err = scripted(t, answerJSON(300, `{}`)).client().TrackEvents(t.Context(), events(1))
	require.ErrorIs(t, err, bento.ErrRedirected)
	require.NotErrorIs(t, err, bento.ErrOutcomeUnknown)
}

// What is out of bounds is told with the bounds; what is at them is asked.
func TestNumbersAreTakenUpToTheirBounds(t *testing.T) {
	t.Parallel()
	_, err := scripted(t).client().DeliveryEvents(t.Context(), "ari@example.com", bento.DeliveryWindow{}, 101)
	require.ErrorContains(t, err, "limit is 101: want 1 to 100")
	_, err = scripted(t, answerJSON(200, `{"events":[]}`)).client().DeliveryEvents(t.Context(), "ari@example.com", bento.DeliveryWindow{}, 100)
	require.NoError(t, err)
	_, err = scripted(t, answerJSON(200, `{"id":1}`)).client().Conversation(t.Context(), 1)
	require.NoError(t, err)
	_, err = scripted(t).client().Conversation(t.Context(), 0)
	require.ErrorContains(t, err, "id is 0: want the number of a conversation")
}

// Operations of a plan say so when they are forbidden, and only then.
func TestAForbiddenOperationNamesItsPlan(t *testing.T) {
	t.Parallel()
	for status, names := range map[int]bool{403: true, 401: false} {
		c := scripted(t, answerJSON(status, `{}`), answerJSON(status, `{}`), answerJSON(status, `{}`)).client(once)
		_, err := c.ListSubscribers(t.Context(), gen.SearchSubscribersParams{}, 1)
		assert.Equal(t, names, strings.Contains(err.Error(), "It needs the enterprise plan."), err)
		_, err = c.DeliveryReport(t.Context(), bento.DeliveryWindow{})
		assert.Equal(t, names, strings.Contains(err.Error(), "It needs the transactional platform plan."), err)
		_, err = c.ListTags(t.Context())
		assert.NotContains(t, err.Error(), "plan.")
	}
}

// The body of an answer that cannot be read is kept as far as 64 KiB.
func TestTheBodyOfAnUnreadableAnswerIsKept(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]int{100: 100, 64<<10 + 1: 64 << 10} {
		for status, answer := range map[int]answer{200: respond(200, "text/html", strings.Repeat("x", n)), 400: respond(400, "text/plain", strings.Repeat("x", n))} {
			_, err := scripted(t, answer).client(once).ListTags(t.Context())
			var e *bento.Error
			require.ErrorAs(t, err, &e)
			assert.Len(t, e.Body, want, status)
		}
	}
}

// Keys are taken out of an answer's header, and cookies with them, however they are written.
func TestAHeaderIsKeptWithoutKeys(t *testing.T) {
	t.Parallel()
	cfg := testConfig()
	cfg.SecretKey = "sk/with+odd=letters"
	s := scripted(t, respond(400, "text/plain", "sk/with+odd=letters sk%2Fwith%2Bodd%3Dletters", "X-Echo", "key sk%2Fwith%2Bodd%3Dletters", "Set-Cookie", "a=b"))
	c, err := bento.New(cfg, bento.WithHTTPClient(&http.Client{Transport: s}), bento.WithPace(bento.PaceOff))
	require.NoError(t, err)
	_, err = c.ListTags(t.Context())
	var e *bento.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, "key [redacted]", e.Header.Get("X-Echo"))
	assert.Equal(t, "[redacted] [redacted]", string(e.Body))
	assert.Empty(t, e.Header.Values("Set-Cookie"))
}

// Of a failure whose text had to be changed, the cause is still to be found.
func TestACauseIsFoundThroughAChangedText(t *testing.T) {
	t.Parallel()
	cause := &net.OpError{Op: "read", Err: fmt.Errorf("from canary@example.com: %w", errReset)}
	_, err := scripted(t, fail(cause)).client(once).ListTags(t.Context())
	require.ErrorContains(t, err, "from [address]: connection reset by peer")
	require.ErrorIs(t, err, errReset)
	require.NotErrorIs(t, err, errRefused)
	var found *net.OpError
	require.ErrorAs(t, err, &found)
	assert.Same(t, cause, found)
	var dns *net.DNSError
	require.NotErrorAs(t, err, &dns)
}

// Of a batch both lines say how many records it has, and that of the attempt what they are like.
func TestALogSaysOfABatchWhatItHolds(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	c := scripted(t, accepted("1"), answerJSON(200, `{"data":[]}`)).client(bento.WithLogger(logger))
	_, err := c.TrackEvents(t.Context(), events(1))
	require.NoError(t, err)
	attempt, call, _ := strings.Cut(log.String(), "\n")
	assert.Contains(t, attempt, "records=1 body=events[1]{email,type} status=200")
	assert.Contains(t, call, "records=1 status=200")
	log.Reset()
	_, err = c.ListTags(t.Context())
	require.NoError(t, err)
	assert.NotContains(t, log.String(), "records=")
}

// A log says how a call failed, and what its body was like.
func TestALogSaysHowACallFailed(t *testing.T) {
	t.Parallel()
	for want, cause := range map[string]error{"no answer": errReset, "not sent": errRefused, "timeout": os.ErrDeadlineExceeded} {
		var log strings.Builder
		logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		_, err := scripted(t, fail(cause)).client(once, bento.WithLogger(logger)).ListTags(t.Context())
		require.Error(t, err)
		assert.Equal(t, 2, strings.Count(log.String(), `failure="`+want+`"`)+strings.Count(log.String(), `failure=`+want), log.String())
		assert.Contains(t, log.String(), `level=DEBUG msg="bento attempt"`)
		assert.Contains(t, log.String(), `level=INFO msg="bento call"`)
	}
	many := bento.SubscriberRecord{Email: "ari@example.com"}
	for i := range 31 {
		many.Set(fmt.Sprintf("field_%02d", i), 1)
	}
	few := bento.SubscriberRecord{Email: "ari@example.com"}
	for i := range 28 {
		few.Set(fmt.Sprintf("field_%02d", i), 1)
	}
	few.Set("Not Plain", 1)
	for _, tc := range []struct {
		record bento.SubscriberRecord
		want   string
	}{{many, "field_28,2 more}"}, {few, "field_27}"}} {
		var log strings.Builder
		logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		_, err := scripted(t, accepted("1")).client(once, bento.WithLogger(logger)).ImportSubscribers(t.Context(), []bento.SubscriberRecord{tc.record})
		require.NoError(t, err)
		assert.Contains(t, log.String(), tc.want)
	}
	few.Set("field_28", 1)
	var log strings.Builder
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	_, err := scripted(t, accepted("1")).client(bento.WithLogger(logger)).ImportSubscribers(t.Context(), []bento.SubscriberRecord{few})
	require.NoError(t, err)
	assert.Contains(t, log.String(), "field_27,1 more}")
	assert.Contains(t, log.String(), "status=200 answer_bytes=")
	require.NoError(t, scripted(t, answerJSON(200, `{}`)).client(bento.WithLogger(logger)).RequestDataDeletion(t.Context(), "ari@example.com"))
	assert.NotContains(t, log.String(), "not an object", "a form is none")
	_, err = scripted(t, answerJSON(200, `{"data":{"id":"1","type":"tags","attributes":{"name":"a"}}}`)).client(once, bento.WithLogger(logger)).CreateTag(t.Context(), "a")
	require.NoError(t, err)
	assert.Contains(t, log.String(), `body=tag{name}`)
}
