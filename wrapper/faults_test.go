package bento_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
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

// A wire is a server that speaks bytes, so that it can get everything wrong.
func wire(t *testing.T, serve func(net.Conn, *http.Request)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var serving sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, conn)
			mu.Unlock()
			serving.Go(func() {
				defer func() { _ = conn.Close() }()
				reader := bufio.NewReader(conn)
				for {
					req, err := http.ReadRequest(reader)
					if err != nil {
						return
					}
					serve(conn, req)
				}
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		mu.Lock()
		for _, conn := range open {
			_ = conn.Close()
		}
		mu.Unlock()
		serving.Wait()
	})
	return "http://" + listener.Addr().String()
}

func reset(conn net.Conn) {
	_ = conn.(*net.TCPConn).SetLinger(0)
	_ = conn.Close()
}

func say(conn net.Conn, lines ...string) { _, _ = io.WriteString(conn, strings.Join(lines, "\r\n")) }

func readAll(req *http.Request) { _, _ = io.Copy(io.Discard, req.Body) }

const (
	ok200    = "HTTP/1.1 200 OK"
	jsonType = "Content-Type: application/json"
)

// until writes the same bytes until the other side has had enough.
func until(conn io.Writer, chunk string) {
	for {
		if _, err := io.WriteString(conn, chunk); err != nil {
			return
		}
	}
}

