// Command signup is a web application that records each signup for Bento before it answers, in well
// under a millisecond and whether Bento can be reached or not. It delivers nothing itself: a relay on
// the same directory does (examples/relay, or bentoctl relay).
//
//	go run ./examples/signup -spool spool
//	curl -d email=ari@example.com http://127.0.0.1:8080/signup
package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/sqlitestore"
	bento "example.com/bento-go/wrapper"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8080", "address to listen on")
	spool := flag.String("spool", "spool", "directory of the outbox")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends it at once
	if err := run(ctx, *listen, *spool); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, listen, spool string) error {
	store, err := sqlitestore.Open(ctx, filepath.Join(spool, "outbox.db"))
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }()
	server := &http.Server{Addr: listen, Handler: signup(outbox.New(nil, store)), ReadHeaderTimeout: 5 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// signup records who signed up, and the email that welcomes them. The key keeps a second click from
// sending a second email; it outlives the email, and so holds no address.
func signup(box *outbox.Sender) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /signup", func(w http.ResponseWriter, req *http.Request) {
		req.Body = http.MaxBytesReader(w, req.Body, 4<<10)
		address := req.FormValue("email")
		_, err := box.Enqueue(req.Context(),
			outbox.Event(bento.Event{Type: "$signed_up", Email: address}),
			outbox.Email(bento.Email{
				To: address, From: "team@acme.example", Subject: "Welcome", HTMLBody: "<p>Good that you are here.</p>", Transactional: true,
			}, outbox.Key(fmt.Sprintf("welcome/%x", sha256.Sum256([]byte(address))))))
		switch {
		case errors.Is(err, bento.ErrInvalid):
			http.Error(w, "that is no email address", http.StatusBadRequest)
		case err != nil: // the disk is full, say: nothing was recorded, and the visitor may try again
			log.Print(err)
			http.Error(w, "try again later", http.StatusServiceUnavailable)
		default:
			w.WriteHeader(http.StatusAccepted)
		}
	})
	return mux
}
