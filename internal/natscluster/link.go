package natscluster

import (
	"errors"
	"net"
	"sync"
)

// A Link is a way to a server, which can be cut: what is sent then is neither delivered nor refused,
// until it is mended.
type Link struct {
	listener net.Listener
	target   string
	gate     sync.RWMutex // locked while it is cut
	all      sync.WaitGroup
	mu       sync.Mutex
	conns    []net.Conn
	closed   bool
}

// NewLink listens on a port of its own, and leads to a target.
func NewLink(target string) (*Link, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it does not wait
	if err != nil {
		return nil, err
	}
	l := &Link{listener: listener, target: target}
	l.all.Go(l.accept)
	return l, nil
}

// Address is where to connect to instead of the target.
func (l *Link) Address() string { return l.listener.Addr().String() }

// Cut holds back whatever is sent.
func (l *Link) Cut() { l.gate.Lock() }

// Mend lets it go on.
func (l *Link) Mend() { l.gate.Unlock() }

func (l *Link) accept() {
	for {
		from, err := l.listener.Accept()
		if err != nil {
			return
		}
		to, err := net.Dial("tcp", l.target) //nolint:noctx // on this machine
		if err != nil {
			_ = from.Close()
			continue
		}
		if !l.keep(from, to) {
			return
		}
		l.all.Go(func() { l.copy(to, from) })
		l.all.Go(func() { l.copy(from, to) })
	}
}

func (l *Link) keep(conns ...net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		for _, conn := range conns {
			_ = conn.Close()
		}
		return false
	}
	l.conns = append(l.conns, conns...)
	return true
}

func (l *Link) copy(to, from net.Conn) {
	defer func() { _, _ = to.Close(), from.Close() }()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			l.gate.RLock()
			_, writeErr := to.Write(buffer[:n])
			l.gate.RUnlock()
			err = errors.Join(err, writeErr)
		}
		if err != nil {
			return
		}
	}
}

// Close ends the link and all that goes over it. It has to be mended.
func (l *Link) Close() {
	_ = l.listener.Close()
	l.mu.Lock()
	l.closed = true
	for _, conn := range l.conns {
		_ = conn.Close()
	}
	l.mu.Unlock()
	l.all.Wait()
}
