package outbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"expvar"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"example.com/bento-go/conformance/fake"
	"example.com/bento-go/gen"
	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/memstore"
	bento "example.com/bento-go/wrapper"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A bench is a fake Bento, a client of it, and a store; time costs nothing.
type bench struct {
	t      *testing.T
	server *fake.Server
	client *bento.Client
	store  outbox.Store
	opts   []outbox.Option

	poisonous atomic.Int32 // status that answers a body with poison in it; 0 for none
}

// poison makes Bento answer so to every request that holds the word.
func (b *bench) poison(status int) { b.poisonous.Store(int32(status)) }

// through is the way to Bento, with poison in mind.
func (b *bench) through(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
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
		b.client, err = bento.New(bento.Config{PublishableKey: "pk", SecretKey: "sk", SiteUUID: "site", UserAgent: "AcmeCRM/1.0", BaseURL: "http://127.0.0.1" + gen.BasePath},
			bento.WithHTTPClient(&http.Client{Transport: b.through(pipe.Transport())}), bento.WithPace(bento.PaceOff))
		require.NoError(t, err)
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

func TestWhatIsHandedOverArrives(t *testing.T) {
	t.Parallel()
	simulated(t, "", func(t *testing.T, b *bench) {
		s, kill := b.run()
		for n := range 2500 {
			_, err := s.Enqueue(t.Context(), outbox.Event(signedUp(n)))
			require.NoError(t, err)
		}
		_, err := s.Enqueue(t.Context(), outbox.Subscriber(bento.SubscriberRecord{Email: "ari@example.com"}), outbox.Email(letter(1)), outbox.Email(letter(2)), outbox.Command(bento.AddTag("ari@example.com", "vip")))
		require.NoError(t, err)
		require.NoError(t, b.flush(s, time.Minute))
		kill()
		counts := b.server.Counts()
		assert.Equal(t, fake.Records{Accepted: 2500}, counts.Events)
		assert.Equal(t, 2, counts.Emails.Accepted)
		assert.Equal(t, 1, counts.Tags)
		assert.LessOrEqual(t, counts.Requests, 10, "in batches")
		assert.Equal(t, 2500, b.total(outbox.Events, outbox.Accepted))
	})
}

func TestARecordThatIsWrongIsNotTaken(t *testing.T) {
	t.Parallel()
	simulated(t, "", func(t *testing.T, b *bench) {
		s := outbox.New(b.client, b.store)
		for _, item := range []outbox.Item{
			outbox.Raw(outbox.Events, []byte(`{"type":1,"email":"ari@example.com"}`)), outbox.Raw(outbox.Events, []byte(`{"type":"x","email":"ari@example.com"},{}`)),
			outbox.Event(bento.Event{Email: "ari@example.com"}), outbox.Email(bento.Email{To: "nobody"}), outbox.Raw("letters", []byte("{}")),
			outbox.Event(signedUp(1), outbox.Key(string(make([]byte, 300)))), outbox.Event(signedUp(1), outbox.WithPolicy("perhaps")), outbox.Raw(outbox.Events, make([]byte, 5<<20)),
		} {
			_, err := s.Enqueue(t.Context(), outbox.Event(signedUp(1)), item)
			require.ErrorIs(t, err, bento.ErrInvalid)
			require.ErrorContains(t, err, "item 1")
		}
		assert.Zero(t, b.states(outbox.Events)[outbox.Queued], "all or none")
		require.NoError(t, s.Close(t.Context()))
		_, err := s.Enqueue(t.Context(), outbox.Event(signedUp(1)))
		require.ErrorIs(t, err, outbox.ErrClosed)
	})
}

func TestAKeyCountsOnce(t *testing.T) {
	t.Parallel()
	simulated(t, "", func(t *testing.T, b *bench) {
		s, kill := b.run()
		first, err := s.Enqueue(t.Context(), outbox.Email(letter(1), outbox.Key("welcome/1")))
		require.NoError(t, err)
		require.NoError(t, b.flush(s, time.Minute))
		again, err := s.Enqueue(t.Context(), outbox.Email(letter(1), outbox.Key("welcome/1")))
		require.NoError(t, err)
		assert.Equal(t, outbox.Receipt{ID: first[0].ID, Duplicate: true}, again[0])
		require.NoError(t, b.flush(s, time.Minute))
		kill()
		assert.Equal(t, 1, b.server.Counts().Emails.Accepted)
	})
}

func TestARecordWaitsUntilItsTime(t *testing.T) {
	t.Parallel()
	simulated(t, "", func(t *testing.T, b *bench) {
		s, kill := b.run()
		_, err := s.Enqueue(t.Context(), outbox.Email(letter(1), outbox.NotBefore(time.Now().Add(time.Hour))), outbox.Email(letter(2)))
		require.NoError(t, err)
		time.Sleep(59 * time.Minute)
		assert.Equal(t, 1, b.server.Counts().Emails.Accepted, "the other is not held up")
		time.Sleep(2 * time.Minute)
		kill()
		assert.Equal(t, 2, b.server.Counts().Emails.Accepted)
	})
}

func TestAKeyIsKnownAsLongAsItIsRetained(t *testing.T) {
	t.Parallel()
	simulated(t, "", func(t *testing.T, b *bench) {
		b.opts = []outbox.Option{outbox.WithRetention(3 * time.Hour)}
		s, kill := b.run()
		for _, after := range []time.Duration{0, 2 * time.Hour, 3 * time.Hour} {
			time.Sleep(after)
			_, err := s.Enqueue(t.Context(), outbox.Email(letter(1), outbox.Key("welcome/1")))
			require.NoError(t, err)
			require.NoError(t, b.flush(s, time.Minute))
		}
		kill()
		assert.Equal(t, 2, b.server.Counts().Emails.Accepted, "of three the second was a duplicate")
	})
}

// Bento is down for an hour: everything waits, and arrives when it is back.
func TestAnHourWithoutBento(t *testing.T) {
	t.Parallel()
	simulated(t, "*=503", func(t *testing.T, b *bench) {
		s, kill := b.run()
		for n := range 300 {
			_, err := s.Enqueue(t.Context(), outbox.Subscriber(bento.SubscriberRecord{Email: fmt.Sprintf("person%d@example.com", n)}))
			require.NoError(t, err)
		}
		err := b.flush(s, time.Hour)
		var left *outbox.RemainingError
		require.ErrorAs(t, err, &left)
		assert.Equal(t, 300, left.Waiting)
		assert.Less(t, b.server.Counts().Requests, 100, "it is not asked all the time")
		b.server.Disarm()
		require.NoError(t, b.flush(s, 10*time.Minute))
		kill()
		assert.Equal(t, 300, b.server.Counts().Subscribers.Accepted)
	})
}

// Of an email that met a fault nobody knows what became of it: it is parked, and a person decides.
func TestAnEmailIsNeverGuessed(t *testing.T) {
	t.Parallel()
	for fault, decide := range map[string]func(*outbox.Sender, int64) error{
		"sendEmails#1=reset": func(s *outbox.Sender, id int64) error {
			return s.Resend(context.Background(), "ari", "not in Bento's log", id)
		},
		"sendEmails#1=503": func(s *outbox.Sender, id int64) error {
			return s.Confirm(context.Background(), "ari", "it is in the log", id)
		},
		"sendEmails#1=truncate": func(s *outbox.Sender, id int64) error {
			return s.Discard(context.Background(), "ari", "too late now", id)
		},
	} {
		simulated(t, fault, func(t *testing.T, b *bench) {
			s, kill := b.run()
			receipts, err := s.Enqueue(t.Context(), outbox.Email(letter(1)))
			require.NoError(t, err)
			require.NoError(t, b.flush(s, time.Hour), "what is parked does not wait")
			assert.Equal(t, 1, b.states(outbox.Emails)[outbox.Parked], fault)
			before := b.server.Counts().Requests
			time.Sleep(time.Hour)
			assert.Equal(t, before, b.server.Counts().Requests, "nobody tries again")
			require.Error(t, s.Resend(t.Context(), "ari", "", receipts[0].ID), "a reason is needed")
			require.NoError(t, decide(s, receipts[0].ID))
			require.NoError(t, b.flush(s, time.Hour))
			kill()
			assert.Zero(t, b.states(outbox.Emails)[outbox.Parked])
		})
	}
	for _, surely := range []string{"sendEmails#1=429:3"} {
		simulated(t, surely, func(t *testing.T, b *bench) {
			s, kill := b.run()
			_, err := s.Enqueue(t.Context(), outbox.Email(letter(1)))
			require.NoError(t, err)
			require.NoError(t, b.flush(s, time.Hour))
			kill()
			assert.Equal(t, 1, b.server.Counts().Emails.Accepted, "surely not sent, so that it is sent again")
		})
	}
}

// A sender that is killed while it sends leaves a trace: the next one sends events again, and parks
// emails.
func TestASenderThatIsKilledLosesNothing(t *testing.T) {
	t.Parallel()
	simulated(t, "trackEvents#1=delay:1m,sendEmails#1=delay:1m", func(t *testing.T, b *bench) {
		s, kill := b.run()
		_, err := s.Enqueue(t.Context(), outbox.Event(signedUp(1)), outbox.Email(letter(1)))
		require.NoError(t, err)
		time.Sleep(10 * time.Second)
		kill()
		time.Sleep(10 * time.Minute)
		again, kill := b.run()
		require.NoError(t, b.flush(again, time.Hour))
		kill()
		assert.Equal(t, 1, b.total(outbox.Events, outbox.Accepted))
		assert.Equal(t, 1, b.states(outbox.Emails)[outbox.Parked])
		assert.GreaterOrEqual(t, b.server.Counts().Events.Accepted, 1)
		assert.LessOrEqual(t, b.server.Counts().Emails.Accepted, 1)
	})
}

// Keys that Bento refuses hold the lane back, and keep its entries.
func TestARefusedAccountPausesTheLane(t *testing.T) {
	t.Parallel()
	simulated(t, "trackEvents=401", func(t *testing.T, b *bench) {
		s, kill := b.run()
		_, err := s.Enqueue(t.Context(), outbox.Event(signedUp(1)), outbox.Email(letter(1)))
		require.NoError(t, err)
		require.Error(t, b.flush(s, time.Hour))
		assert.Equal(t, 1, b.server.Counts().Faults, "it is asked once")
		stats, err := s.Stats(t.Context())
		require.NoError(t, err)
		assert.Contains(t, stats.Lanes[outbox.Events].Paused, "401")
		assert.Equal(t, 1, b.total(outbox.Emails, outbox.Accepted), "another lane goes on")
		b.server.Disarm()
		require.NoError(t, s.Resume(t.Context(), outbox.Events))
		require.NoError(t, b.flush(s, time.Minute))
		kill()
		assert.Equal(t, 1, b.server.Counts().Events.Accepted)
	})
}

// A record that Bento refuses is found among the others, and kept as failed.
func TestAPoisonRecordIsFound(t *testing.T) {
	t.Parallel()
	simulated(t, "", func(t *testing.T, b *bench) {
		s, kill := b.run()
		b.poison(http.StatusUnprocessableEntity)
		items := []outbox.Item{outbox.Event(bento.Event{Type: "poison", Email: "ari@example.com"})}
		for n := range 99 {
			items = append(items, outbox.Event(signedUp(n)))
		}
		receipts, err := s.Enqueue(t.Context(), items...)
		require.NoError(t, err)
		require.NoError(t, b.flush(s, time.Hour))
		kill()
		assert.Equal(t, map[outbox.State]int{outbox.Failed: 1}, b.states(outbox.Events))
		assert.Equal(t, 99, b.total(outbox.Events, outbox.Accepted))
		failed, err := b.store.Query(t.Context(), outbox.Filter{State: outbox.Failed}, 2)
		require.NoError(t, err)
		assert.Equal(t, receipts[0].ID, failed[0].ID)
		assert.Contains(t, failed[0].Reason, "422")
		assert.NotContains(t, failed[0].Reason, "ari@")
	})
}

// Two senders share a store: each lane is one's at a time, and the other takes over.
func TestTwoSendersShareAStore(t *testing.T) {
	t.Parallel()
	simulated(t, "", func(t *testing.T, b *bench) {
		first, killFirst := b.run()
		second, killSecond := b.run()
		for n := range 50 {
			_, err := []*outbox.Sender{first, second}[n%2].Enqueue(t.Context(), outbox.Email(letter(n)))
			require.NoError(t, err)
			if n == 25 {
				killFirst()
			}
		}
		require.NoError(t, b.flush(second, time.Hour))
		killSecond()
		states := b.states(outbox.Emails)
		assert.Equal(t, 50, b.total(outbox.Emails, outbox.Accepted)+states[outbox.Parked])
		assert.Zero(t, b.server.Counts().Emails.Repeated)
	})
}

// Lanes that share a limit are one sender's: two would use it twice.
func TestLanesThatShareALimitStayTogether(t *testing.T) {
	t.Parallel()
	simulated(t, "", func(t *testing.T, b *bench) {
		other, err := b.store.Acquire(t.Context(), outbox.Events, "another", time.Now(), time.Minute)
		require.NoError(t, err)
		s, kill := b.run()
		_, err = s.Enqueue(t.Context(), outbox.Email(letter(1)), outbox.Command(bento.AddTag("ari@example.com", "vip")))
		require.NoError(t, err)
		time.Sleep(30 * time.Second)
		assert.Equal(t, 1, b.total(outbox.Commands, outbox.Accepted), "they have a limit of their own")
		assert.Zero(t, b.total(outbox.Emails, outbox.Accepted))
		require.NoError(t, b.store.Release(t.Context(), other))
		time.Sleep(10 * time.Second)
		assert.Equal(t, 1, b.total(outbox.Emails, outbox.Accepted))
		kill()
	})
}

func TestCloseSaysWhatIsLeft(t *testing.T) {
	t.Parallel()
	simulated(t, "trackEvents=503", func(t *testing.T, b *bench) {
		s, _ := b.run()
		_, err := s.Enqueue(t.Context(), outbox.Event(signedUp(1)))
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err = s.Close(ctx)
		var left *outbox.RemainingError
		require.ErrorAs(t, err, &left)
		assert.Equal(t, 1, left.Waiting)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 1, b.states(outbox.Events)[outbox.Queued], "it is in the store")
	})
}

