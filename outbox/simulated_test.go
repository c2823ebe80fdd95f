package outbox_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/conformance/fake"
	"example.com/bento-go/gen"
	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/memstore"
	bento "example.com/bento-go/wrapper"
)

// A bench is a fake Bento, a client of it, and a store; time costs nothing.
type bench struct {
	t      *testing.T
	server *fake.Server
	client *bento.Client
	store  outbox.Store
	opts   []outbox.Option

	clientAt func(bento.Pace) *bento.Client
	around   func(http.RoundTripper) http.RoundTripper // of new clients; nil for none

	poisonous atomic.Int32 // status that answers a body with poison in it; 0 for none

	mu   sync.Mutex
	sent []time.Time // when each request went out
}

// asked is how many requests went out, and the most of any minute.
func (b *bench) asked() (all, most int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for first, last := 0, 0; last < len(b.sent); last++ {
		for b.sent[last].Sub(b.sent[first]) >= time.Minute {
			first++
		}
		most = max(most, last-first+1)
	}
	return len(b.sent), most
}

// poison makes Bento answer so to every request that holds the word.
func (b *bench) poison(status int) { b.poisonous.Store(int32(status)) }

// through is the way to Bento, with poison in mind.
func (b *bench) through(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		b.mu.Lock()
		b.sent = append(b.sent, time.Now())
		b.mu.Unlock()
		if status := int(b.poisonous.Load()); status != 0 && req.Body != nil {
			body, err := io.ReadAll(req.Body)
			if err != nil {
				return nil, err
			}
			_ = req.Body.Close()
			if bytes.Contains(body, []byte("poison")) {
				answer := httptest.NewRecorder()
				answer.Header().Set("Content-Type", "application/json")
				answer.WriteHeader(status)
				if status == http.StatusOK { // it takes the others
					_, _ = fmt.Fprintf(answer, `{"results":%d,"failed":1}`, bytes.Count(body, []byte(`"email":`))-1)
				}
				return answer.Result(), nil
			}
			req = req.Clone(req.Context())
			req.Body = io.NopCloser(bytes.NewReader(body))
		}
		return next.RoundTrip(req)
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// simulated runs a test in simulated time.
func simulated(t *testing.T, faults string, test func(t *testing.T, b *bench)) {
	t.Helper()
	armed, err := fake.ParseFaults(faults)
	require.NoError(t, err)
	synctest.Test(t, func(t *testing.T) {
		server, err := fake.New(fake.WithFaults(armed...))
		require.NoError(t, err)
		pipe := server.Pipe()
		b := &bench{t: t, server: server, store: memstore.New(1 << 20)}
		b.clientAt = func(pace bento.Pace) *bento.Client {
			transport := b.through(pipe.Transport())
			if b.around != nil {
				transport = b.around(transport)
			}
			client, err := bento.New(bento.Config{PublishableKey: "pk", SecretKey: "sk", SiteUUID: "site", UserAgent: "AcmeCRM/1.0", BaseURL: "http://127.0.0.1" + gen.BasePath},
				bento.WithHTTPClient(&http.Client{Transport: transport}), bento.WithPace(pace))
			require.NoError(t, err)
			return client
		}
		b.client = b.clientAt(bento.PaceOff)
		test(t, b)
		require.NoError(t, pipe.Close())
	})
}

// run starts a sender; the test ends it by kill, or by Close.
func (b *bench) run() (s *outbox.Sender, kill func()) {
	s = outbox.New(b.client, b.store, b.opts...)
	ctx, cancel := context.WithCancel(b.t.Context())
	ended := make(chan struct{})
	go func() {
		assert.NoError(b.t, s.Run(ctx))
		close(ended)
	}()
	return s, func() { cancel(); <-ended }
}

func (b *bench) states(lane outbox.Lane) map[outbox.State]int {
	stats, err := b.store.Stats(b.t.Context())
	require.NoError(b.t, err)
	return stats.Lanes[lane].States
}

// total is how many entries ever came to a state.
func (b *bench) total(lane outbox.Lane, state outbox.State) int {
	stats, err := b.store.Stats(b.t.Context())
	require.NoError(b.t, err)
	return int(stats.Lanes[lane].Total(state))
}

func signedUp(n int) bento.Event {
	return bento.Event{Type: "$signed_up", Email: fmt.Sprintf("person%d@example.com", n)}
}

func letter(n int) bento.Email {
	return bento.Email{To: fmt.Sprintf("person%d@example.com", n), From: "team@acme.example", Subject: "Hello", HTMLBody: "<p>Hello</p>"}
}

func (b *bench) flush(s *outbox.Sender, within time.Duration) error {
	ctx, cancel := context.WithTimeout(b.t.Context(), within)
	defer cancel()
	return s.Flush(ctx)
}
