package natsstore_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/conformance/fake"
	"example.com/bento-go/gen"
	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/natsstore"
	bento "example.com/bento-go/wrapper"
)

var kills = flag.Int("kills", 4, "how often the server is killed")

// asServer makes this test binary be a server; it holds the port and the directory.
const asServer = "NATSSTORE_TEST_AS_SERVER"

func init() {
	given, dir, found := strings.Cut(os.Getenv(asServer), " ")
	if !found {
		return
	}
	port, err := strconv.Atoi(given)
	if err == nil {
		_, err = start(&server.Options{Port: port, StoreDir: dir, SyncAlways: true})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("ready")
	select {}
}

// A victim is a server in a process of its own.
type victim struct {
	t         *testing.T
	port, dir string
	cmd       *exec.Cmd
}

func newVictim(t *testing.T) *victim {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = listener.Close() }()
	v := &victim{t: t, port: strconv.Itoa(listener.Addr().(*net.TCPAddr).Port), dir: t.TempDir()}
	return v
}

func (v *victim) url() string { return "nats://127.0.0.1:" + v.port }

func (v *victim) start() {
	v.t.Helper()
	self, err := os.Executable()
	require.NoError(v.t, err)
	v.cmd = exec.CommandContext(v.t.Context(), self)
	v.cmd.Env = append(os.Environ(), asServer+"="+v.port+" "+v.dir)
	v.cmd.Stderr = os.Stderr
	out, err := v.cmd.StdoutPipe()
	require.NoError(v.t, err)
	require.NoError(v.t, v.cmd.Start())
	require.True(v.t, bufio.NewScanner(out).Scan(), "the server does not start")
}

func (v *victim) kill() {
	v.t.Helper()
	require.NoError(v.t, v.cmd.Process.Kill())
	_ = v.cmd.Wait()
}

// The server is killed again and again, at any moment, under an application that hands over events and
// emails and sends them: nothing that was promised is lost, no email is sent twice.
func TestAServerThatIsKilledLosesNothing(t *testing.T) {
	v := newVictim(t)
	v.start()
	server, err := fake.New(fake.WithLimits(fake.Limits{}))
	require.NoError(t, err)
	listening := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		time.Sleep(2 * time.Millisecond) // so that a request is in flight most of the time
		server.ServeHTTP(w, req)
	}))
	t.Cleanup(listening.Close)
	client, err := bento.New(bento.Config{PublishableKey: "pk", SecretKey: "sk", SiteUUID: "site", UserAgent: "AcmeCRM/1.0", BaseURL: listening.URL + gen.BasePath}, bento.WithPace(bento.PaceOff))
	require.NoError(t, err)
	store, err := natsstore.Open(t.Context(), v.url())
	require.NoError(t, err)
	t.Cleanup(func() { _ = store.Close() })
	sender := outbox.New(client, store, outbox.WithLinger(0), outbox.WithLease(2*time.Second))
	ended := make(chan error, 1)
	go func() { ended <- sender.Run(context.Background()) }()

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	promised, names := make(chan string), map[string]bool{}
	var applications sync.WaitGroup
	for n := range 4 {
		applications.Go(func() { enqueue(ctx, sender, n, promised) })
	}
	go func() {
		applications.Wait()
		close(promised)
	}()
	for range *kills {
		for range 50 + rand.IntN(150) {
			names[<-promised] = true
		}
		v.kill()
		v.start()
	}
	stop()
	for name := range promised {
		names[name] = true
	}
	bounded, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	require.NoError(t, sender.Close(bounded))
	require.NoError(t, <-ended)

	stats, err := store.Stats(t.Context())
	require.NoError(t, err)
	assert.Zero(t, stats.Waiting())
	arrived, lost := map[string]int{}, 0
	for _, e := range server.Events() {
		name, _ := e.Details["name"].(string)
		arrived[name]++
	}
	emails := 0
	for name := range names {
		if strings.HasPrefix(name, "email") {
			emails++
		} else if arrived[name] == 0 {
			lost++
		}
	}
	counts := server.Counts()
	assert.Zero(t, lost, "of %d promised events", len(names)-emails)
	assert.Zero(t, counts.Emails.Repeated, "no email twice")
	assert.GreaterOrEqual(t, counts.Emails.Accepted+stats.Parked(), emails, "each arrived, or is parked")
	assert.LessOrEqual(t, stats.Parked(), *kills, "at most the one in flight")
	t.Logf("%d kills: %d events promised, %d lost, %d arrived again; %d emails promised, 0 twice, %d parked",
		*kills, len(names)-emails, lost, counts.Events.Repeated, emails, stats.Parked())
}

// enqueue hands over events and emails, each under a key and until it is promised, and tells what was
// promised.
func enqueue(ctx context.Context, sender *outbox.Sender, application int, promised chan<- string) {
	for n := 0; ctx.Err() == nil; n++ {
		name, item := fmt.Sprintf("event %d-%d", application, n), outbox.Item{}
		if n%20 == 0 {
			name = fmt.Sprintf("email %d-%d", application, n)
			item = outbox.Email(bento.Email{To: "ari@example.com", From: "team@acme.example", Subject: name, HTMLBody: "x"}, outbox.Key(name))
		} else {
			item = outbox.Event(bento.Event{Type: "x", Email: "ari@example.com", Details: gen.EventDetails{"name": name}}, outbox.Key(name))
		}
		for ctx.Err() == nil {
			attempt, cancel := context.WithTimeout(ctx, time.Second)
			_, err := sender.Enqueue(attempt, item)
			if cancel(); err == nil {
				promised <- name
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
}