// A record on which Bento itself fails is found, too, and keeps the others no longer than that takes.
func TestARecordThatBreaksBentoIsFound(t *testing.T) {
	t.Parallel()
	simulated(t, "", func(t *testing.T, b *bench) {
		s, kill := b.run()
		b.poison(http.StatusInternalServerError)
		items := make([]outbox.Item, 100)
		for n := range items {
			items[n] = outbox.Subscriber(bento.SubscriberRecord{Email: fmt.Sprintf("person%d@example.com", n)})
		}
		first := "poison"
		items[37] = outbox.Subscriber(bento.SubscriberRecord{Email: "ari@example.com", FirstName: &first})
		receipts, err := s.Enqueue(t.Context(), items...)
		require.NoError(t, err)
		var others atomic.Int64
		go func() { // other people come meanwhile
			for n := range 600 {
				time.Sleep(10 * time.Second)
				if _, err := s.Enqueue(t.Context(), outbox.Subscriber(bento.SubscriberRecord{Email: fmt.Sprintf("other%d@example.com", n)})); err != nil {
					return
				}
				others.Add(1)
			}
		}()
		time.Sleep(2 * time.Hour)
		require.NoError(t, b.flush(s, time.Hour))
		kill()
		assert.Equal(t, 99+int(others.Load()), b.total(outbox.Subscribers, outbox.Accepted))
		failed, err := b.store.Query(t.Context(), outbox.Filter{State: outbox.Failed}, 2)
		require.NoError(t, err)
		require.Len(t, failed, 1)
		assert.Equal(t, receipts[37].ID, failed[0].ID)
		assert.Contains(t, failed[0].Reason, "Bento fails on this record")
	})
}