// hang keeps the connection open and says no more; the client hangs up, or the test ends.
func hang(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

// zeros are a mebibyte of them, packed; a gzip stream may have any number of such members.
var zeros = sync.OnceValue(func() string {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = io.WriteString(w, strings.Repeat("0", 1<<20))
	_ = w.Close()
	return packed.String()
})

// What a network and a server can do wrong, what the client makes of a read, and what it makes of
// a write. Every row ends in time and in bounded memory.
var faultTable = map[string]struct {
	serve       func(net.Conn, *http.Request)
	read, write error
	unknown     bool // the outcome of the write is
}{
	"reset before the request was read": {func(conn net.Conn, _ *http.Request) { reset(conn) }, bento.ErrNetwork, bento.ErrNetwork, true},
	"reset after the request was read":  {func(conn net.Conn, req *http.Request) { readAll(req); reset(conn) }, bento.ErrNetwork, bento.ErrNetwork, true},
	"closed without a word":             {func(conn net.Conn, req *http.Request) { readAll(req); _ = conn.Close() }, bento.ErrNetwork, bento.ErrNetwork, true},
	"stall before the header":           {func(conn net.Conn, req *http.Request) { readAll(req); hang(conn) }, bento.ErrTimeout, bento.ErrTimeout, true},
	"stall in the header": {func(conn net.Conn, req *http.Request) {
		readAll(req)
		say(conn, ok200, "Content-")
		hang(conn)
	}, bento.ErrTimeout, bento.ErrTimeout, true},
	"stall in the body": {func(conn net.Conn, req *http.Request) {
		readAll(req)
		say(conn, ok200, jsonType, "Content-Length: 100", "", `{"da`)
		hang(conn)
	}, bento.ErrTimeout, bento.ErrTimeout, true},
	"truncated JSON": {func(conn net.Conn, req *http.Request) {
		readAll(req)
		say(conn, ok200, jsonType, "Content-Length: 9", "", `{"data":[`)
	}, bento.ErrUnexpectedAnswer, bento.ErrUnexpectedAnswer, true},
	"longer than it is": {func(conn net.Conn, req *http.Request) {
		readAll(req)
		say(conn, ok200, jsonType, "Content-Length: 100", "", `{"data":[]}`)
		_ = conn.Close()
	}, bento.ErrUnexpectedAnswer, bento.ErrUnexpectedAnswer, true},
	"shorter than it is": {func(conn net.Conn, req *http.Request) {
		readAll(req)
		say(conn, ok200, jsonType, "Content-Length: 5", "Connection: close", "", `{"data":[]}`)
		_ = conn.Close()
	}, bento.ErrUnexpectedAnswer, bento.ErrUnexpectedAnswer, true},
	"a length that is no number": {func(conn net.Conn, req *http.Request) {
		readAll(req)
		say(conn, ok200, jsonType, "Content-Length: many", "", "")
	}, bento.ErrNetwork, bento.ErrNetwork, true},
	"10 GB": {func(conn net.Conn, req *http.Request) {
		readAll(req)
		say(conn, ok200, jsonType, "Content-Length: 10737418240", "", "")
		until(conn, strings.Repeat("x", 1<<16))
	}, bento.ErrUnexpectedAnswer, bento.ErrUnexpectedAnswer, true},
	"10 GB of an error": {func(conn net.Conn, req *http.Request) {
		readAll(req)
		say(conn, "HTTP/1.1 422 Unprocessable", "Content-Type: text/plain", "Content-Length: 10737418240", "", "")
		until(conn, strings.Repeat("x", 1<<16))
	}, bento.ErrUnprocessable, bento.ErrUnprocessable, false},
	"gzip bomb": {func(conn net.Conn, req *http.Request) {
		readAll(req)
		say(conn, ok200, jsonType, "Content-Encoding: gzip", "Connection: close", "", "")
		until(conn, zeros())
	}, bento.ErrUnexpectedAnswer, bento.ErrUnexpectedAnswer, true},
	"endless header": {func(conn net.Conn, req *http.Request) {
		readAll(req)
		say(conn, ok200, "X-Long: ")
		until(conn, strings.Repeat("x", 1<<16))
	}, bento.ErrNetwork, bento.ErrNetwork, true},
	"endless headers": {func(conn net.Conn, req *http.Request) {
		readAll(req)
		say(conn, ok200, "")
		until(conn, "X-More: x\r\n")
	}, bento.ErrNetwork, bento.ErrNetwork, true},
	"1xx flood": {func(conn net.Conn, req *http.Request) {
		readAll(req)
		until(conn, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n")
	}, bento.ErrNetwork, bento.ErrNetwork, true},
	"not HTTP": {func(conn net.Conn, req *http.Request) {
		readAll(req)
		say(conn, "SSH-2.0-OpenSSH_9.2", "", "")
		_ = conn.Close()
	}, bento.ErrNetwork, bento.ErrNetwork, true},
	"redirect to another host": {plain("301 Moved", "Location: https://example.com/api/v1/batch/events"), bento.ErrRedirected, bento.ErrRedirected, false},
	"redirect to http":         {plain("307 Temporary", "Location: http://127.0.0.1:1/api/v1/batch/events"), bento.ErrRedirected, bento.ErrRedirected, false},
	"redirect to nowhere":      {plain("301 Moved", "Location: http://[::1/?email=canary%40example.com"), bento.ErrRedirected, bento.ErrRedirected, false},
	"switched protocols": {func(conn net.Conn, req *http.Request) {
		plain("101 Switching Protocols", "Upgrade: x", "Connection: Upgrade")(conn, req)
		hang(conn)
	}, bento.ErrUnexpectedAnswer, bento.ErrUnexpectedAnswer, true},
	"redirect to itself":        {plain("308 Permanent", "Location: /api/v1/batch/events"), bento.ErrRedirected, bento.ErrRedirected, false},
	"HTML 200":                  {answering("200 OK", "text/html", "<html>"), bento.ErrUnexpectedAnswer, bento.ErrUnexpectedAnswer, true},
	"HTML 403":                  {answering("403 Forbidden", "text/html", "<html>"), bento.ErrBlocked, bento.ErrBlocked, false},
	"empty 200":                 {answering("200 OK", "application/json", ""), bento.ErrUnexpectedAnswer, bento.ErrUnexpectedAnswer, true},
	"204":                       {plain("204 No Content"), bento.ErrUnexpectedAnswer, bento.ErrUnexpectedAnswer, true},
	"an error in a 200":         {answering("200 OK", "application/json", `{"data":7,"results":"none","error":"x"}`), bento.ErrUnexpectedAnswer, bento.ErrUnexpectedAnswer, true},
	"a member twice":            {answering("200 OK", "application/json", `{"data":[],"data":[],"results":1,"results":1}`), bento.ErrUnexpectedAnswer, bento.ErrUnexpectedAnswer, true},
	"invalid UTF-8":             {answering("200 OK", "application/json", "{\"data\":[],\"results\":1,\"x\":\"\xff\"}"), bento.ErrUnexpectedAnswer, bento.ErrUnexpectedAnswer, true},
	"bytes after the JSON":      {answering("200 OK", "application/json", `{"data":[],"results":1}{}`), bento.ErrUnexpectedAnswer, bento.ErrUnexpectedAnswer, true},
	"Retry-After in the future": {plain("429 Slow", "Retry-After: Fri, 31 Dec 2999 23:59:59 GMT"), bento.ErrRateLimited, bento.ErrRateLimited, false},
	"Retry-After in the past":   {plain("429 Slow", "Retry-After: Fri, 31 Dec 1999 23:59:59 GMT"), bento.ErrRateLimited, bento.ErrRateLimited, false},
	"Retry-After without end":   {plain("503 Down", "Retry-After: 99999999999999999999"), bento.ErrServer, bento.ErrServer, true},
}

// plain answers with a status and headers, and without a body.
func plain(status string, header ...string) func(net.Conn, *http.Request) {
	return func(conn net.Conn, req *http.Request) {
		readAll(req)
		length := "Content-Length: 0"
		if strings.HasPrefix(status, "204") {
			length = "X: y"
		}
		say(conn, append(append([]string{"HTTP/1.1 " + status, length}, header...), "", "")...)
	}
}

func answering(status, contentType, body string) func(net.Conn, *http.Request) {
	return func(conn net.Conn, req *http.Request) {
		readAll(req)
		say(conn, "HTTP/1.1 "+status, "Content-Type: "+contentType, fmt.Sprintf("Content-Length: %d", len(body)), "", body)
	}
}

func TestEveryFaultEndsInATypedError(t *testing.T) { //nolint:paralleltest // it measures memory
	for name, fault := range faultTable {
		t.Run(name, func(t *testing.T) { //nolint:paralleltest // it measures memory
			cfg := testConfig()
			cfg.BaseURL = wire(t, fault.serve) + "/prefix/api/v1"
			var log strings.Builder
			logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			c, err := bento.New(cfg, quick, bento.WithPace(bento.PaceOff), bento.WithTimeout(patienceWith(fault.read)), bento.WithLogger(logger))
			require.NoError(t, err)
			defer c.CloseIdleConnections()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute) // by which none ends
			defer cancel()

			_, err = c.ListTags(ctx, once.(bento.CallOption))
			require.ErrorIs(t, err, fault.read)
			requireNoSecrets(t, fmt.Sprintf("%v %+v %#v", err, err, err))
			require.NotErrorIs(t, err, bento.ErrOutcomeUnknown)

			planted := event("canary@example.com")
			planted.Details = gen.EventDetails{"canary@example.com": testSecret, "note": "canary@example.com"}
			result, err := c.TrackEvents(ctx, []bento.Event{planted})
			require.ErrorIs(t, err, fault.write)
			require.NoError(t, ctx.Err())
			logger.Error("failed", "err", err, "result", result, "client", c)
			requireNoSecrets(t, fmt.Sprintf("%v %+v %#v %+v %#v", err, err, err, c, c)+log.String())
			assert.Contains(t, log.String(), `body=events[1]{details,email,type}`)
			assert.Zero(t, result.Accepted)
			if fault.unknown {
				require.ErrorIs(t, err, bento.ErrOutcomeUnknown)
				assert.Equal(t, 1, result.Unknown)
			} else {
				assert.Equal(t, 1, result.Failed)
			}

			runtime.ReadMemStats(&after)
			assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(256<<20), "all that was ever allocated")
		})
	}
}

