package bento_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/gen"
	bento "example.com/bento-go/wrapper"
)

// What other clients were seen to do at the same faults, and what this one does: a client for a
// field where each of these has happened to somebody.
func TestWhatOtherClientsWereSeenToDo(t *testing.T) {
	t.Parallel()
	for seen, test := range map[string]struct {
		serve func(net.Conn, *http.Request)
		check func(*testing.T, *bento.Client)
	}{
		"the server's explanation is thrown away": {
			answering("422 Unprocessable", "application/json", `{"errors":[{"field":"email","message":"is invalid"}]}`),
			func(t *testing.T, c *bento.Client) {
				_, err := c.TrackEvents(t.Context(), events(1))
				require.ErrorContains(t, err, "email is invalid")
			},
		},
		"a 201 is a failure": {
			answering("201 Created", "application/json", `{"results":1,"failed":0}`),
			func(t *testing.T, c *bento.Client) {
				_, err := c.TrackEvents(t.Context(), events(1))
				require.NoError(t, err)
			},
		},
		"5,000 events go out as one request": {
			func(conn net.Conn, req *http.Request) {
				var body struct{ Events []json.RawMessage }
				if json.NewDecoder(req.Body).Decode(&body) != nil || len(body.Events) > gen.MaxEvents {
					answering("400 Bad Request", "application/json", `{}`)(conn, req)
					return
				}
				answering("200 OK", "application/json", `{"results":1000,"failed":0}`)(conn, req)
			},
			func(t *testing.T, c *bento.Client) {
				result, err := c.TrackEvents(t.Context(), events(5000))
				require.NoError(t, err)
				assert.Equal(t, 5, result.Requests)
			},
		},
		"a 200 with an error in it is success": {
			answering("200 OK", "application/json", `{"error":"Something went wrong"}`),
			func(t *testing.T, c *bento.Client) {
				result, err := c.TrackEvents(t.Context(), events(1))
				require.Error(t, err)
				assert.Equal(t, 1, result.Unknown)
				_, err = c.SiteStats(t.Context())
				require.ErrorIs(t, err, bento.ErrUnexpectedAnswer)
			},
		},
		"1 accepted of 2,500 is success": {
			answering("200 OK", "application/json", `{"results":1}`),
			func(t *testing.T, c *bento.Client) {
				result, err := c.TrackEvents(t.Context(), events(2500))
				require.Error(t, err)
				assert.Equal(t, 3, result.Accepted)
				assert.Equal(t, 2497, result.Unknown)
			},
		},
		"a 301 turns the POST into an empty GET, and success": {
			plain("301 Moved", "Location: /elsewhere"),
			func(t *testing.T, c *bento.Client) {
				_, err := c.TrackEvents(t.Context(), events(1))
				require.ErrorIs(t, err, bento.ErrRedirected)
			},
		},
		"the wait is longer than the deadline": {
			plain("429 Slow", "Retry-After: 60"),
			func(t *testing.T, c *bento.Client) {
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				defer cancel()
				_, err := c.ListTags(ctx)
				require.ErrorIs(t, err, bento.ErrRateLimited)
				assert.NoError(t, ctx.Err(), "it is not waited for")
			},
		},
		"an HTML 403 is tried again": {
			answering("403 Forbidden", "text/html", "<html>blocked</html>"),
			func(t *testing.T, c *bento.Client) {
				_, err := c.ListTags(t.Context())
				var e *bento.Error
				require.ErrorAs(t, err, &e)
				assert.Equal(t, 1, e.Attempts)
			},
		},
		"64 MB of an error's body are kept": {
			func(conn net.Conn, req *http.Request) {
				readAll(req)
				say(conn, "HTTP/1.1 400 Bad Request", "Content-Type: text/plain", "Content-Length: 67108864", "", "")
				until(conn, strings.Repeat("x", 1<<16))
			},
			func(t *testing.T, c *bento.Client) {
				_, err := c.ListTags(t.Context())
				var e *bento.Error
				require.ErrorAs(t, err, &e)
				assert.Len(t, e.Body, 64<<10)
			},
		},
		"addresses stand in the text of errors": {
			answering("422 Unprocessable", "application/json", `{"error":"canary@example.com is not an Author"}`),
			func(t *testing.T, c *bento.Client) {
				to := email()
				to.To = "canary@example.com"
				_, err := c.SendEmails(t.Context(), []bento.Email{to})
				require.ErrorContains(t, err, "[address] is not an Author")
				requireNoSecrets(t, err.Error())
			},
		},
	} {
		t.Run(seen, func(t *testing.T) {
			t.Parallel()
			test.check(t, dial(t, wire(t, test.serve)))
		})
	}
}

