package main

import (
	"context"
	"net/http"
	"net/url"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"example.com/bento-go/gen"
	bento "example.com/bento-go/wrapper"
)

// traced returns a transport that makes a span of every attempt, named by the operation, and sends
// through base. Handed to bento.WithHTTPClient it stands below the client's retries, so that each
// attempt has a span of its own.
//
// otelhttp writes the whole URL into a span, with the site and the address that somebody looked
// up. So it sees a URL without the values of the query; the one that is sent waits in the context.
func traced(base http.RoundTripper, provider trace.TracerProvider) http.RoundTripper {
	return redacted{otelhttp.NewTransport(revealed{base},
		otelhttp.WithTracerProvider(provider),
		otelhttp.WithSpanNameFormatter(func(_ string, req *http.Request) string {
			op, _ := gen.MatchOperation(req.Method, req.URL.Path)
			return op.ID
		}),
	)}
}

type realURL struct{}

// redacted takes the values out of a URL's query, and remembers them.
type redacted struct{ next http.RoundTripper }

func (t redacted) RoundTrip(req *http.Request) (*http.Response, error) {
	seen := req.Clone(context.WithValue(req.Context(), realURL{}, req.URL))
	query := seen.URL.Query()
	for name := range query {
		query[name] = []string{"REDACTED"}
	}
	seen.URL.RawQuery = query.Encode()
	return t.next.RoundTrip(seen)
}

// revealed sends to the URL that redacted remembered, and counts the attempts in the span.
type revealed struct{ next http.RoundTripper }

func (t revealed) RoundTrip(req *http.Request) (*http.Response, error) {
	if resends := bento.Attempt(req.Context()) - 1; resends > 0 {
		trace.SpanFromContext(req.Context()).SetAttributes(attribute.Int("http.request.resend_count", resends))
	}
	sent := req.Clone(req.Context())
	sent.URL, _ = req.Context().Value(realURL{}).(*url.URL)
	return t.next.RoundTrip(sent)
}
