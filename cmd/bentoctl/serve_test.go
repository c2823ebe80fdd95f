package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/gen"
)

// speak opens a connection, says something, and returns the status that comes back: nothing
// if the server hangs up.
func speak(t *testing.T, address, text string) string {
	t.Helper()
	var d net.Dialer
	conn, err := d.DialContext(t.Context(), "tcp", strings.TrimPrefix(address, "http://"))
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	_, _ = io.WriteString(conn, text)
	_ = conn.(*net.TCPConn).CloseWrite()
	line, _ := bufio.NewReader(conn).ReadString('\n')
	return line[:min(len(line), len("HTTP/1.1 400"))]
}

func alive(t *testing.T, address string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+"/_fake/counts", nil)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, resp.StatusCode)
}

// Whatever comes over the wire is refused, and the server is there for the next.
func TestAFakeOutlivesWhatIsNoHTTP(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	address, ended := started(ctx, t, io.Discard, "fake", "--listen", "127.0.0.1:0")
	start := "POST " + gen.BasePath + "/batch/events?site_uuid=x HTTP/1.1\r\nHost: 127.0.0.1\r\n"
	for name, tc := range map[string]struct{ said, answer string }{
		"noise":                  {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", "HTTP/1.1 400"},
		"nothing":                {"", ""},
		"half a request":         {start, "HTTP/1.1 400"},
		"no host":                {"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400"},
		"a header without end":   {start + "X-Long: " + strings.Repeat("x", 1<<20), "HTTP/1.1 431"},
		"a negative length":      {start + "Content-Length: -1\r\n\r\n", "HTTP/1.1 400"},
		"two lengths":            {start + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", "HTTP/1.1 400"},
		"a coding nobody knows":  {start + "Transfer-Encoding: rot13\r\n\r\n", "HTTP/1.1 501"},
		"a chunk that is none":   {start + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", "HTTP/1.1 400"},
		"a body that breaks off": {start + "Content-Length: 10\r\n\r\nabc", "HTTP/1.1 400"},
		"a gigabyte, announced":  {start + fmt.Sprintf("Content-Length: %d\r\n\r\n", 1<<30), "HTTP/1.1 400"},
		"a path with a newline":  {"GET /a%0ab%00 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "HTTP/1.1 403"},
		"an endless path":        {"GET /" + strings.Repeat("x", 60<<10) + " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "HTTP/1.1 403"},
	} {
		assert.Equal(t, tc.answer, speak(t, address, tc.said), name)
		alive(t, address)
	}
	cancel()
	assert.Zero(t, <-ended)
}

// A gigabyte that comes in pieces, and does not say how long it is, is cut off after 10 MiB.
func TestAFakeDoesNotTakeAGigabyte(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	address, _ := started(ctx, t, io.Discard, "fake", "--listen", "127.0.0.1:0")
	var sent atomic.Int64
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address+gen.BasePath+"/batch/events?site_uuid=x", &counted{n: &sent, left: 1 << 30})
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	if err == nil { // it may be cut off before it has read the answer
		assert.Equal(t, http.StatusBadRequest, resp.StatusCode)
		require.NoError(t, resp.Body.Close())
	}
	assert.Less(t, sent.Load(), int64(64<<20))
	alive(t, address)
}

// counted is a body of so many bytes; it has a length only when it is read.
type counted struct {
	n    *atomic.Int64
	left int64
}

func (c *counted) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), c.left)
	c.n.Add(n)
	c.left -= n
	return int(n), nil
}

// More half-open requests than the server takes at once are hung up on, and it is there when those
// it took have gone.
func TestAFakeIsThereAfterACrowdOfHalfRequests(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	address, _ := started(ctx, t, io.Discard, "fake", "--listen", "127.0.0.1:0")
	var conns []net.Conn
	for range 2 * maxConnections {
		var d net.Dialer
		conn, err := d.DialContext(ctx, "tcp", strings.TrimPrefix(address, "http://"))
		require.NoError(t, err)
		_, _ = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Half:")
		conns = append(conns, conn)
	}
	last := conns[len(conns)-1]
	_, err := last.Read(make([]byte, 1))
	require.Error(t, err, "it was hung up on")
	for _, conn := range conns {
		require.NoError(t, conn.Close())
	}
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		resp, err := http.Get(address + "/_fake/counts")
		if assert.NoError(c, err) {
			assert.NoError(c, resp.Body.Close())
			assert.Equal(c, http.StatusOK, resp.StatusCode)
		}
	}, 10*time.Second, time.Millisecond)
}

// pipes is a listener whose connections are in memory, so that a test can wait a minute.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipes) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

// Whoever dawdles has to go: after ten seconds within a header, after a minute within a body or
// between requests.
func TestWhoeverDawdlesHasToGo(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		start, drip string // a drip a second
		most        time.Duration
	}{
		"in a header": {"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ", "x", 11 * time.Second},
		"in a body":   {"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n\r\n", "x", 61 * time.Second},
		"in between":  {"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "", 61 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			listener := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() {
				ended <- serve(ctx, listener, http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
					_, _ = io.Copy(io.Discard, req.Body)
				}))
			}()
			ours, theirs := net.Pipe()
			listener.conns <- theirs
			hungUp := make(chan struct{})
			go func() {
				_, _ = io.Copy(io.Discard, ours)
				close(hungUp)
			}()
			began := time.Now()
			_, err := io.WriteString(ours, tc.start)
			require.NoError(t, err)
			for waiting := true; waiting; {
				select {
				case <-hungUp:
					waiting = false
				case <-time.After(time.Second):
					_, _ = io.WriteString(ours, tc.drip)
				}
			}
			assert.LessOrEqual(t, time.Since(began), tc.most, name)
			_ = ours.Close()
			cancel()
			require.NoError(t, <-ended)
		})
	}
}
