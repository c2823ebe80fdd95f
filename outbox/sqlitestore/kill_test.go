package sqlitestore_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
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
	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/sqlitestore"
	bento "example.com/bento-go/wrapper"
)

var kills = flag.Int("kills", 6, "how often TestAKillLosesNothing kills the application")

const asApplication = "OUTBOX_TEST_AS_APPLICATION" // holds the path of the store

func TestMain(m *testing.M) {
	if path := os.Getenv(asApplication); path != "" {
		if err := application(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// application hands over events and emails, says which of them it was promised, and sends them; until
// it is killed, or, with an argument, until all that is there has gone.
func application(path string) error {
	ctx := context.Background()
	store, err := sqlitestore.Open(ctx, path)
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

// An application that is killed at any moment, again and again, loses nothing that it was promised,
// sends no email twice, and of events at most what was in flight.
func TestAKillLosesNothing(t *testing.T) {
	server, err := fake.New(fake.WithLimits(fake.Limits{}))
	require.NoError(t, err)
	listening := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		time.Sleep(2 * time.Millisecond) // so that a request is in flight most of the time
		server.ServeHTTP(w, req)
	}))
	t.Cleanup(listening.Close)
	path := filepath.Join(t.TempDir(), "outbox.db")
	start := func(args ...string) (*exec.Cmd, *bufio.Scanner) {
		self, err := os.Executable()
		require.NoError(t, err)
		cmd := exec.CommandContext(t.Context(), self, args...)
		cmd.Env = append(os.Environ(), asApplication+"="+path, bento.EnvBaseURL+"="+listening.URL+gen.BasePath,
			bento.EnvPublishableKey+"=pk", bento.EnvSecretKey+"=sk", bento.EnvSiteUUID+"=site")
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		return cmd, bufio.NewScanner(out)
	}
	events, emails := map[string]bool{}, map[string]bool{}
	for range *kills {
		cmd, promised := start()
		for left := 50 + rand.IntN(300); promised.Scan(); left-- {
			if left == 0 {
				require.NoError(t, cmd.Process.Kill())
			}
			name, n, _ := strings.Cut(promised.Text(), " ")
			events[name] = true
			if n == "2" {
				emails[name] = true
			}
		}
		_ = cmd.Wait()
	}
	cmd, _ := start("drain")
	require.NoError(t, cmd.Wait())

	store := open(t, path)
	stats, err := store.Stats(t.Context())
	require.NoError(t, err)
	assert.Zero(t, stats.Waiting())
	arrived, lost := map[string]int{}, 0
	for _, e := range server.Events() {
		name, _ := e.Details["name"].(string)
		arrived[name]++
	}
	for name := range events {
		if arrived[name] == 0 {
			lost++
		}
	}
	assert.Zero(t, lost, "of %d promised events", len(events))
	counts := server.Counts()
	assert.LessOrEqual(t, counts.Events.Repeated, *kills*1000, "what was in flight")
	assert.Zero(t, counts.Emails.Repeated, "no email twice")
	parked := stats.Lanes[outbox.Emails].States[outbox.Parked]
	assert.LessOrEqual(t, parked, *kills, "at most the one in flight")
	assert.GreaterOrEqual(t, counts.Emails.Accepted+parked, len(emails), "each arrived, or is parked")
	t.Logf("%d kills: %d events promised, %d lost, %d arrived again; %d emails promised, 0 twice, %d parked", *kills, len(events), lost, counts.Events.Repeated, len(emails), parked)
}
