// Command bentoctl speaks to Bento by contract: it runs a demo of the whole idea, serves a
// fake Bento, and judges recorded traffic. `bentoctl help` lists its verbs.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr})
	stop()
	os.Exit(code)
}

// streams is what a command reads and writes: results on out, talk on err.
type streams struct {
	in       io.Reader
	out, err io.Writer
}