// However often a record was tried in vain, it is not given up while no other arrives either.
func TestAnOutageFailsNothing(t *testing.T) {
	t.Parallel()
	simulated(t, "*=500", func(t *testing.T, b *bench) {
		s, kill := b.run()
		for n := range 50 {
			_, err := s.Enqueue(t.Context(), outbox.Event(signedUp(n)))
			require.NoError(t, err)
			time.Sleep(5 * time.Minute)
		}
		b.server.Disarm()
		require.NoError(t, b.flush(s, time.Hour))
		kill()
		assert.Equal(t, 50, b.total(outbox.Events, outbox.Accepted))
		assert.Zero(t, b.total(outbox.Events, outbox.Failed))
	})
}

// A store that has no room for a verdict is asked again until it has: nothing becomes doubtful by it.
func TestAFullDiskMakesNothingDoubtful(t *testing.T) {
	t.Parallel()
	simulated(t, "", func(t *testing.T, b *bench) {
		full := &fullStore{Store: b.store}
		full.until.Store(time.Now().Add(10 * time.Minute).UnixNano())
		b.store = full
		s, kill := b.run()
		_, err := s.Enqueue(t.Context(), outbox.Event(signedUp(1)), outbox.Email(letter(1)))
		require.NoError(t, err)
		require.Error(t, b.flush(s, 9*time.Minute))
		require.NoError(t, b.flush(s, 2*time.Minute))
		kill()
		assert.Equal(t, 1, b.total(outbox.Emails, outbox.Accepted))
		assert.Equal(t, 1, b.total(outbox.Events, outbox.Accepted))
		assert.Equal(t, 2, b.server.Counts().Requests, "each was sent once")
	})
}

