package natsstore_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
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
	"example.com/bento-go/conformance/fake/faketest"
	"example.com/bento-go/gen"
	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/natsstore"
	bento "example.com/bento-go/wrapper"
)

var kills = flag.Int("kills", 3, "how often the server is killed")

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

// A trial is applications that hand over events and emails, and the Bento they speak to.
type trial struct {
	t            *testing.T
	server       *fake.Server
	client       *bento.Client
	promised     chan string
	names        map[string]bool
	applications sync.WaitGroup
	stop         context.CancelFunc
}

func newTrial(t *testing.T) *trial {
	t.Helper()
	b := faketest.NewServer(t, fake.WithLimits(fake.Limits{}), fake.WithFaults(fake.Fault{Operation: "*", Delay: 2 * time.Millisecond})) // so that a request is in flight most of the time
	return &trial{t: t, server: b.Server, client: b.Client, promised: make(chan string), names: map[string]bool{}}
}

// sender sends what is in a store, until its own end.
func (x *trial) sender(store outbox.Store) *outbox.Sender {
	s := outbox.New(x.client, store, outbox.WithLinger(0), outbox.WithLease(time.Second))
	go func() { _ = s.Run(x.t.Context()) }()
	return s
}

// begin has applications hand over to senders.
func (x *trial) begin(senders ...*outbox.Sender) {
	ctx, stop := context.WithCancel(x.t.Context())
	x.stop = stop
	for n, s := range senders {
		x.applications.Go(func() { enqueue(ctx, s, n, x.promised) })
	}
	go func() {
		x.applications.Wait()
		close(x.promised)
	}()
}

// heed waits for so many promises.
func (x *trial) heed(n int) {
	for range n {
		x.names[<-x.promised] = true
	}
}

// end ends the applications, and waits until a sender has delivered what is left.
func (x *trial) end(sender *outbox.Sender) {
	x.t.Helper()
	x.stop()
	for name := range x.promised {
		x.names[name] = true
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	require.NoError(x.t, sender.Close(ctx))
}

// verify holds what arrived to what was promised.
func (x *trial) verify(store outbox.Store, crashes int) {
	t := x.t
	t.Helper()
	stats, err := store.Stats(t.Context())
	require.NoError(t, err)
	assert.Zero(t, stats.Waiting())
	arrived, lost, emails := map[string]int{}, 0, 0
	for _, e := range x.server.Events() {
		name, _ := e.Details["name"].(string)
		arrived[name]++
	}
	for name := range x.names {
		if strings.HasPrefix(name, "email") {
			emails++
		} else if arrived[name] == 0 {
			lost++
		}
	}
	counts := x.server.Counts()
	assert.Zero(t, lost, "of %d promised events", len(x.names)-emails)
	assert.Zero(t, counts.Emails.Repeated, "no email twice")
	assert.GreaterOrEqual(t, counts.Emails.Accepted+stats.Parked(), emails, "each arrived, or is parked")
	assert.LessOrEqual(t, stats.Parked(), crashes, "at most the one in flight")
	t.Logf("%d crashes: %d events promised, %d lost, %d arrived again; %d emails promised, 0 twice, %d parked",
		crashes, len(x.names)-emails, lost, counts.Events.Repeated, emails, stats.Parked())
}

// The server is killed again and again, at any moment, under an application that hands over events and
// emails and sends them: nothing that was promised is lost, no email is sent twice.
func TestAServerThatIsKilledLosesNothing(t *testing.T) {
	t.Parallel()
	x, v := newTrial(t), newVictim(t)
	v.start()
	store, err := natsstore.Open(t.Context(), v.url())
	require.NoError(t, err)
	t.Cleanup(func() { _ = store.Close() })
	sender := x.sender(store)
	x.begin(sender, sender, sender, sender)
	for range *kills {
		x.heed(50 + rand.IntN(150))
		v.kill()
		v.start()
	}
	x.end(sender)
	x.verify(store, *kills)
}

// Machines that share an outbox crash by turns, at any moment: another takes over.
func TestMachinesThatCrashLoseNothing(t *testing.T) {
	t.Parallel()
	x, name := newTrial(t), fresh()
	put := open(t, name)
	application := outbox.New(nil, put)
	x.begin(application, application)
	var senders [2]*outbox.Sender
	var stores [2]*natsstore.Store
	for i := range senders {
		stores[i] = open(t, name)
		senders[i] = x.sender(stores[i])
	}
	for n := range *kills {
		x.heed(50 + rand.IntN(100))
		i := n % 2
		require.NoError(t, stores[i].Close()) // whatever it is at
		x.heed(50)
		stores[i] = open(t, name)
		senders[i] = x.sender(stores[i])
	}
	x.end(senders[0])
	x.verify(put, *kills)
}

// enqueue hands over events and emails, each under a key and until it is promised, and tells what was
// promised.
func enqueue(ctx context.Context, sender *outbox.Sender, application int, promised chan<- string) {
	for n := 0; ctx.Err() == nil; n++ {
		name := fmt.Sprintf("event %d-%d", application, n)
		item := outbox.Event(bento.Event{Type: "x", Email: "ari@example.com", Details: gen.EventDetails{"name": name}}, outbox.Key(name))
		if n%20 == 0 {
			name = fmt.Sprintf("email %d-%d", application, n)
			item = outbox.Email(bento.Email{To: "ari@example.com", From: "team@acme.example", Subject: name, HTMLBody: "x"}, outbox.Key(name))
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