// A client that nobody made, or a context that is none, is an error and not a panic.
func TestNothingPanics(t *testing.T) {
	t.Parallel()
	var unmade bento.Client
	_, err := unmade.ListTags(t.Context())
	require.ErrorIs(t, err, bento.ErrInvalid)
	result, err := unmade.TrackEvents(t.Context(), events(1))
	require.ErrorIs(t, err, bento.ErrInvalid)
	assert.Equal(t, 1, result.NotSent)
	endless := func(yield func(bento.Event) bool) {
		for yield(event("ari@example.com")) {
		}
	}
	result, err = unmade.TrackEventsSeq(t.Context(), endless)
	require.ErrorIs(t, err, bento.ErrInvalid)
	assert.Equal(t, result.Read, result.NotSent)
	var none *bento.Client
	_, err = none.ListTags(t.Context())
	require.ErrorIs(t, err, bento.ErrInvalid)
	_, err = none.SendEmails(t.Context(), []bento.Email{email()})
	require.ErrorIs(t, err, bento.ErrInvalid)
	none.CloseIdleConnections()
	for _, odd := range []answer{
		func(*http.Request) (*http.Response, error) { return nil, nil }, //nolint:nilnil // somebody's transport does
		func(*http.Request) (*http.Response, error) { return &http.Response{StatusCode: 404}, nil },
	} {
		_, err = scripted(t, odd).client(once).ListTags(t.Context())
		require.Error(t, err)
	}
	require.ErrorIs(t, unmade.RequestDataDeletion(t.Context(), "ari@example.com"), bento.ErrInvalid)
	result, err = scripted(t).client().TrackEventsSeq(t.Context(), nil)
	require.NoError(t, err)
	assert.Zero(t, result.Read)
	_, err = scripted(t).client().ListTags(nil) //nolint:staticcheck // somebody does it
	require.ErrorIs(t, err, bento.ErrInvalid)
}

// A transport that panics does so where somebody can catch it, however many batches are under way.
func TestAPanicComesBackToItsCaller(t *testing.T) {
	t.Parallel()
	c := unpaced(t, roundTrip(func(*http.Request) (*http.Response, error) { panic("mine") }))
	for _, concurrency := range []int{1, 3} {
		assert.PanicsWithValue(t, "mine", func() { _, _ = c.TrackEvents(t.Context(), numbered(5000), bento.WithConcurrency(concurrency)) })
	}
}

// A batch that is in backoff when the program ends is not dropped in silence: the call that sends
// it returns, and says so.
func TestABatchInBackoffIsNotDroppedInSilence(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	ctx, cancel := context.WithCancel(t.Context())
	c := dial(t, wire(t, func(conn net.Conn, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body)
		asked.Add(1)
		plain("429 Slow", "Retry-After: 60")(conn, req)
		cancel()
	}))
	result, err := c.TrackEvents(ctx, events(7))
	require.Error(t, err)
	assert.True(t, errors.Is(err, bento.ErrCanceled) || errors.Is(err, bento.ErrRateLimited), err)
	assert.Equal(t, 7, result.Failed+result.Unknown+result.NotSent)
	assert.EqualValues(t, 1, asked.Load())
}
