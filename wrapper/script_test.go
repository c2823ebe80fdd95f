package bento_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	bento "example.com/bento-go/wrapper"
)

// The credentials of every test: nothing that is printed may contain them.
const (
	testPublishable = "pk_live_canary_publishable"
	testSecret      = "sk_live_canary_secret"
	testSite        = "51te51te51te51te51te51te51te51te"
)

func testConfig() bento.Config {
	return bento.Config{
		PublishableKey: testPublishable, SecretKey: testSecret, SiteUUID: testSite,
		UserAgent: "AcmeCRM/1.0", BaseURL: "http://127.0.0.1:1/some/prefix/api/v1",
	}
}

// A script is a server in memory that gives its answers in order and keeps what it was asked.
// It is a RoundTripper, so that tests about time can run under synctest.
type script struct {
	t       testing.TB
	answers []answer
	seen    []request
}

type answer func(*http.Request) (*http.Response, error)

type request struct {
	*http.Request
	body string
}

func (s *script) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		body, _ = io.ReadAll(req.Body)
		_ = req.Body.Close()
	}
	s.seen = append(s.seen, request{req, string(body)})
	if len(s.seen) > len(s.answers) {
		return nil, errors.New("the script has no further answer")
	}
	return s.answers[len(s.seen)-1](req)
}

// client returns a client that talks to the script.
func (s *script) client(opts ...bento.Option) *bento.Client {
	s.t.Helper()
	opts = append([]bento.Option{bento.WithHTTPClient(&http.Client{Transport: s}), bento.WithPace(bento.PaceOff)}, opts...)
	c, err := bento.New(testConfig(), opts...)
	require.NoError(s.t, err)
	return c
}

func scripted(t testing.TB, answers ...answer) *script {
	return &script{t: t, answers: answers}
}

func respond(status int, contentType, body string, header ...string) answer {
	return func(req *http.Request) (*http.Response, error) {
		h := http.Header{}
		if contentType != "" {
			h.Set("Content-Type", contentType)
		}
		for i := 0; i+1 < len(header); i += 2 {
			h.Set(header[i], header[i+1])
		}
		return &http.Response{
			StatusCode: status, Header: h, ContentLength: int64(len(body)), Request: req,
			Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Body: io.NopCloser(strings.NewReader(body)),
		}, nil
	}
}

func answerJSON(status int, body string, header ...string) answer {
	return respond(status, "application/json; charset=utf-8", body, header...)
}

func fail(err error) answer {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

func accepted(n string) answer { return answerJSON(200, `{"results":`+n+`,"failed":0}`) }

// requireNoSecrets fails if text holds anything that must never be printed.
func requireNoSecrets(t testing.TB, text string) {
	t.Helper()
	for _, secret := range []string{testPublishable, testSecret, testSite, "cGtfbGl2ZV9jYW5hcnlf", "canary@"} {
		require.NotContains(t, text, secret)
	}
}

func event(email string) bento.Event { return bento.Event{Type: "$signed_up", Email: email} }

func events(n int) []bento.Event {
	all := make([]bento.Event, n)
	for i := range all {
		all[i] = event("person@example.com")
	}
	return all
}
