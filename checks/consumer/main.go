// Command consumer is a program of somebody who has only the client: a module of its own that
// names nothing but package bento and the types it speaks in. What comes with the client is
// written down in linked.txt and modules.txt, and a test holds it to that.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"

	"example.com/bento-go/gen"
	bento "example.com/bento-go/wrapper"
)

func main() {
	client, err := bento.FromEnv("Consumer/1.0")
	if err != nil {
		log.Fatal(err)
	}
	if err := signUp(context.Background(), client, "ari@example.com", os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func signUp(ctx context.Context, client *bento.Client, address string, out io.Writer) error {
	result, err := client.TrackEvents(ctx, []bento.Event{{Type: "$signed_up", Email: address, Fields: gen.EventFields{"first_name": "Ari"}}})
	if errors.Is(err, bento.ErrOutcomeUnknown) {
		return fmt.Errorf("it may have happened: %w", err)
	} else if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%d of %d accepted\n", result.Accepted, result.Read)
	return err
}
