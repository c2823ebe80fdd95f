package outbox_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"

	"example.com/bento-go/conformance/fake"
	"example.com/bento-go/gen"
	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/sqlitestore"
	bento "example.com/bento-go/wrapper"
)

// A signup is kept in a file before the visitor has an answer, and delivered when Bento takes it.
func Example() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	dir, err := os.MkdirTemp("", "outbox")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.Chdir(dir); err != nil {
		log.Fatal(err)
	}
	server, client := aBento()
	defer func() { _ = server.Close() }()
	signedUp := bento.Event{Type: "$signed_up", Email: "ari@example.com"}
	welcome := bento.Email{To: "ari@example.com", From: "team@acme.example", Subject: "Welcome", HTMLBody: "<p>Hello</p>"}

	store, err := sqlitestore.Open(ctx, "spool/outbox.db")
	if err != nil {
		log.Fatal(err)
	}
	sender := outbox.New(client, store)
	go func() { _ = sender.Run(context.WithoutCancel(ctx)) }() // a signal is no reason to break off an email
	receipts, err := sender.Enqueue(ctx, outbox.Event(signedUp), outbox.Email(welcome, outbox.Key("welcome/user-42")))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(receipts), "in the file")
	if err := sender.Close(ctx); err != nil { // what is left would be sent by the next program
		log.Fatal(err)
	}
	stats, err := sender.Stats(ctx)
	fmt.Println(stats.Lanes[outbox.Emails].States[outbox.Accepted], "email accepted", err)
	fmt.Println(store.Close())
	// Output:
	// 2 in the file
	// 1 email accepted <nil>
	// <nil>
}

// aBento stands in for Bento.
func aBento() (*fake.Pipe, *bento.Client) {
	server, err := fake.New()
	if err != nil {
		log.Fatal(err)
	}
	pipe := server.Pipe()
	client, err := bento.New(bento.Config{PublishableKey: "pk", SecretKey: "sk", SiteUUID: "site", UserAgent: "AcmeCRM/1.0", BaseURL: "http://127.0.0.1" + gen.BasePath},
		bento.WithHTTPClient(&http.Client{Transport: pipe.Transport()}))
	if err != nil {
		log.Fatal(err)
	}
	return pipe, client
}
