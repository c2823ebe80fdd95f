package fake

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// A Pipe serves a [Server] within the process, over net.Pipe: a real HTTP server and a real
// transport, but no socket, so that tests under testing/synctest can wait out a minute of
// backoff in no time. Close it when done; it then leaves no goroutine behind.
type Pipe struct {
	transport *http.Transport
	server    *http.Server
	served    sync.WaitGroup
}

// Pipe starts serving s. Any host leads to it.
func (s *Server) Pipe() *Pipe {
	listener := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	p := &Pipe{
		transport: &http.Transport{DialContext: listener.dial},
		server:    &http.Server{Handler: s, ReadHeaderTimeout: time.Minute},
	}
	p.served.Go(func() { _ = p.server.Serve(listener) }) // ends with Close
	return p
}

// Transport returns the way in: for http.Client.Transport.
func (p *Pipe) Transport() *http.Transport { return p.transport }

// Close breaks what is under way and waits until nothing is served any more.
func (p *Pipe) Close() error {
	p.transport.CloseIdleConnections()
	err := p.server.Close()
	p.served.Wait()
	return err
}

// pipeListener accepts what dial opens.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case l.conns <- theirs:
		return ours, nil
	case <-l.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}
