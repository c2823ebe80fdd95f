package faketest_test

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"example.com/bento-go/conformance/fake"
	"example.com/bento-go/conformance/fake/faketest"
	"example.com/bento-go/gen"
	bento "example.com/bento-go/wrapper"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// signUp is somebody's code that is to be tested.
func signUp(ctx context.Context, client *bento.Client, email string) error { //nolint:unparam // as somebody would write it
	if _, err := client.TrackEvents(ctx, []bento.Event{{Type: "$signed_up", Email: email}}); err != nil {
		return err
	}
	_, err := client.SendEmails(ctx, []bento.Email{{To: email, From: "hello@acme.example", Subject: "Welcome", HTMLBody: "<p>Hello</p>"}})
	return err
}

// A test of somebody's code, in ten lines; t is the test's.
func ExampleNew() {
	var t *testing.T
	b := faketest.New(t)
	if err := signUp(t.Context(), b.Client, "ari@example.com"); err != nil {
		t.Fatal(err)
	}
	b.RequireEvents("$signed_up")
	b.RequireEmails("ari@example.com")
	b.RequireNothingTwice()
	b.RequireNoRefusals()
}

func TestATestInTenLines(t *testing.T) {
	t.Parallel()
	b := faketest.New(t)
	require.NoError(t, signUp(t.Context(), b.Client, "ari@example.com"))
	b.RequireEvents("$signed_up")
	b.RequireEmails("ari@example.com")
	b.RequireNothingTwice()
	b.RequireNoRefusals()
	assert.Equal(t, "ari@example.com", b.RequireSubscriber("ari@example.com").Attributes.Email)
}

// A minute's limit costs no time under synctest.
func TestLimitsCostNoTimeUnderSynctest(t *testing.T) {
	t.Parallel()
	for _, spec := range []string{"5/min", "5/min:sliding"} {
		synctest.Test(t, func(t *testing.T) {
			limits, err := fake.ParseLimits(spec)
			require.NoError(t, err)
			b := faketest.New(t, fake.WithLimits(limits))
			start := time.Now()
			for range 12 {
				require.NoError(t, func() error { _, err := b.Client.ListTags(t.Context()); return err }())
			}
			assert.InDelta(t, 2*time.Minute, time.Since(start), float64(3*time.Second), spec)
			b.RequireNoRefusals()
			assert.Len(t, b.Server.Exchanges(), 12+b.Server.Counts().Limited)
		})
	}
}

func TestASocketServesOtherPrograms(t *testing.T) {
	t.Parallel()
	b := faketest.NewServer(t)
	resp, err := http.Get(b.Config.BaseURL + "/fetch/tags")
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, http.StatusForbidden, resp.StatusCode)
	again, err := bento.New(b.Config, bento.WithHTTPClient(b.HTTPClient))
	require.NoError(t, err)
	_, err = again.ListTags(t.Context())
	require.NoError(t, err)
	b.HTTPClient.CloseIdleConnections()
	http.DefaultClient.CloseIdleConnections()
}

// failing notes what a test would be told.
type failing struct {
	testing.TB
	said string
}

func (f *failing) Helper() {}
func (f *failing) Fatalf(format string, args ...any) {
	f.said = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// saidOf runs a check that should fail, and returns what it says.
func (f *failing) saidOf(check func()) string {
	done := make(chan struct{})
	go func() { defer close(done); check() }()
	<-done
	return f.said
}

// refuse sends a request that is refused.
func refuse(t *testing.T, b *faketest.Bento) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1/fetch/tags", nil)
	require.NoError(t, err)
	resp, err := b.HTTPClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
}

func TestWhatIsMissingIsSaid(t *testing.T) {
	t.Parallel()
	for want, check := range map[string]func(*faketest.Bento){
		`Bento got the events ["$signed_up"], not ["$left"]`: func(b *faketest.Bento) { b.RequireEvents("$left") },
		`Bento got emails to ["ari@example.com"], not []`:    func(b *faketest.Bento) { b.RequireEmails() },
		`Bento does not know "bo@example.com"`:               func(b *faketest.Bento) { b.RequireSubscriber("bo@example.com") },
		`2 records came twice: 1 events, 0 subscribers, 1`:   func(b *faketest.Bento) { b.RequireNothingTwice() },
		`request 4, GET /fetch/tags, was refused with 403`:   func(b *faketest.Bento) { b.RequireNoRefusals() },
	} {
		f := &failing{TB: t}
		b := faketest.New(f)
		require.NoError(t, signUp(t.Context(), b.Client, "ari@example.com"))
		if want[0] == '2' || want[0] == 'r' {
			require.NoError(t, signUp(t.Context(), b.Client, "ari@example.com"))
			refuse(t, b)
		}
		assert.Contains(t, f.saidOf(func() { check(b) }), want)
	}
}

