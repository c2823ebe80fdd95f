// Command relay delivers what other programs put into an outbox. It is bentoctl relay in the small, for
// programs that want to watch it their own way: here by expvar.
//
//	BENTO_PUBLISHABLE_KEY=… BENTO_SECRET_KEY=… BENTO_SITE_UUID=… go run ./examples/relay -spool spool
//	curl http://127.0.0.1:8081/debug/vars
package main

import (
	"context"
	"expvar"
	"flag"
	"log"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/sqlitestore"
	bento "example.com/bento-go/wrapper"
)

func main() {
	watch := flag.String("watch", "127.0.0.1:8081", "address to be watched at")
	spool := flag.String("spool", "spool", "directory of the outbox")
	flag.Parse()
	client, err := bento.FromEnv("AcmeRelay/1.0")
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)                                             // a second signal ends it at once
	server := &http.Server{Addr: *watch, ReadHeaderTimeout: 5 * time.Second} // expvar registers itself
	go func() { log.Print(server.ListenAndServe()) }()
	if err := relay(ctx, client, *spool); err != nil {
		log.Fatal(err)
	}
}

// relay delivers until ctx ends; what is in flight then has half a minute to finish.
func relay(ctx context.Context, client *bento.Client, spool string) error {
	store, err := sqlitestore.Open(ctx, filepath.Join(spool, "outbox.db"))
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }()
	sender := outbox.New(client, store, outbox.WithLogger(slog.Default()))
	counts := expvar.Func(func() any { stats, _ := sender.Stats(context.Background()); return stats })
	if expvar.Get("outbox") == nil {
		expvar.Publish("outbox", counts)
	}

	ended := make(chan error, 1)
	go func() { ended <- sender.Run(context.WithoutCancel(ctx)) }()
	<-ctx.Done()
	finish, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	sender.Stop(finish) // what waits is left to the next relay
	return <-ended
}
