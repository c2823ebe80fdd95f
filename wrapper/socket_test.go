package bento_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/gen"
	bento "example.com/bento-go/wrapper"
)

// quick retries without a wait that a person would notice.
var quick = bento.WithRetry(bento.RetryPolicy{MinBackoff: time.Microsecond, MaxBackoff: time.Microsecond})

func dial(t *testing.T, url string) *bento.Client {
	t.Helper()
	cfg := testConfig()
	cfg.BaseURL = url + "/prefix/api/v1"
	c, err := bento.New(cfg, quick, bento.WithPace(bento.PaceOff))
	require.NoError(t, err)
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func TestARedirectCarriesNothingAnywhere(t *testing.T) {
	t.Parallel()
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	t.Cleanup(other.Close)
	for _, status := range []int{301, 302, 303, 307, 308} {
		server := httptest.NewServer(http.RedirectHandler(other.URL+"/api/v1/batch/events", status))
		t.Cleanup(server.Close)
		result, err := dial(t, server.URL).TrackEvents(t.Context(), events(1))
		require.ErrorIs(t, err, bento.ErrRedirected)
		assert.Zero(t, result.Accepted)
	}
	assert.Zero(t, elsewhere.Load())
}

func TestAServerThatIsGoneIsNotAnUnknownOutcome(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	url := server.URL
	server.Close()
	result, err := dial(t, url).SendEmails(t.Context(), []bento.Email{email()})
	require.ErrorIs(t, err, bento.ErrNetwork)
	require.NotErrorIs(t, err, bento.ErrOutcomeUnknown, "no connection, no email")
	assert.Equal(t, 1, result.NotSent)
	requireNoSecrets(t, err.Error())
}

func TestABrokenConnectionLeavesAnEmailUnknownAndSentOnce(t *testing.T) {
	t.Parallel()
	var received atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		received.Add(1)
		_, _ = io.Copy(io.Discard, req.Body)
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_ = conn.(*net.TCPConn).SetLinger(0)
			_ = conn.Close()
		}
	}))
	t.Cleanup(server.Close)
	result, err := dial(t, server.URL).SendEmails(t.Context(), []bento.Email{email()})
	require.ErrorIs(t, err, bento.ErrOutcomeUnknown)
	assert.Equal(t, 1, result.Unknown)
	assert.EqualValues(t, 1, received.Load())

	received.Store(0)
	_, err = dial(t, server.URL).ListTags(t.Context())
	require.ErrorIs(t, err, bento.ErrNetwork)
	assert.EqualValues(t, 4, received.Load(), "a read may be repeated")
}

func TestATruncatedAnswerIsAnAcceptedRequest(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, `{"results":1`)
	}))
	t.Cleanup(server.Close)
	result, err := dial(t, server.URL).TrackEvents(t.Context(), events(1))
	require.ErrorIs(t, err, bento.ErrUnexpectedAnswer)
	require.ErrorIs(t, err, bento.ErrOutcomeUnknown)
	assert.Equal(t, 1, result.Unknown)
}

// watched serves, and counts the connections that are opened to it.
func watched(t testing.TB, serve http.HandlerFunc) (server *httptest.Server, opened *atomic.Int32) {
	t.Helper()
	opened = new(atomic.Int32)
	server = httptest.NewUnstartedServer(serve)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	return server, opened
}

func TestRetriesShareOneConnection(t *testing.T) {
	t.Parallel()
	var answered atomic.Int32
	server, opened := watched(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if answered.Add(1) < 4 {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, strings.Repeat("x", 8<<10))
			return
		}
		_, _ = io.WriteString(w, `{"data":[]}`)
	})
	_, err := dial(t, server.URL).ListTags(t.Context())
	require.NoError(t, err)
	assert.EqualValues(t, 1, opened.Load())
}

func TestAClientIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"data":[]}`)
	}))
	t.Cleanup(server.Close)
	c := dial(t, server.URL)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			_, err := c.ListTags(t.Context())
			assert.NoError(t, err)
		})
	}
	wg.Wait()
}

// The editors and the retry serve a bare generated client too.
func TestTheMannersOneByOneOnABareGeneratedClient(t *testing.T) {
	t.Parallel()
	var attempts atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		user, password, _ := req.BasicAuth()
		assert.Equal(t, testPublishable+testSecret, user+password)
		assert.Equal(t, testSite, req.URL.Query().Get("site_uuid"))
		assert.Equal(t, "AcmeCRM/1.0", req.UserAgent())
		assert.Equal(t, "application/json", req.Header.Get("Accept"))
		w.Header().Set("Content-Type", "application/json")
		if attempts.Add(1) == 1 {
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		_, _ = io.WriteString(w, `{"data":[{"id":"1","type":"tags","attributes":{"name":"vip"}}]}`)
	}))
	t.Cleanup(server.Close)
	c, err := gen.NewClientWithResponses(server.URL,
		gen.WithHTTPClient(&http.Client{Transport: bento.NewRetryTransport(nil, bento.RetryPolicy{MinBackoff: 1})}),
		gen.WithRequestEditorFn(bento.BasicAuth(testPublishable, testSecret)),
		gen.WithRequestEditorFn(bento.SiteUUID(testSite)),
		gen.WithRequestEditorFn(bento.UserAgent("AcmeCRM/1.0")),
		gen.WithRequestEditorFn(bento.Accept()),
	)
	require.NoError(t, err)
	resp, err := c.ListTagsWithResponse(t.Context())
	require.NoError(t, err)
	require.NotNil(t, resp.JSON200)
	assert.Len(t, resp.JSON200.Data, 1)
	assert.EqualValues(t, 2, attempts.Load())
}