// A refusal is no less one for lying further back than what is remembered.
func TestARefusalIsNotForgotten(t *testing.T) {
	t.Parallel()
	f := &failing{TB: t}
	b := faketest.New(f)
	refuse(t, b)
	list := func(n int) {
		for range n {
			_, err := b.Client.ListTags(t.Context())
			require.NoError(t, err)
		}
	}
	list(999)
	assert.Contains(t, f.saidOf(b.RequireNoRefusals), "request 0, GET /fetch/tags, was refused with 403")
	list(1)
	assert.Contains(t, f.saidOf(b.RequireNoRefusals), "1 of 1001 requests were refused, all before the last 1000")
	refuse(t, b)
	assert.Contains(t, f.saidOf(b.RequireNoRefusals), "request 1001, GET /fetch/tags")
}

// What was queued takes effect later, and is counted at once.
func TestWhatIsQueuedIsSeenLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := faketest.New(t, fake.WithVisibilityDelay(3*time.Minute))
		_, err := b.Client.TrackEvents(t.Context(), []bento.Event{{Type: "$signed_up", Email: "ari@example.com"}, {Type: "x", Email: "ari@example.com"}})
		require.NoError(t, err)
		assert.Equal(t, map[string]int{"$signed_up": 1, "x": 1}, b.Server.EventTypes())
		nobody, err := b.Client.SubscriberByEmail(t.Context(), "ari@example.com")
		require.NoError(t, err)
		assert.Nil(t, nobody)
		time.Sleep(3 * time.Minute)
		person, err := b.Client.SubscriberByEmail(t.Context(), "ari@example.com")
		require.NoError(t, err)
		assert.NotNil(t, person)
	})
}

// Faults of every kind, as they are written and as they are met.
func TestFaultsOfEveryKind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		once := bento.WithRetry(bento.RetryPolicy{MaxAttempts: 1})
		armed := func(spec string, seed uint64) *faketest.Bento {
			faults, err := fake.ParseFaults(spec)
			require.NoError(t, err)
			for _, f := range faults {
				again, err := fake.ParseFaults(f.String())
				require.NoError(t, err)
				assert.Equal(t, f, again[0])
			}
			return faketest.New(t, fake.WithFaults(faults...), fake.WithSeed(seed))
		}
		failures := func(b *faketest.Bento, n int) (failed []int) {
			for i := range n {
				if _, err := b.Client.ListTags(t.Context(), once); err != nil {
					failed = append(failed, i)
				}
			}
			return failed
		}
		assert.Equal(t, []int{2, 5, 8}, failures(armed("listTags/3=503", 0), 9))
		assert.Equal(t, []int{0, 1}, failures(armed("*=reset,", 0), 2))
		first := failures(armed("listTags~30=html:502", 7), 100)
		assert.InDelta(t, 30, len(first), 15)
		assert.Equal(t, first, failures(armed("listTags~30=html:502", 7), 100), "the same seed, the same requests")
		assert.NotEqual(t, first, failures(armed("listTags~30=html:502", 8), 100))

		for spec, wait := range map[string]time.Duration{"*=delay:9s": 9 * time.Second, "*=slow:5s": 5 * time.Second} {
			b, start := armed(spec, 0), time.Now()
			_, err := b.Client.ListTags(t.Context(), once)
			require.NoError(t, err)
			assert.Equal(t, wait, time.Since(start), spec)
		}
		b := armed("trackEvents#1=truncate", 0)
		_, err := b.Client.TrackEvents(t.Context(), []bento.Event{{Type: "x", Email: "ari@example.com"}}, once)
		require.ErrorIs(t, err, bento.ErrOutcomeUnknown)
		b.RequireEvents("x")
	})
}

// A program in another language steers the fake by its control.
func TestTheControlSteersTheServer(t *testing.T) {
	t.Parallel()
	b := faketest.New(t)
	control := &http.Client{Transport: handlerTransport{b.Server.Control()}}
	ask := func(method, path, body string, header ...string) (int, string) {
		return send(t, control, method, path, body, header...)
	}
	status, said := ask("PUT", "/faults", "listTags#1=503\nsendEmails/2=429:5")
	assert.Equal(t, 204, status, said)
	_, said = ask("GET", "/faults", "")
	assert.Equal(t, "listTags#1=503\nsendEmails/2=429:5\n", said)
	_, err := b.Client.ListTags(t.Context(), bento.WithRetry(bento.RetryPolicy{MaxAttempts: 1}))
	require.ErrorIs(t, err, bento.ErrServer)
	status, said = ask("PUT", "/faults", "nonsense")
	assert.Equal(t, 400, status)
	assert.Contains(t, said, "no action")
	status, _ = ask("PUT", "/faults", "", "Origin", "https://example.com")
	assert.Equal(t, 403, status)
	_, said = ask("GET", "/counts", "")
	assert.Contains(t, said, `"Faults":1`)
	require.NoError(t, signUp(t.Context(), b.Client, "ari@example.com"))
	_, said = ask("GET", "/emails", "")
	assert.Contains(t, said, `"to":"ari@example.com"`)
	_, said = ask("GET", "/events", "")
	assert.JSONEq(t, `{"$signed_up":1}`, said)
	assert.Equal(t, gen.OpListTags, b.Server.Exchanges()[0].Operation)
}
