package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"time"

	"example.com/bento-go/gen"
)

// listen serves handler on an address and says so on the first line of standard output.
func (g *globals) listen(ctx context.Context, listen string, handler http.Handler) error {
	listener, err := bind(ctx, listen)
	if err != nil {
		return err
	}
	g.announce(listen, listener.Addr())
	return serve(ctx, listener, handler)
}

func bind(ctx context.Context, listen string) (net.Listener, error) {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", listen)
	if err != nil {
		return nil, usage("--listen %s: %w: choose another address, or port 0 for any free one", listen, err)
	}
	return listener, nil
}

// announce tells where somebody listens, and if the network reaches it.
func (g *globals) announce(asked string, got net.Addr) {
	address := shownAddress(asked, got)
	fmt.Fprintf(g.out, "listening on http://%s\n", address)
	if !g.quiet {
		fmt.Fprintf(g.err, "the API is under http://%s%s; Ctrl-C ends it\n", address, gen.BasePath)
	}
	if at, ok := got.(*net.TCPAddr); ok && !at.IP.IsLoopback() {
		fmt.Fprintln(g.err, "warning: it is not on loopback: anybody in the network may use it")
	}
}

// shownAddress is the address that was asked for, with the port that was found: of 0.0.0.0 the system makes [::].
func shownAddress(asked string, got net.Addr) string {
	host, _, _ := net.SplitHostPort(asked)
	at, ok := got.(*net.TCPAddr)
	if !ok || net.ParseIP(host) == nil {
		return got.String()
	}
	return net.JoinHostPort(host, strconv.Itoa(at.Port))
}

// serve serves handler on listener until ctx ends, then lets requests under way finish.
func serve(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, WriteTimeout: 6 * time.Minute, IdleTimeout: time.Minute,
		MaxHeaderBytes: 64 << 10, ErrorLog: log.New(io.Discard, "", 0), // what clients do wrong, they are told
	}
	down := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(down)
		grace, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		if server.Shutdown(grace) != nil {
			_ = server.Close()
		}
	})
	defer func() {
		if !stop() {
			<-down
		}
	}()
	if err := server.Serve(newBounded(listener)); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
