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
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends at once
	code := run(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr})
	stop()
	os.Exit(code)
}

// streams is what a command reads and writes: results on out, talk on err.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// interruptible returns in, whose reads end when ctx does. A read from a terminal cannot be
// called off: the goroutine that waits in it ends with its next byte, or with the process.
func interruptible(ctx context.Context, in io.Reader) io.Reader {
	r, w := io.Pipe()
	context.AfterFunc(ctx, func() { _ = r.CloseWithError(context.Cause(ctx)) })
	go func() {
		_, err := io.Copy(w, in)
		_ = w.CloseWithError(err)
	}()
	return r
}
