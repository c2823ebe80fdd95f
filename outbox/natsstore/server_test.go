package natsstore_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/internal/scratch"
	"example.com/bento-go/outbox/natsstore"
)

// shared is one server for all tests that do not care, which have an outbox each.
var shared = sync.OnceValues(func() (*server.Server, error) {
	dir, err := os.MkdirTemp("", "natsstore")
	if err != nil {
		return nil, err
	}
	return start(&server.Options{StoreDir: dir})
})

// start starts a server in this process.
func start(opts *server.Options) (*server.Server, error) {
	opts.Host, opts.NoSigs, opts.NoLog = "127.0.0.1", true, true
	if opts.Port == 0 {
		opts.Port = -1
	}
	if opts.JetStream = opts.StoreDir != ""; opts.JetStreamMaxStore == 0 {
		opts.JetStreamMaxStore = 1 << 50 // each outbox reserves its capacity
	}
	s, err := server.NewServer(opts)
	if err != nil {
		return nil, err
	}
	s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		return nil, errors.New("the server does not get ready")
	}
	return s, nil
}

// started starts a server for one test.
func started(t testing.TB, opts *server.Options) *server.Server {
	t.Helper()
	s, err := start(opts)
	require.NoError(t, err)
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	return s
}

func url(t testing.TB) string {
	t.Helper()
	s, err := shared()
	require.NoError(t, err)
	return s.ClientURL()
}

var names atomic.Int64

// fresh is the name of an outbox that there is not yet.
func fresh() string { return fmt.Sprintf("test-%d", names.Add(1)) }

func open(t testing.TB, name string, opts ...natsstore.Option) *natsstore.Store {
	t.Helper()
	s, err := natsstore.Open(t.Context(), url(t), append([]natsstore.Option{natsstore.WithName(name)}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestMain(m *testing.M) {
	_ = flag.Set("test.parallel", "4") // much of a test is waiting
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "rapid.checks" })
	if !given {
		_ = flag.Set("rapid.checks", "6") // a step is some fifty requests; scripts/soak tries more
	}
	end := scratch.Begin()
	code := m.Run()
	if s, err := shared(); err == nil {
		s.Shutdown()
		s.WaitForShutdown()
	}
	end()
	os.Exit(code)
}
