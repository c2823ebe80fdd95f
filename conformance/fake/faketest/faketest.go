// Package faketest gives a test a fake Bento and a client of it, in one line:
//
//	b := faketest.New(t)
//	signUp(b.Client, "ari@example.com")   // the code under test
//	b.RequireEvents("$signed_up")
//
// The fake lives in the process, over net.Pipe, so that it works under testing/synctest: backoff
// and limits cost no time there. NewServer listens on a socket instead, for programs that are not
// the test. Both end with the test, and leave no goroutine behind.
package faketest

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"example.com/bento-go/conformance/fake"
	"example.com/bento-go/gen"
	bento "example.com/bento-go/wrapper"
)

// The credentials that Config has; the fake takes any others too.
const (
	PublishableKey = "pk_test_fake"
	SecretKey      = "sk_test_fake"
	SiteUUID       = "00000000000000000000000000000000"
)

// A Bento is a fake for one test.
type Bento struct {
	// Client speaks to the fake. It does not pace, and is otherwise as bento.New makes it.
	Client *bento.Client
	// Server is the fake itself, to look into it and to break it.
	Server *fake.Server
	// Config and HTTPClient make further clients: bento.New(b.Config, bento.WithHTTPClient(b.HTTPClient)).
	Config     bento.Config
	HTTPClient *http.Client

	t testing.TB
}

// New starts a fake within the process.
func New(t testing.TB, opts ...fake.Option) *Bento {
	t.Helper()
	b := newBento(t, opts)
	pipe := b.Server.Pipe()
	t.Cleanup(func() { _ = pipe.Close() })
	b.HTTPClient = &http.Client{Transport: pipe.Transport()}
	b.connect("http://127.0.0.1")
	return b
}

// NewServer starts a fake that listens on 127.0.0.1; Config.BaseURL says where.
func NewServer(t testing.TB, opts ...fake.Option) *Bento {
	t.Helper()
	b := newBento(t, opts)
	server := httptest.NewServer(b.Server)
	t.Cleanup(server.Close)
	b.HTTPClient = server.Client()
	b.connect(server.URL)
	return b
}

func newBento(t testing.TB, opts []fake.Option) *Bento {
	t.Helper()
	server, err := fake.New(opts...)
	if err != nil {
		t.Fatalf("faketest: %v", err)
	}
	return &Bento{Server: server, t: t}
}

func (b *Bento) connect(address string) {
	b.t.Helper()
	b.Config = bento.Config{
		PublishableKey: PublishableKey, SecretKey: SecretKey, SiteUUID: SiteUUID, UserAgent: "faketest/1.0", BaseURL: address + gen.BasePath,
	}
	client, err := bento.New(b.Config, bento.WithHTTPClient(b.HTTPClient), bento.WithPace(bento.PaceOff))
	if err != nil {
		b.t.Fatalf("faketest: %v", err)
	}
	b.Client = client
	b.t.Cleanup(client.CloseIdleConnections)
}

// RequireEvents fails the test at once unless exactly events of these types arrived, in this
// order.
func (b *Bento) RequireEvents(types ...string) {
	b.t.Helper()
	var have []string
	for _, e := range b.Server.Events() {
		have = append(have, e.Type)
	}
	b.requireEqual("the events", have, types)
}

// RequireEmails fails the test at once unless exactly these addresses got an email, in this order.
func (b *Bento) RequireEmails(to ...string) {
	b.t.Helper()
	var have []string
	for _, e := range b.Server.Emails() {
		have = append(have, e.To)
	}
	b.requireEqual("emails to", have, to)
}

func (b *Bento) requireEqual(what string, have, want []string) {
	b.t.Helper()
	if !slices.Equal(have, want) {
		b.t.Fatalf("Bento got %s %q, not %q", what, have, want)
	}
}

// RequireSubscriber fails the test at once unless Bento knows the person, and returns them.
func (b *Bento) RequireSubscriber(email string) bento.Subscriber {
	b.t.Helper()
	person, known := b.Server.Subscriber(email)
	if !known {
		b.t.Fatalf("Bento does not know %q", email)
	}
	return person
}

// RequireNothingTwice fails the test at once if a record came twice to the letter.
func (b *Bento) RequireNothingTwice() {
	b.t.Helper()
	c := b.Server.Counts()
	if n := c.Events.Repeated + c.Subscribers.Repeated + c.Emails.Repeated; n > 0 {
		b.t.Fatalf("%d records came twice: %d events, %d subscribers, %d emails", n, c.Events.Repeated, c.Subscribers.Repeated, c.Emails.Repeated)
	}
}

// RequireNoRefusals fails the test at once if the fake refused a request as against the contract,
// and says of the first that is remembered why.
func (b *Bento) RequireNoRefusals() {
	b.t.Helper()
	counts := b.Server.Counts()
	if counts.Refused == 0 {
		return
	}
	passed := b.Server.Exchanges()
	for i, x := range passed {
		if x.Operation == "" {
			n := max(0, counts.Requests-len(passed)) + i
			b.t.Fatalf("request %d, %s %s, was refused with %d: %s", n, x.Method, x.Path, x.Status, strings.Join(x.Verdict, "; "))
		}
	}
	b.t.Fatalf("%d of %d requests were refused, all before the last %d, of which alone it is remembered why", counts.Refused, counts.Requests, len(passed))
}