type fullStore struct {
	outbox.Store
	until atomic.Int64
}

func (f *fullStore) Settle(ctx context.Context, lease outbox.Lease, all []outbox.Verdict, now time.Time) error {
	if now.UnixNano() < f.until.Load() {
		return outbox.ErrFull
	}
	return f.Store.Settle(ctx, lease, all, now)
}

// Every verdict, refusal and decision is counted by its cause, for whoever watches.
func TestWhatHappensIsCounted(t *testing.T) {
	t.Parallel()
	simulated(t, "trackEvents#1=503,sendEmails#1=reset", func(t *testing.T, b *bench) {
		var log bytes.Buffer
		b.opts = []outbox.Option{outbox.WithLogger(slog.New(slog.NewTextHandler(&log, nil))), outbox.WithName("web-1")}
		s, kill := b.run()
		receipts, err := s.Enqueue(t.Context(), outbox.Event(signedUp(1)), outbox.Email(letter(1)))
		require.NoError(t, err)
		_, err = s.Enqueue(t.Context(), outbox.Email(bento.Email{}), outbox.Email(letter(1)))
		require.ErrorIs(t, err, bento.ErrInvalid)
		require.NoError(t, b.flush(s, time.Minute))
		time.Sleep(time.Minute)
		require.NoError(t, s.Confirm(t.Context(), "ari", "it is in the log", receipts[1].ID))
		history, err := s.History(t.Context(), receipts[1].ID)
		require.NoError(t, err)
		require.Len(t, history, 2)
		assert.Equal(t, outbox.Parked, history[0].State)
		assert.Contains(t, history[0].By, "web-1/")
		assert.Equal(t, outbox.Change{At: history[1].At, By: "ari", State: outbox.Accepted, Reason: "it is in the log"}, history[1])
		published, err := json.Marshal(expvar.Func(func() any { stats, _ := s.Stats(t.Context()); return stats }).Value())
		require.NoError(t, err)
		kill()
		assert.Contains(t, string(published), `"totals":{"accepted":{"":1},"queued":{"server":1}}`)
		assert.Contains(t, string(published), `"totals":{"accepted":{"decided":1},"parked":{"network":1}}`)
		assert.Contains(t, string(published), `"refused":{"invalid":2}`)
		assert.Contains(t, log.String(), "outbox parked")
		assert.Contains(t, log.String(), "depth", "once a minute")
		assert.NotContains(t, log.String(), "@example.com")
	})
}

