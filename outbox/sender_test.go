package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
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
}

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
			bento.WithHTTPClient(&http.Client{Transport: pipe.Transport()}), bento.WithPace(bento.PaceOff))
		require.NoError(t, err)
		test(t, b)
		require.NoError(t, pipe.Close())
	})
}

// run starts a sender; the test ends it by kill, or by Close.
func (b *bench) run() (s *outbox.Sender, kill func()) {
	s = outbox.New(b.client, b.store)
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
		assert.Equal(t, 2500, b.states(outbox.Events)[outbox.Accepted])
	})
}

func TestARecordThatIsWrongIsNotTaken(t *testing.T) {
	t.Parallel()
	simulated(t, "", func(t *testing.T, b *bench) {
		s := outbox.New(b.client, b.store)
		for _, item := range []outbox.Item{
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
			return s.Resend(context.Background(), "not in Bento's log", id)
		},
		"sendEmails#1=503":      func(s *outbox.Sender, id int64) error { return s.Confirm(context.Background(), "it is in the log", id) },
		"sendEmails#1=truncate": func(s *outbox.Sender, id int64) error { return s.Discard(context.Background(), "too late now", id) },
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
			require.Error(t, s.Resend(t.Context(), "", receipts[0].ID), "a reason is needed")
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
		assert.Equal(t, 1, b.states(outbox.Events)[outbox.Accepted])
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
		assert.Equal(t, 1, b.states(outbox.Emails)[outbox.Accepted], "another lane goes on")
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
		poison := outbox.Raw(outbox.Events, []byte(`{"type":1,"email":"ari@example.com"}`))
		items := []outbox.Item{poison}
		for n := range 99 {
			items = append(items, outbox.Event(signedUp(n)))
		}
		receipts, err := s.Enqueue(t.Context(), items...)
		require.NoError(t, err)
		require.NoError(t, b.flush(s, time.Hour))
		kill()
		assert.Equal(t, map[outbox.State]int{outbox.Accepted: 99, outbox.Failed: 1}, b.states(outbox.Events))
		failed, err := b.store.Query(t.Context(), outbox.Filter{State: outbox.Failed}, 2)
		require.NoError(t, err)
		assert.Equal(t, receipts[0].ID, failed[0].ID)
		assert.Contains(t, failed[0].Reason, "type")
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
		assert.Equal(t, 50, states[outbox.Accepted]+states[outbox.Parked])
		assert.Zero(t, b.server.Counts().Emails.Repeated)
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
		assert.Equal(t, 1, b.states(outbox.Events)[outbox.Accepted])
		assert.Equal(t, 1, b.server.Counts().Emails.Accepted)
	})
}

type flakyStore struct {
	outbox.Store
	calls atomic.Int64
}

func (f *flakyStore) Next(ctx context.Context, lease outbox.Lease, most int, now time.Time) ([]outbox.Entry, time.Time, error) {
	if f.calls.Add(1)%3 == 0 {
		return nil, time.Time{}, errors.New("disk I/O error")
	}
	return f.Store.Next(ctx, lease, most, now)
}
