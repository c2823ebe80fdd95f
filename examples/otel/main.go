// Command otel shows the client under OpenTelemetry: a span for each attempt, named by the
// operation, without the site or an address in its URL. It talks to a fake of its own.
//
//	cd examples/otel && go run .
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"example.com/bento-go/conformance/fake"
	"example.com/bento-go/gen"
	bento "example.com/bento-go/wrapper"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run asks a fake, which fails once, and prints the spans of it.
func run(ctx context.Context, out io.Writer) error {
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(&printer{out}))
	defer func() { _ = provider.Shutdown(ctx) }()
	faults, err := fake.ParseFaults("getSubscriber#1=503")
	if err != nil {
		return err
	}
	server, err := fake.New(fake.WithFaults(faults...))
	if err != nil {
		return err
	}
	pipe := server.Pipe()
	defer func() { _ = pipe.Close() }()
	client, err := bento.New(bento.Config{
		PublishableKey: "pk_example", SecretKey: "sk_example", SiteUUID: "11111111-2222-3333-4444-555555555555",
		UserAgent: "AcmeCRM/1.0", BaseURL: "http://127.0.0.1" + gen.BasePath,
	},
		bento.WithHTTPClient(&http.Client{Transport: traced(pipe.Transport(), provider)}),
		bento.WithRetry(bento.RetryPolicy{MinBackoff: time.Millisecond}),
		bento.WithPace(bento.PaceOff),
	)
	if err != nil {
		return err
	}
	if _, err := client.SubscriberByEmail(ctx, "ari@example.com"); err != nil {
		return err
	}
	_, err = client.ListTags(ctx)
	return err
}

// A printer exports spans as lines.
type printer struct{ out io.Writer }

func (p *printer) ExportSpans(_ context.Context, spans []sdktrace.ReadOnlySpan) error {
	for _, span := range spans {
		attrs := attribute.NewSet(span.Attributes()...)
		status, _ := attrs.Value("http.response.status_code")
		resends, _ := attrs.Value("http.request.resend_count")
		full, _ := attrs.Value("url.full")
		if _, err := fmt.Fprintf(p.out, "%-14s %d  resend %d  %s\n", span.Name(), status.AsInt64(), resends.AsInt64(), full.AsString()); err != nil {
			return err
		}
	}
	return nil
}

func (*printer) Shutdown(context.Context) error { return nil }
