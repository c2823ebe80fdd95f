package natsstore_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"

	"example.com/bento-go/gen"
	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/natsstore"
	bento "example.com/bento-go/wrapper"
)

// both runs a benchmark with one server, as it is shipped and with each write synced.
func both(b *testing.B, do func(b *testing.B, url string)) {
	b.Helper()
	for name, always := range map[string]bool{"synced each two minutes": false, "synced always": true} {
		b.Run(name, func(b *testing.B) {
			do(b, started(b, &server.Options{StoreDir: b.TempDir(), SyncAlways: always}).ClientURL())
		})
	}
}

func BenchmarkPut(b *testing.B) {
	both(b, func(b *testing.B, url string) {
		for name, n := range map[string]int{"one": 1, "bulk of 1000": 1000} {
			b.Run(name, func(b *testing.B) {
				s, err := natsstore.Open(b.Context(), url, natsstore.WithName(fresh()), natsstore.WithCapacity(8<<30))
				if err != nil {
					b.Fatal(err)
				}
				defer func() { _ = s.Close() }()
				entries := make([]outbox.Entry, n)
				for i := range entries {
					entries[i] = outbox.Entry{Lane: outbox.Events, Policy: outbox.AtLeastOnce, Record: make([]byte, 300)}
				}
				b.SetParallelism(16)
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
	})
}

// Durable events, from the call that hands them over to Bento's answer: in bulk, as fast as they are
// delivered, to a server that says yes.
func BenchmarkDelivery(b *testing.B) {
	bentoServer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"results":%d,"failed":0}`, strings.Count(string(body), `"type":`))
	}))
	b.Cleanup(bentoServer.Close)
	client, err := bento.New(bento.Config{PublishableKey: "pk", SecretKey: "sk", SiteUUID: "site", UserAgent: "AcmeCRM/1.0", BaseURL: bentoServer.URL + gen.BasePath}, bento.WithPace(bento.PaceOff))
	if err != nil {
		b.Fatal(err)
	}
	items := make([]outbox.Item, 1000)
	for i := range items {
		items[i] = outbox.Event(bento.Event{Type: "$viewed", Email: fmt.Sprintf("person%d@example.com", i), Fields: gen.EventFields{"plan": "pro"}})
	}
	both(b, func(b *testing.B, url string) {
		store, err := natsstore.Open(b.Context(), url, natsstore.WithName(fresh()))
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = store.Close() }()
		sender := outbox.New(client, store)
		go func() { _ = sender.Run(context.Background()) }()
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
	})
}
