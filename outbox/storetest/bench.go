package storetest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"example.com/bento-go/gen"
	"example.com/bento-go/outbox"
	bento "example.com/bento-go/wrapper"
)

// An OpenBench makes a store that is empty, with room for all that a benchmark puts.
type OpenBench func(b *testing.B) outbox.Store

// BenchmarkPut measures records that many goroutines put: one by one, a few at a time, and in bulk.
func BenchmarkPut(b *testing.B, open OpenBench) {
	b.Helper()
	for _, n := range []int{1, 10, 1000} {
		name := fmt.Sprintf("bulk of %d", n)
		if n == 1 {
			name = "one"
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			s := open(b)
			defer func() { _ = s.Close() }()
			entries := make([]outbox.Entry, n)
			for i := range entries {
				entries[i] = outbox.Entry{Lane: outbox.Events, Policy: outbox.AtLeastOnce, Record: make([]byte, 300)}
			}
			b.SetParallelism(32)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := s.Put(context.Background(), entries); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N*n)/b.Elapsed().Seconds(), "entries/s")
		})
	}
}

// BenchmarkDelivery measures durable events from the call that hands them over to Bento's answer: in
// bulk, as fast as they are delivered, to a server that says yes.
func BenchmarkDelivery(b *testing.B, open OpenBench) {
	b.Helper()
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
	items := make([]outbox.Item, 1000)
	for i := range items {
		items[i] = outbox.Event(bento.Event{Type: "$viewed", Email: fmt.Sprintf("person%d@example.com", i), Fields: gen.EventFields{"plan": "pro"}})
	}
	store := open(b)
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
}
