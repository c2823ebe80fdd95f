package natsstore_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"

	"github.com/nats-io/nats-server/v2/server"

	"example.com/bento-go/conformance/fake"
	"example.com/bento-go/gen"
	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/natsstore"
	bento "example.com/bento-go/wrapper"
)

// One machine hands an event over, and needs no keys of Bento for it. Another, which has them, delivers
// it: here, to a fake.
func ExampleOpen() {
	ctx := context.Background()
	cluster, end := aCluster()
	defer end()

	atTheShop, err := natsstore.Open(ctx, cluster)
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = atTheShop.Close() }()
	signedUp := bento.Event{Type: "$signed_up", Email: "ari@example.com"}
	if _, err := outbox.New(nil, atTheShop).Enqueue(ctx, outbox.Event(signedUp)); err != nil {
		log.Fatal(err)
	}

	atTheRelay, err := natsstore.Open(ctx, cluster)
	if err != nil {
		log.Fatal(err)
	}
	server, client := aBento()
	relay := outbox.New(client, atTheRelay)
	go func() { _ = relay.Run(ctx) }()
	if err := relay.Close(ctx); err != nil { // which delivers what waits before
		log.Fatal(err)
	}
	fmt.Println("events that arrived:", len(server.Events()))
	// Output: events that arrived: 1
}

func aBento() (*fake.Server, *bento.Client) {
	server, err := fake.New()
	if err != nil {
		log.Fatal(err)
	}
	client, err := bento.New(bento.Config{PublishableKey: "pk", SecretKey: "sk", SiteUUID: "site", UserAgent: "AcmeCRM/1.0", BaseURL: "http://127.0.0.1" + gen.BasePath},
		bento.WithHTTPClient(&http.Client{Transport: server.Pipe().Transport()}))
	if err != nil {
		log.Fatal(err)
	}
	return server, client
}

// aCluster is one server in this process.
func aCluster() (url string, end func()) {
	dir, err := os.MkdirTemp("", "nats")
	if err != nil {
		log.Fatal(err)
	}
	s, err := start(&server.Options{StoreDir: dir})
	if err != nil {
		log.Fatal(err)
	}
	return s.ClientURL(), func() {
		s.Shutdown()
		s.WaitForShutdown()
		_ = os.RemoveAll(dir)
	}
}
