package pgstore_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"example.com/bento-go/gen"
	"example.com/bento-go/outbox"
	bento "example.com/bento-go/wrapper"
)

func BenchmarkPut(b *testing.B) {
	for name, n := range map[string]int{"one": 1, "bulk of 1000": 1000} {
		b.Run(name, func(b *testing.B) {
			s := open(b, fresh())
			entries := make([]outbox.Entry, n)
			for i := range entries {
				entries[i] = outbox.Entry{Lane: outbox.Events, Policy: outbox.AtLeastOnce, Record: make([]byte, 300)}
			}
			b.SetParallelism(32)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := s.Put(context.Background(), entries); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.ReportMetric(float64(b.N*n)/b.Elapsed().Seconds(), "entries/s")
		})
	}
}

// Durable events, from the call that hands them over to Bento's answer: in bulk, as fast as they are
// delivered, to a server that says yes.
func BenchmarkDelivery(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"results":%d,"failed":0}`, strings.Count(string(body), `"type":`))
	}))
	b.Cleanup(server.Close)
	client, err := bento.New(bento.Config{PublishableKey: "pk", SecretKey: "sk", SiteUUID: "site", UserAgent: "AcmeCRM/1.0", BaseURL: server.URL + gen.BasePath}, bento.WithPace(bento.PaceOff))
	if err != nil {
		b.Fatal(err)
	}
	sender := outbox.New(client, open(b, fresh()))
	go func() { _ = sender.Run(context.Background()) }()
	items := make([]outbox.Item, 1000)
	for i := range items {
		items[i] = outbox.Event(bento.Event{Type: "$viewed", Email: fmt.Sprintf("person%d@example.com", i), Fields: gen.EventFields{"plan": "pro"}})
	}
	b.ResetTimer()
	for range b.N {
		if _, err := sender.Enqueue(context.Background(), items...); err != nil {
			b.Fatal(err)
		}
	}
	if err := sender.Close(context.Background()); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N*len(items))/b.Elapsed().Seconds(), "events/s")
}

// A million entries that wait make the next step of a lane no slower.
func BenchmarkStep(b *testing.B) {
	for _, waiting := range []int{1_000, 1_000_000} {
		s := open(b, fresh())
		entries := make([]outbox.Entry, 1000)
		for i := range entries {
			entries[i] = outbox.Entry{Lane: outbox.Events, Policy: outbox.AtLeastOnce, Record: make([]byte, 300)}
		}
		put := func(n int) {
			for range n / len(entries) {
				if _, err := s.Put(context.Background(), entries); err != nil {
					b.Fatal(err)
				}
			}
		}
		put(waiting)
		b.Run(fmt.Sprintf("%d wait", waiting), func(b *testing.B) {
			now := time.Now()
			lease, err := s.Acquire(context.Background(), outbox.Events, "me", now, time.Hour)
			if err != nil {
				b.Fatal(err)
			}
			b.ResetTimer()
			for range b.N {
				due, _, err := s.Next(context.Background(), lease, len(entries), now)
				if err != nil || len(due) != len(entries) {
					b.Fatal(err)
				}
				ids, verdicts := make([]int64, len(due)), make([]outbox.Verdict, len(due))
				for i, e := range due {
					ids[i], verdicts[i] = e.ID, outbox.Verdict{ID: e.ID, State: outbox.Accepted}
				}
				if err := s.Begin(context.Background(), lease, ids, now); err != nil {
					b.Fatal(err)
				}
				if err := s.Settle(context.Background(), lease, verdicts, now); err != nil {
					b.Fatal(err)
				}
				if _, err := s.Idle(context.Background()); err != nil {
					b.Fatal(err)
				}
				put(len(entries))
			}
		})
	}
}
