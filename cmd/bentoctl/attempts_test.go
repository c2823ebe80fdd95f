package main

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"example.com/bento-go/conformance/fake"
)

// unreachableNetwork is a network that lets nobody through.
type unreachableNetwork struct{ err error }

func (u unreachableNetwork) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
	return nil, u.err
}

var refused = &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}

// A clocked writer knows when something was first said.
type clocked struct {
	bytes.Buffer
	word string
	at   time.Time
}

func (c *clocked) Write(p []byte) (int, error) {
	if c.at.IsZero() && strings.Contains(string(p), c.word) {
		c.at = time.Now()
	}
	return c.Buffer.Write(p)
}

// Whoever waits for an import is told what for from the first attempt that fails, and once.
func TestAnImportThatGetsNoAnswerSaysSoAtOnce(t *testing.T) {
	file := write(t, "people.csv", crowd(3))
	inNoTime(t, func(t *testing.T, _ *fake.Server) {
		http.DefaultTransport = unreachableNetwork{refused}
		errs, began := &clocked{word: "no answer yet"}, time.Now()
		code := run(t.Context(), []string{"import", "subscribers", file, "--yes"}, streams{strings.NewReader(""), io.Discard, errs})
		assert.Equal(t, exitGaveUp, code)
		assert.Equal(t, began, errs.at)
		assert.Greater(t, time.Since(began), 10*time.Second)
		assert.Equal(t, 1, strings.Count(errs.String(), "no answer yet"), errs.String())
		assert.Contains(t, errs.String(), "\nno answer yet: connection refused (attempt 1)\n")
		r := bentoctl(t.Context(), "", "import", "subscribers", file, "--yes", "-q")
		assert.NotContains(t, r.err, "no answer yet")
	})
}

// So is whoever waits for another verb.
func TestWhatTriesAgainSaysSo(t *testing.T) {
	lost := &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
	for name, tc := range map[string]struct {
		network error
		args    []string
		says    string
	}{
		"a read":                       {refused, []string{"get", "tags"}, "no answer yet: connection refused (attempt 1)\n"},
		"a command":                    {refused, []string{"run", "add-tag", "ari@example.com", "vip"}, "no answer yet: connection refused (attempt 1)\n"},
		"an event":                     {refused, []string{"send", "event", "x", "ari@example.com"}, "no answer yet: connection refused (attempt 1)\n"},
		"an event that may be there":   {lost, []string{"send", "event", "x", "ari@example.com"}, "no answer yet: connection reset by peer (attempt 1)\n"},
		"one whose repeat is harmless": {lost, []string{"send", "event", "x", "ari@example.com", "--unique-key", "1"}, "no answer yet: connection reset by peer (attempt 1)\n"},
		"a name":                       {&net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "a.example"}}, []string{"get", "tags"}, "no answer yet: no such host: a.example (attempt 1)\n"},
		"silence":                      {os.ErrDeadlineExceeded, []string{"get", "tags"}, "no answer yet: it takes too long (attempt 1)\n"},
		"an email":                     {refused, append(letter, "--html", "x"), "no answer yet: connection refused (attempt 1)\n"},
	} {
		inNoTime(t, func(t *testing.T, _ *fake.Server) {
			http.DefaultTransport = unreachableNetwork{tc.network}
			r := bentoctl(t.Context(), "", tc.args...)
			assert.Equal(t, exitGaveUp, r.code, "%s: %s", name, r.err)
			before, _, _ := strings.Cut(r.err, "bentoctl: ")
			assert.Equal(t, tc.says, before, name)
		})
	}
}

// A Bento that fails now and then does not fill the screen.
func TestTroubleIsToldWhenItBegins(t *testing.T) {
	file := write(t, "people.csv", crowd(20_000))
	inNoTime(t, func(t *testing.T, _ *fake.Server) {
		r := bentoctl(t.Context(), "", "import", "subscribers", file, "--yes", "--limits", "60/min")
		assert.Equal(t, 0, r.code, r.err)
		told := strings.Count(r.err, "\nBento answers 503 Service Unavailable (attempt 1)\n")
		assert.GreaterOrEqual(t, told, 2)
		assert.LessOrEqual(t, told, 5, "every ten seconds at most")
	}, faultsOf(t, "importSubscribers/3=503"))
}

func TestTroubleIsToldInAFewWords(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "no answer yet: odd", troubleOfAttempt(nil, errors.New("odd\nand more")))
	assert.Empty(t, troubleOfAttempt(&http.Response{StatusCode: http.StatusUnauthorized}, nil))
}
