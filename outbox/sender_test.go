package outbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"expvar"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"example.com/bento-go/conformance"
	"example.com/bento-go/conformance/fake"
	"example.com/bento-go/gen"
	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/memstore"
	bento "example.com/bento-go/wrapper"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

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

// A time that is past, however long, holds nothing back.
func TestWhatIsNotBeforeThePastIsDue(t *testing.T) {
	t.Parallel()
	for _, past := range []time.Time{{}, time.Unix(-1, 0), time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC)} {
		entries, err := outbox.Entries(time.Now(), outbox.Event(signedUp(1), outbox.NotBefore(past)))
		require.NoError(t, err)
		assert.Zero(t, entries[0].NotBefore)
	}
}

// An event of a machine whose clock was ahead holds up neither itself nor what stands behind it.
func TestAnEventOfTheFutureIsSent(t *testing.T) {
	t.Parallel()
	simulated(t, "", func(t *testing.T, b *bench) {
		entries, err := outbox.Entries(time.Now().Add(time.Hour), outbox.Event(signedUp(1)))
		require.NoError(t, err)
		_, err = b.store.Put(t.Context(), entries)
		require.NoError(t, err)
		s, kill := b.run()
		_, err = s.Enqueue(t.Context(), outbox.Event(signedUp(2)))
		require.NoError(t, err)
		require.NoError(t, b.flush(s, time.Minute))
		kill()
	})
}

// A lane that has nothing to send is kept, however short the lease.
func TestAnIdleLaneIsKept(t *testing.T) {
	t.Parallel()
	simulated(t, "", func(t *testing.T, b *bench) {
		b.opts = []outbox.Option{outbox.WithLease(300 * time.Millisecond)}
		_, kill := b.run()
		time.Sleep(time.Second)
		for range 100 {
			time.Sleep(90 * time.Millisecond)
			_, err := b.store.Acquire(t.Context(), outbox.Events, "another", time.Now(), time.Second)
			require.ErrorIs(t, err, outbox.ErrLeased)
		}
		kill()
	})
}

func TestARecordThatIsWrongIsNotTaken(t *testing.T) {
	t.Parallel()
	simulated(t, "", func(t *testing.T, b *bench) {
		s := outbox.New(b.client, b.store)
		for _, item := range []outbox.Item{
			outbox.Raw(outbox.Events, []byte(`{"type":1,"email":"ari@example.com"}`)), outbox.Raw(outbox.Events, []byte(`{"type":"x","email":"ari@example.com"},{}`)),
			outbox.Event(bento.Event{Email: "ari@example.com"}), outbox.Email(bento.Email{To: "nobody"}), outbox.Raw("letters", []byte("{}")),
			outbox.Event(signedUp(1), outbox.Key(string(make([]byte, 300)))), outbox.Event(signedUp(1), outbox.WithPolicy("perhaps")),
			outbox.Email(letter(1), outbox.WithPolicy(outbox.AtLeastOnce)), outbox.Email(letter(1), outbox.NotBefore(time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC))),
			outbox.Raw(outbox.Events, make([]byte, 5<<20)),
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
		b.opts = []outbox.Option{outbox.WithRetention(30 * time.Minute)}
		s, kill := b.run()
		for _, after := range []time.Duration{0, 20 * time.Minute, 75 * time.Minute} {
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

// A record that an enforcing transport stops is found among the others, and kept as failed.
func TestARecordThatBreaksTheContractIsFound(t *testing.T) {
	t.Parallel()
	simulated(t, "", func(t *testing.T, b *bench) {
		checker, err := conformance.New(conformance.WithServer("http://127.0.0.1" + gen.BasePath))
		require.NoError(t, err)
		b.around = func(next http.RoundTripper) http.RoundTripper {
			return conformance.NewTransport(next, checker, conformance.Live{Enforce: true})
		}
		b.client = b.clientAt(bento.PaceOff)
		s, kill := b.run()
		items := []outbox.Item{outbox.Raw(outbox.Events, []byte(`{"type":"x","email":"ari@example.com","news":1}`))}
		for n := range 9 {
			items = append(items, outbox.Event(signedUp(n)))
		}
		_, err = s.Enqueue(t.Context(), items...)
		require.NoError(t, err)
		require.NoError(t, b.flush(s, time.Minute))
		kill()
		assert.Equal(t, 9, b.server.Counts().Events.Accepted)
		assert.Equal(t, 1, b.states(outbox.Events)[outbox.Failed])
	})
}

// Keys that Bento refuses hold the lane back, and keep its entries.
func TestARefusedAccountPausesTheLane(t *testing.T) {
	t.Parallel()
	simulated(t, "trackEvents=401", func(t *testing.T, b *bench) {
		b.opts = []outbox.Option{outbox.WithLogger(nil)} // nobody is told, and it goes on
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

// While nothing gets through a log says so once a minute, with the reason; and then that it does again.
func TestAnOutageIsSaid(t *testing.T) {
	t.Parallel()
	simulated(t, "trackEvents=503", func(t *testing.T, b *bench) {
		var log bytes.Buffer
		b.opts = []outbox.Option{outbox.WithLogger(slog.New(slog.NewTextHandler(&log, nil)))}
		s, kill := b.run()
		for range 10 {
			_, err := s.Enqueue(t.Context(), outbox.Event(signedUp(1)))
			require.NoError(t, err)
			time.Sleep(time.Minute)
		}
		b.server.Disarm()
		require.NoError(t, b.flush(s, time.Hour))
		kill()
		said := strings.Count(log.String(), "outbox: nothing gets through")
		assert.Greater(t, said, 1)
		assert.LessOrEqual(t, said, 10)
		assert.Contains(t, log.String(), "503 Service Unavailable")
		assert.Equal(t, 1, strings.Count(log.String(), "outbox: it gets through again"))
	})
}

func TestABatchThatDoesNotLingerGoesAtOnce(t *testing.T) {
	t.Parallel()
	for _, d := range []time.Duration{0, -time.Second} {
		simulated(t, "", func(t *testing.T, b *bench) {
			b.opts = []outbox.Option{outbox.WithLinger(d)}
			s, kill := b.run()
			began := time.Now()
			_, err := s.Enqueue(t.Context(), outbox.Event(signedUp(1)))
			require.NoError(t, err)
			require.NoError(t, b.flush(s, time.Minute))
			assert.Less(t, time.Since(began), 100*time.Millisecond)
			kill()
		})
	}
}

func TestASenderWithoutAClientOnlyKeeps(t *testing.T) {
	t.Parallel()
	s := outbox.New(nil, memstore.New(1<<20))
	_, err := s.Enqueue(t.Context(), outbox.Event(signedUp(1)))
	require.NoError(t, err)
	require.ErrorContains(t, s.Run(t.Context()), "without a client")
}
