package sqlitestore_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/conformance/fake"
	"example.com/bento-go/gen"
	"example.com/bento-go/internal/arrivals"
	"example.com/bento-go/internal/scratch"
	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/sqlitestore"
	bento "example.com/bento-go/wrapper"
)

var (
	kills = flag.Int("kills", 4, "how often applications are killed")
	cuts  = flag.Int("cuts", 2, "how often the power is cut")
)

const asApplication = "OUTBOX_TEST_AS_APPLICATION" // holds the path of the store

func TestMain(m *testing.M) {
	if path := os.Getenv(asApplication); path != "" {
		if err := application(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	_ = flag.Set("rapid.checks", "12") // each is a few dozen transactions; scripts/soak tries more
	defer scratch.Begin()()
	m.Run()
}

// application hands over events and emails, says which of them it was promised, and sends them; until
// it is killed, or, with an argument, until all that is there has gone.
func application(path string) error {
	ctx := context.Background()
	store, err := sqlitestore.Open(ctx, path, sqlitestore.WithReserve(0))
	if err != nil {
		return err
	}
	client, err := bento.FromEnv("AcmeCRM/1.0", bento.WithPace(bento.PaceOff))
	if err != nil {
		return err
	}
	sender := outbox.New(client, store, outbox.WithLinger(0), outbox.WithLease(300*time.Millisecond))
	go func() { _ = sender.Run(ctx) }()
	if len(os.Args) > 1 && os.Args[len(os.Args)-1] == "drain" {
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		return sender.Close(ctx)
	}
	for n := 0; ; n++ {
		name := fmt.Sprintf("%d-%d", os.Getpid(), n)
		event := bento.Event{Type: "x", Email: "ari@example.com", Details: gen.EventDetails{"name": name}}
		items := []outbox.Item{outbox.Event(event)}
		if n%20 == 0 {
			items = append(items, outbox.Email(bento.Email{To: "ari@example.com", From: "team@acme.example", Subject: name, HTMLBody: "x"}))
		}
		if _, err := sender.Enqueue(ctx, items...); err != nil {
			return err
		}
		fmt.Println(name, len(items))
	}
}

// A trial is applications that crash, the Bento they speak to, and what they were promised.
type trial struct {
	t              *testing.T
	server         *fake.Server
	arrivals       *arrivals.Counter // events, by their name
	url            string
	events, emails map[string]bool
	crashes        int
}

func newTrial(t *testing.T) *trial {
	t.Helper()
	server, err := fake.New(fake.WithLimits(fake.Limits{}))
	require.NoError(t, err)
	x := &trial{t: t, server: server, arrivals: arrivals.New(server, 2*time.Millisecond, `"name":"([0-9-]+)"`), events: map[string]bool{}, emails: map[string]bool{}}
	listening := httptest.NewServer(x.arrivals)
	t.Cleanup(listening.Close)
	x.url = listening.URL + gen.BasePath
	return x
}

// start starts an application; what it says is what it was promised.
func (x *trial) start(path string, args ...string) (*exec.Cmd, *bufio.Scanner) {
	x.t.Helper()
	self, err := os.Executable()
	require.NoError(x.t, err)
	cmd := exec.CommandContext(x.t.Context(), self, args...)
	cmd.Env = append(os.Environ(), asApplication+"="+path, bento.EnvBaseURL+"="+x.url,
		bento.EnvPublishableKey+"=pk", bento.EnvSecretKey+"=sk", bento.EnvSiteUUID+"=site")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(x.t, err)
	require.NoError(x.t, cmd.Start())
	return cmd, bufio.NewScanner(out)
}

// heed takes in a promise.
func (x *trial) heed(line string) {
	name, n, _ := strings.Cut(line, " ")
	x.events[name] = true
	if n == "2" {
		x.emails[name] = true
	}
}

// drain delivers what is left.
func (x *trial) drain(path string) {
	x.t.Helper()
	cmd, _ := x.start(path, "drain")
	require.NoError(x.t, cmd.Wait())
}

// verify holds what arrived to what was promised.
func (x *trial) verify(path string) {
	t := x.t
	t.Helper()
	stats, err := open(t, path, sqlitestore.WithReserve(0)).Stats(t.Context())
	require.NoError(t, err)
	assert.Zero(t, stats.Waiting())
	lost, again := x.arrivals.Tally(maps.Keys(x.events))
	assert.Zero(t, lost, "of %d promised events", len(x.events))
	counts := x.server.Counts()
	assert.LessOrEqual(t, again, x.crashes*1000, "what was in flight")
	assert.Zero(t, counts.Emails.Repeated, "no email twice")
	parked := stats.Parked()
	assert.LessOrEqual(t, parked, x.crashes, "at most the one in flight")
	assert.GreaterOrEqual(t, counts.Emails.Accepted+parked, len(x.emails), "each arrived, or is parked")
	t.Logf("%d crashes: %d events promised, %d lost, %d arrived again; %d emails promised, 0 twice, %d parked",
		x.crashes, len(x.events), lost, again, len(x.emails), parked)
}

// An application that is killed at any moment, again and again, loses nothing that it was promised,
// sends no email twice, and of events at most what was in flight.
func TestAKillLosesNothing(t *testing.T) {
	x := newTrial(t)
	path := filepath.Join(t.TempDir(), "outbox.db")
	for range *kills {
		cmd, promised := x.start(path)
		for left := 50 + rand.IntN(300); promised.Scan(); left-- {
			if left == 0 {
				require.NoError(t, cmd.Process.Kill())
				x.crashes++
			}
			x.heed(promised.Text())
		}
		_ = cmd.Wait()
	}
	x.drain(path)
	x.verify(path)
}

// Two applications share a file, and are killed by turns: the other goes on meanwhile, and takes over.
func TestAKillBesideAnotherLosesNothing(t *testing.T) {
	x := newTrial(t)
	path := filepath.Join(t.TempDir(), "outbox.db")
	type process struct {
		cmd      *exec.Cmd
		promised *bufio.Scanner
	}
	var both [2]process
	for i := range both {
		both[i].cmd, both[i].promised = x.start(path)
	}
	lines := func(p process, n int) {
		for range n {
			require.True(t, p.promised.Scan())
			x.heed(p.promised.Text())
		}
	}
	end := func(p process) {
		require.NoError(t, p.cmd.Process.Kill())
		x.crashes++
		for p.promised.Scan() {
			x.heed(p.promised.Text())
		}
		_ = p.cmd.Wait()
	}
	for n := range (*kills + 1) / 2 {
		i := n % 2
		lines(both[i], 20+rand.IntN(100))
		lines(both[1-i], rand.IntN(50))
		end(both[i])
		both[i].cmd, both[i].promised = x.start(path)
	}
	end(both[0])
	end(both[1])
	x.drain(path)
	x.verify(path)
}