// patienceWith is how long an attempt lasts here: where it is not the time that ends it, long enough for
// 10 MiB on a busy machine.
func patienceWith(fault error) time.Duration {
	if fault == bento.ErrTimeout { //nolint:errorlint // the table's own value
		return 500 * time.Millisecond
	}
	return 10 * time.Second
}

// An error's body never keeps a connection: a refusal does not leave a client of one connection without it,
// and it serves all attempts.
func TestErrorsGiveTheirConnectionsBack(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	connections := map[net.Conn]bool{}
	long := strings.Repeat("x", 32<<10)
	url := wire(t, func(conn net.Conn, req *http.Request) {
		mu.Lock()
		connections[conn] = true
		mu.Unlock()
		answering("429 Slow", "text/plain", long)(conn, req)
	})
	cfg := testConfig()
	cfg.BaseURL = url + "/api/v1"
	c, err := bento.New(cfg, quick, bento.WithPace(bento.PaceOff), bento.WithHTTPClient(&http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}))
	require.NoError(t, err)
	t.Cleanup(c.CloseIdleConnections)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	for range 10 {
		_, err := c.ListTags(ctx)
		require.ErrorIs(t, err, bento.ErrRateLimited)
	}
	assert.Len(t, connections, 1, "40 attempts, one connection")
}

// However many batches are under way and however many of them are refused, the client opens a
// connection for each and no more.
func TestConnectionsAreAsManyAsBatchesUnderWay(t *testing.T) {
	t.Parallel()
	const concurrency = 8
	var asked atomic.Int32
	server, opened := watched(t, func(w http.ResponseWriter, req *http.Request) {
		readAll(req)
		w.Header().Set("Content-Type", "application/json")
		if asked.Add(1)%12 == 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, strings.Repeat("x", 40<<10))
			return
		}
		_, _ = io.WriteString(w, `{"results":10,"failed":0}`)
	})
	_, _ = dial(t, server.URL).TrackEvents(t.Context(), numbered(3000), bento.WithBatchBytes(700), bento.WithConcurrency(concurrency))
	assert.Greater(t, asked.Load(), int32(200))
	// net/http gives a connection up whose writer a busy machine has not let run for 50 ms.
	assert.LessOrEqual(t, opened.Load(), int32(2*concurrency))
}