func TestASenderWithoutAClientOnlyKeeps(t *testing.T) {
	t.Parallel()
	s := outbox.New(nil, memstore.New(1<<20))
	_, err := s.Enqueue(t.Context(), outbox.Event(signedUp(1)))
	require.NoError(t, err)
	require.ErrorContains(t, s.Run(t.Context()), "without a client")
}

// A store that fails does not end the sender.
func TestAStoreThatFailsForAWhile(t *testing.T) {
	t.Parallel()
	simulated(t, "", func(t *testing.T, b *bench) {
		flaky := &flakyStore{Store: b.store}
		b.store = flaky
		s, kill := b.run()
		_, err := s.Enqueue(t.Context(), outbox.Event(signedUp(1)), outbox.Email(letter(1)))
		require.NoError(t, err)
		require.NoError(t, b.flush(s, time.Hour))
		kill()
		assert.Equal(t, 1, b.total(outbox.Events, outbox.Accepted))
		assert.Equal(t, 1, b.server.Counts().Emails.Accepted)
	})
}

type flakyStore struct {
	outbox.Store
	calls atomic.Uint32
}

func (f *flakyStore) Next(ctx context.Context, lease outbox.Lease, most int, now time.Time) ([]outbox.Entry, time.Time, error) {
	if n := f.calls.Add(1); n*2654435761>>16%3 == 0 { // now and then: not in step with any lane
		return nil, time.Time{}, errors.New("disk I/O error")
	}
	return f.Store.Next(ctx, lease, most, now)
}
