package conformance_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"example.com/bento-go/conformance"
	"example.com/bento-go/conformance/fake"
	"example.com/bento-go/gen"
	bento "example.com/bento-go/wrapper"
)

// Judge one exchange that a program has at hand.
func ExampleChecker_Check() {
	checker, err := conformance.New()
	if err != nil {
		panic(err)
	}
	verdict := checker.Check(&conformance.Exchange{
		Request: conformance.Request{
			Method: "POST",
			URL:    "https://app.bentonow.com/api/v1/batch/events",
			Header: http.Header{"User-Agent": {"curl/8"}, "Content-Type": {"application/json"}, "Authorization": {"Basic [redacted]"}},
			Body:   []byte(`{"events":[{"type":"$signed_up"}]}`),
		},
		Response: &conformance.Response{Status: 401},
	})
	for _, f := range verdict.Findings {
		fmt.Println(f.Rule+":", f.Pointer, f.Message)
	}
	// Output:
	// request.site-uuid:  site_uuid is missing from the query
	// request.user-agent:  the User-Agent is generic
	// request.body.schema: /events/0/email is required
}

// Judge a recording, entry by entry.
func ExampleReadHAR() {
	file, err := os.Open("testdata/conventions.har")
	if err != nil {
		panic(err)
	}
	defer func() { _ = file.Close() }()
	checker, err := conformance.New()
	if err != nil {
		panic(err)
	}
	report := conformance.NewReport(checker)
	for exchange, err := range conformance.ReadHAR(file, file.Name()) {
		if exchange == nil {
			panic(err) // the file cannot be read any further
		}
		if err != nil {
			report.AddError(exchange.Source, err)
			continue
		}
		report.Add(exchange)
	}
	summary := report.Summary()
	fmt.Println(summary.Checked, "checked,", summary.Errors, "errors")
	// Output: 16 checked, 0 errors
}

// Record what a client says to Bento; here, to a fake.
func ExampleRecorder() {
	server, err := fake.New()
	if err != nil {
		panic(err)
	}
	pipe := server.Pipe()
	defer func() { _ = pipe.Close() }()

	var recording bytes.Buffer
	recorder := conformance.NewRecorder(pipe.Transport(), &recording)
	client, err := bento.New(bento.Config{
		PublishableKey: "pk_example", SecretKey: "sk_example", SiteUUID: "site-uuid", UserAgent: "AcmeCRM/1.0",
		BaseURL: "http://127.0.0.1" + gen.BasePath,
	}, bento.WithHTTPClient(&http.Client{Transport: recorder}))
	if err != nil {
		panic(err)
	}
	if _, err := client.CreateTag(context.Background(), "customer"); err != nil {
		panic(err)
	}
	if err := recorder.Close(); err != nil {
		panic(err)
	}
	fmt.Println(bytes.Contains(recording.Bytes(), []byte("customer")), bytes.Contains(recording.Bytes(), []byte("sk_example")))
	// Output: true false
}

// Judge whatever was recorded, in any format, and leave out what is known.
func ExampleRead() {
	checker, err := conformance.New()
	if err != nil {
		panic(err)
	}
	recording := `{"request":{"method":"GET","url":"/api/v1/fetch/tags"},"response":{"status":200,"headers":{"Content-Type":"application/json"},"body":"{\"data\":[{}]}"}}`
	report := conformance.NewReport(checker)
	for exchange, err := range conformance.Read(strings.NewReader(recording), "staging.ndjson") {
		if err != nil {
			fmt.Println(err)
			continue
		}
		report.Add(exchange)
	}
	for _, g := range report.Groups() {
		fmt.Println(g.Severity, g.Rule, g.Pointer, g.Count)
	}
	fmt.Println(report.Summary().Violating, "of", report.Summary().Checked, "break the contract")
	// Output:
	// error request.site-uuid  1
	// error response.body.schema /data/*/attributes 1
	// error response.body.schema /data/*/id 1
	// error response.body.schema /data/*/type 1
	// 1 of 1 break the contract
}

// Keep a test, or staging, from talking to Bento in any way that the contract does not know.
func ExampleNewTransport() {
	server, err := fake.New()
	if err != nil {
		panic(err)
	}
	pipe := server.Pipe()
	defer func() { _ = pipe.Close() }()
	checker, err := conformance.New()
	if err != nil {
		panic(err)
	}
	client := http.Client{Transport: conformance.NewTransport(pipe.Transport(), checker, conformance.Live{Enforce: true})}
	_, err = client.Get("http://127.0.0.1/api/v1/fetch/tags?limit=10")
	var violation *conformance.ViolationError
	if errors.As(err, &violation) {
		for _, f := range violation.Verdict.Findings {
			fmt.Println(f.Rule)
		}
	}
	// Output:
	// request.auth
	// request.site-uuid
	// request.user-agent
	// request.query.unknown
}
