package fake_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"example.com/bento-go/conformance/fake"
	"example.com/bento-go/gen"
)

// What the server gets done, with checking on: small requests, and full batches. The client of
// the sockets' benchmark takes its part of the two cores.
func BenchmarkServer(b *testing.B) {
	batch := func(kind, details string) string {
		var events strings.Builder
		for i := range 1000 {
			fmt.Fprintf(&events, `,{"type":%q,"email":"person%d@example.com","fields":{"first_name":"Ari"},"details":{%s}}`,
				kind, i, strings.ReplaceAll(details, "N", strconv.Itoa(i)))
		}
		return `{"events":[` + events.String()[1:] + `]}`
	}
	for name, bench := range map[string]struct{ method, path, body string }{
		"small": {http.MethodGet, "/fetch/subscribers?email=ari%40example.com&site_uuid=x", ""},
		"event": {http.MethodPost, "/batch/events?site_uuid=x", `{"events":[{"type":"x","email":"ari@example.com"}]}`},
		"batch": {http.MethodPost, "/batch/events?site_uuid=x", batch("$cart_updated", `"cart":{"id":"cart-N","items":[{"product_sku":"SKU-N","quantity":1}]}`)},
		"known": {http.MethodPost, "/batch/events?site_uuid=x", batch("$purchase", `"unique":{"key":"order-N"},"value":{"currency":"USD","amount":7995}`)}, // a repeat takes no effect
	} {
		server, err := fake.New()
		if err != nil {
			b.Fatal(err)
		}
		request := func(base string) *http.Request {
			req, err := http.NewRequest(bench.method, base+gen.BasePath+bench.path, strings.NewReader(bench.body))
			if err != nil {
				b.Fatal(err)
			}
			req.SetBasicAuth("pk", "sk")
			req.Header.Set("User-Agent", "AcmeCRM/1.0")
			if bench.body != "" {
				req.Header.Set("Content-Type", "application/json")
			}
			return req
		}
		b.Run(name+"/handler", func(b *testing.B) {
			b.SetBytes(int64(len(bench.body)))
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					w := httptest.NewRecorder()
					req := request("http://127.0.0.1")
					req.Body = io.NopCloser(strings.NewReader(bench.body))
					server.ServeHTTP(w, req)
					if w.Code != http.StatusOK {
						b.Fatal(w.Body.String())
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
		})
		b.Run(name+"/socket", func(b *testing.B) {
			listening := httptest.NewServer(server)
			defer listening.Close()
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
			defer client.CloseIdleConnections()
			b.SetBytes(int64(len(bench.body)))
			b.SetParallelism(8)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					resp, err := client.Do(request(listening.URL))
					if err != nil {
						b.Error(err)
						return
					}
					_, _ = io.Copy(io.Discard, resp.Body)
					_ = resp.Body.Close()
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
		})
	}
}
