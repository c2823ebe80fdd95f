package bento_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"example.com/bento-go/conformance/fake"
	"example.com/bento-go/gen"
	bento "example.com/bento-go/wrapper"
)

// startFake stands in for Bento: it sets the environment as an operator would.
func startFake() (stop func()) {
	server, err := fake.New(fake.WithBroadcasts(30))
	if err != nil {
		log.Fatal(err)
	}
	pipe := server.Pipe()
	through := http.DefaultTransport
	http.DefaultTransport = pipe.Transport()
	for name, value := range map[string]string{
		bento.EnvPublishableKey: "pk_example", bento.EnvSecretKey: "sk_example", bento.EnvSiteUUID: "site-uuid",
		bento.EnvBaseURL: "http://127.0.0.1" + gen.BasePath,
	} {
		_ = os.Setenv(name, value)
	}
	return func() {
		http.DefaultTransport = through
		_ = pipe.Close()
	}
}

func Example() {
	defer startFake()()
	ctx := context.Background()

	client, err := bento.FromEnv("AcmeCRM/1.0")
	if err != nil {
		log.Fatal(err)
	}
	result, err := client.TrackEvents(ctx, []bento.Event{{
		Type:   "$signed_up",
		Email:  "ari@example.com",
		Fields: gen.EventFields{"first_name": "Ari"},
	}})
	if errors.Is(err, bento.ErrOutcomeUnknown) {
		log.Print("no answer came; it may have happened: ", err)
	} else if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d of %d accepted\n", result.Accepted, result.Read)
	// Output: 1 of 1 accepted
}

func ExampleClient_ImportSubscribers() {
	defer startFake()()
	client, err := bento.FromEnv("AcmeCRM/1.0")
	if err != nil {
		log.Fatal(err)
	}
	ari := bento.SubscriberRecord{Email: "ari@example.com", FirstName: new("Ari"), Tags: new("customer,newsletter")}
	ari.Set("plan", "pro") // a custom field
	result, err := client.ImportSubscribers(context.Background(), []bento.SubscriberRecord{ari, {Email: "not an address"}})
	var partly *bento.BatchError
	if errors.As(err, &partly) {
		for _, problem := range partly.Result.Problems {
			fmt.Println(problem)
		}
	}
	fmt.Println(result.Accepted, "accepted")
	// Output:
	// record 1: bento: importSubscribers: email holds a space or control character
	// 1 accepted
}

func ExampleClient_Broadcasts() {
	defer startFake()()
	client, err := bento.FromEnv("AcmeCRM/1.0", bento.WithPace(bento.PaceOff)) // a fake can take it
	if err != nil {
		log.Fatal(err)
	}
	n := 0
	for broadcast, err := range client.Broadcasts(context.Background(), bento.BroadcastFilters{}) {
		if err != nil {
			log.Fatal(err)
		}
		if n++; n == 30 {
			fmt.Println("the last of", n, "is", broadcast.Attributes.Name)
		}
	}
	// Output: the last of 30 is News 30
}

// The generated client, bare, with the manners one by one.
func ExampleNewRetryTransport() {
	defer startFake()()
	client, err := gen.NewClientWithResponses("http://127.0.0.1"+gen.BasePath,
		gen.WithHTTPClient(&http.Client{Transport: bento.NewRetryTransport(http.DefaultTransport, bento.RetryPolicy{})}),
		gen.WithRequestEditorFn(bento.BasicAuth("pk_example", "sk_example")),
		gen.WithRequestEditorFn(bento.SiteUUID("site-uuid")),
		gen.WithRequestEditorFn(bento.UserAgent("AcmeCRM/1.0")),
		gen.WithRequestEditorFn(bento.Accept()),
	)
	if err != nil {
		log.Fatal(err)
	}
	resp, err := client.CreateTagWithResponse(context.Background(), gen.CreateTagBody{Tag: gen.NewTag{Name: "customer"}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.StatusCode(), resp.JSON201.Data.Value.Attributes.Name)
	// Output: 201 customer
}

// Send a long list in batches, four at a time, and find the records that Bento refuses.
func ExampleWithBisection() {
	defer startFake()()
	client, err := bento.FromEnv("AcmeCRM/1.0", bento.WithPace(bento.PaceOff))
	if err != nil {
		log.Fatal(err)
	}
	people := make([]bento.SubscriberRecord, 2500)
	for i := range people {
		people[i].Email = fmt.Sprintf("person%d@example.com", i)
	}
	result, err := client.ImportSubscribers(context.Background(), people,
		bento.WithConcurrency(4), bento.WithBisection(), bento.WithProgress(func(r bento.Result) { fmt.Println(r.Accepted) }))
	fmt.Println(result.Accepted, "of", result.Read, err)
	// Output:
	// 1000
	// 2000
	// 2500
	// 2500 of 2500 <nil>
}

// One call with manners of its own, and its answer as it came.
func ExampleWithResponse() {
	defer startFake()()
	client, err := bento.FromEnv("AcmeCRM/1.0")
	if err != nil {
		log.Fatal(err)
	}
	var raw bento.Response
	_, err = client.ListTags(context.Background(), bento.WithTimeout(5*time.Second), bento.WithHeader("traceparent", "00-1"), bento.WithResponse(&raw))
	fmt.Println(raw.StatusCode, string(raw.Body), err)
	// Output: 200 {"data":[]} <nil>
}
