package sqlitestore_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"example.com/bento-go/gen"
	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/sqlitestore"
	bento "example.com/bento-go/wrapper"
)

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
	store, err := sqlitestore.Open(b.Context(), filepath.Join(b.TempDir(), "outbox.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	sender := outbox.New(client, store)
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
