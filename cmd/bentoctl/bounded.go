package main

import (
	"net"
	"sync"
)

// maxConnections bounds those that are open at once.
const maxConnections = 512

// A bounded listener hangs up on whoever comes when all connections are taken. It does not make them
// wait, as LimitListener of golang.org/x/net does: a queue of half-open requests, each of which
// has ten seconds to go on, would keep everybody out for minutes.
type bounded struct {
	net.Listener
	taken chan struct{}
}

func newBounded(l net.Listener) *bounded {
	return &bounded{l, make(chan struct{}, maxConnections)}
}

func (b *bounded) Accept() (net.Conn, error) {
	for {
		conn, err := b.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case b.taken <- struct{}{}:
			return &boundedConn{Conn: conn, release: sync.OnceFunc(func() { <-b.taken })}, nil
		default:
			_ = conn.Close()
		}
	}
}

type boundedConn struct {
	net.Conn
	release func()
}

func (c *boundedConn) Close() error {
	defer c.release()
	return c.Conn.Close()
}
