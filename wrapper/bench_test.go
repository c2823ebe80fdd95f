package bento_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/bento-go/gen"
	bento "example.com/bento-go/wrapper"
)

// purchases are 1000 events as a shop sends them.
func purchases() []bento.Event {
	all := make([]bento.Event, 1000)
	for i := range all {
		all[i] = bento.Event{
			Type: "$purchase", Email: fmt.Sprintf("person%d@example.com", i), Fields: gen.EventFields{"first_name": "Ari"},
			Details: gen.EventDetails{
				"unique": map[string]any{"key": fmt.Sprintf("order-%d", i)},
				"value":  map[string]any{"currency": "USD", "amount": 7995},
				"cart":   map[string]any{"items": []any{map[string]any{"product_sku": "mug-01", "product_name": "Mug", "quantity": 1}}},
			},
		}
	}
	return all
}

// sink takes requests as a server in memory: it reads the body and accepts.
type sink struct{ wire int64 }

func (s *sink) RoundTrip(req *http.Request) (*http.Response, error) {
	n, err := io.Copy(io.Discard, req.Body)
	s.wire += n
	return &http.Response{
		StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Request: req,
		Body: io.NopCloser(strings.NewReader(`{"results":1000,"failed":0}`)),
	}, err
}

// One request of 1000 purchases: by this client, by the generated client alone, and by a
// stand-in that does the work of Bento's own Go SDK, which no module proxy serves: it parses
// each address with net/mail, marshals everything at once, and decodes the answer. Compare the
// medians of one run: go test ./wrapper -run - -bench Purchases -count 10.
func BenchmarkTrack1000Purchases(b *testing.B) {
	events := purchases()
	b.Run("wrapper", func(b *testing.B) {
		s := &sink{}
		c, err := bento.New(testConfig(), bento.WithHTTPClient(&http.Client{Transport: s}), bento.WithPace(bento.PaceOff))
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.TrackEvents(b.Context(), events); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(s.wire)/float64(b.N), "wire-B/op")
	})
	b.Run("generated", func(b *testing.B) {
		s := &sink{}
		c, err := gen.NewClientWithResponses("http://127.0.0.1", gen.WithHTTPClient(&http.Client{Transport: s}))
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.TrackEventsWithResponse(b.Context(), gen.TrackEventsBody{Events: events}); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(s.wire)/float64(b.N), "wire-B/op")
	})
	b.Run("official", func(b *testing.B) {
		s := &sink{}
		c := &http.Client{Transport: s}
		b.ReportAllocs()
		for b.Loop() {
			for _, e := range events {
				if _, err := mail.ParseAddress(e.Email); err != nil {
					b.Fatal(err)
				}
			}
			body, err := json.Marshal(map[string]any{"events": events})
			if err != nil {
				b.Fatal(err)
			}
			req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, "http://127.0.0.1/batch/events", bytes.NewReader(body))
			if err != nil {
				b.Fatal(err)
			}
			req.SetBasicAuth(testPublishable, testSecret)
			req.URL.RawQuery = "site_uuid=" + testSite
			resp, err := c.Do(req)
			if err != nil {
				b.Fatal(err)
			}
			var answer struct{ Results, Failed int }
			if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
				b.Fatal(err)
			}
			_ = resp.Body.Close()
		}
		b.ReportMetric(float64(s.wire)/float64(b.N), "wire-B/op")
	})
}

// One read through an in-memory transport, beside the generated client alone.
func BenchmarkListTags(b *testing.B) {
	transport := func() http.RoundTripper {
		return roundTrip(func(req *http.Request) (*http.Response, error) {
			return &http.Response{
				StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Request: req,
				Body: io.NopCloser(strings.NewReader(`{"data":[]}`)),
			}, nil
		})
	}
	b.Run("wrapper", func(b *testing.B) {
		c, err := bento.New(testConfig(), bento.WithHTTPClient(&http.Client{Transport: transport()}), bento.WithPace(bento.PaceOff))
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.ListTags(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("generated", func(b *testing.B) { // with what every request needs
		c, err := gen.NewClientWithResponses("http://127.0.0.1", gen.WithHTTPClient(&http.Client{Transport: transport(), Timeout: 30 * time.Second}),
			gen.WithRequestEditorFn(bento.BasicAuth(testPublishable, testSecret)), gen.WithRequestEditorFn(bento.SiteUUID(testSite)),
			gen.WithRequestEditorFn(bento.UserAgent("AcmeCRM/1.0")), gen.WithRequestEditorFn(bento.Accept()))
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.ListTagsWithResponse(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// 40 batches of 1000 events to a server that takes 50 ms for each, four at a time: by this client,
// and by a floor that has nothing to do but to post the bodies, made beforehand, with net/http.
func BenchmarkThroughputAt50ms(b *testing.B) {
	const batches, concurrency = 40, 4
	server, opened := watched(b, func(w http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body)
		time.Sleep(50 * time.Millisecond)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"results":1000,"failed":0}`)
	})
	one := purchases()
	all := slices.Repeat(one, batches)
	body, err := json.Marshal(gen.TrackEventsBody{Events: one})
	if err != nil {
		b.Fatal(err)
	}
	report := func(b *testing.B) {
		b.Helper()
		b.ReportMetric(float64(b.N*len(all))/b.Elapsed().Seconds(), "events/s")
		b.ReportMetric(float64(opened.Swap(0)), "connections")
	}
	b.Run("floor", func(b *testing.B) {
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: concurrency}}
		defer client.CloseIdleConnections()
		for b.Loop() {
			var wg sync.WaitGroup
			for range concurrency {
				wg.Go(func() {
					for range batches / concurrency {
						resp, err := client.Post(server.URL, "application/json", bytes.NewReader(body))
						if err != nil {
							b.Error(err)
							return
						}
						_, _ = io.Copy(io.Discard, resp.Body)
						_ = resp.Body.Close()
					}
				})
			}
			wg.Wait()
		}
		report(b)
	})
	b.Run("wrapper", func(b *testing.B) {
		cfg := testConfig()
		cfg.BaseURL = server.URL + "/api/v1"
		c, err := bento.New(cfg, bento.WithPace(bento.PaceOff))
		if err != nil {
			b.Fatal(err)
		}
		defer c.CloseIdleConnections()
		for b.Loop() {
			if _, err := c.TrackEvents(b.Context(), all, bento.WithConcurrency(concurrency)); err != nil {
				b.Fatal(err)
			}
		}
		report(b)
	})
}
