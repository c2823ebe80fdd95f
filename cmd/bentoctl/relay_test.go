package main

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/conformance/fake"
	"example.com/bento-go/gen"
	"example.com/bento-go/internal/arrivals"
	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/sqlitestore"
	bento "example.com/bento-go/wrapper"
)

var relayKills = flag.Int("relay-kills", 3, "how often the import and the relay are killed")

// A spool is an outbox, and a fake that its relays speak to.
type spool struct {
	t        *testing.T
	dir      string
	server   *fake.Server
	env      []string
	arrivals *arrivals.Counter // events, by their row
}

func newSpool(t *testing.T, wait time.Duration) *spool {
	t.Helper()
	server, err := fake.New(fake.WithLimits(fake.Limits{}))
	require.NoError(t, err)
	dir := t.TempDir()
	s := &spool{t: t, dir: dir, server: server, arrivals: arrivals.New(server, wait, `"row":(\d+)`)}
	listening := httptest.NewServer(s.arrivals)
	t.Cleanup(listening.Close)
	s.env = []string{
		"HOME=" + dir, envOutbox + "=" + filepath.Join(dir, "spool"), bento.EnvBaseURL + "=" + listening.URL + gen.BasePath,
		bento.EnvPublishableKey + "=pk", bento.EnvSecretKey + "=sk", bento.EnvSiteUUID + "=site_of_spool", bento.EnvUserAgent + "=AcmeCRM/1.0",
	}
	return s
}

// start starts bentoctl.
func (s *spool) start(args ...string) *exec.Cmd {
	s.t.Helper()
	cmd := program(s.t, args...)
	cmd.Env = append(cmd.Env, s.env...)
	cmd.Dir = s.dir
	cmd.Stderr = os.Stderr
	return cmd
}

// relay starts a relay, and waits until it is ready.
func (s *spool) relay() *exec.Cmd {
	s.t.Helper()
	cmd := s.start("relay", "-q", "--limits", "off", "--lease", "2s")
	cmd.Stderr = nil
	out, err := cmd.StdoutPipe()
	require.NoError(s.t, err)
	require.NoError(s.t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(s.t, err)
	assert.Equal(s.t, "relaying sqlite:"+filepath.Join(s.dir, "spool")+"\n", line)
	return cmd
}

func (s *spool) store() outbox.Store {
	s.t.Helper()
	store, err := sqlitestore.Open(s.t.Context(), filepath.Join(s.dir, "spool", outboxFile))
	require.NoError(s.t, err)
	s.t.Cleanup(func() { _ = store.Close() })
	return store
}

// A relay delivers what others enqueue meanwhile, and ends as a daemon does.
func TestARelayDelivers(t *testing.T) {
	t.Parallel()
	s := newSpool(t, 0)
	relay := s.relay()
	require.NoError(t, s.start("send", "event", "x", "ari@example.com", "-q", "--outbox", filepath.Join(s.dir, "spool")).Run())
	sender := outbox.New(nil, s.store())
	require.NoError(t, sender.Flush(t.Context()))
	assert.Equal(t, 1, s.server.Counts().Events.Accepted)
	require.NoError(t, relay.Process.Signal(syscall.SIGTERM))
	require.NoError(t, relay.Wait(), "its regular end")
	stats, err := sender.Stats(t.Context())
	require.NoError(t, err)
	assert.Empty(t, stats.Lanes[outbox.Events].Sender, "it gave its lanes up")
}

// An import into an outbox and the relay beside it are killed at any moment, again and again: every row
// arrives, of events again at most what was in flight, and no email twice.
func TestKillsOfImportAndRelayLoseNothing(t *testing.T) {
	t.Parallel()
	s := newSpool(t, 20*time.Millisecond)
	rows := 2500 * *relayKills
	file := filepath.Join(s.dir, "events.ndjson")
	var text strings.Builder
	for n := range rows {
		fmt.Fprintf(&text, `{"type":"x","email":"ari@example.com","details":{"row":%d}}`+"\n", n)
	}
	require.NoError(t, os.WriteFile(file, []byte(text.String()), 0o600))
	require.NoError(t, os.Mkdir(filepath.Join(s.dir, "spool"), 0o700))
	sender := outbox.New(nil, s.store())
	var said bytes.Buffer
	importing := func() *exec.Cmd {
		cmd := s.start("import", "events", "-q", "--yes", "--outbox", filepath.Join(s.dir, "spool"), file)
		said.Reset()
		cmd.Stderr = &said
		require.NoError(t, cmd.Start())
		return cmd
	}
	emails, imported := 0, false
	for range *relayKills {
		relay, imports := s.relay(), (*exec.Cmd)(nil)
		if !imported { // the same file once more is another import
			imports = importing()
		}
		for range 5 {
			emails++
			email := bento.Email{To: "ari@example.com", From: "team@acme.example", Subject: strconv.Itoa(emails), HTMLBody: "x"}
			_, err := sender.Enqueue(t.Context(), outbox.Email(email))
			require.NoError(t, err)
			time.Sleep(time.Duration(rand.IntN(150)) * time.Millisecond)
		}
		if imports != nil {
			_ = imports.Process.Kill()
			imported = imports.Wait() == nil
		}
		require.NoError(t, relay.Process.Kill())
		_ = relay.Wait()
	}
	if !imported {
		require.NoError(t, importing().Wait(), "%s", &said)
	}
	relay := s.relay()
	require.NoError(t, sender.Flush(t.Context()))
	require.NoError(t, relay.Process.Kill())
	_ = relay.Wait()

	lost, again := s.arrivals.Tally(func(yield func(string) bool) {
		for n := 0; n < rows && yield(strconv.Itoa(n)); n++ {
		}
	})
	assert.Zero(t, lost, "of %d", rows)
	assert.LessOrEqual(t, again, *relayKills*1000, "what was in flight")
	counts := s.server.Counts()
	assert.Zero(t, counts.Emails.Repeated)
	stats, err := sender.Stats(t.Context())
	require.NoError(t, err)
	parked := stats.Parked()
	assert.GreaterOrEqual(t, counts.Emails.Accepted+parked, emails)
	assert.LessOrEqual(t, parked, *relayKills)
	t.Logf("%d kills of both: %d events, %d lost, %d again; %d emails, 0 twice, %d parked", *relayKills, rows, lost, again, emails, parked)
}
