package main

import (
	"archive/zip"
	"bufio"
	"context"
	"errors"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/conformance/fake"
	"example.com/bento-go/gen"
	"example.com/bento-go/internal/needed"
	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/sqlitestore"
	bento "example.com/bento-go/wrapper"
)

// A command of a document: a line of a block of sh, or an indented line that begins with the program.
var commandLine = regexp.MustCompile(`^ {4}((?:BENTO_\w+=\S+ )?bentoctl .*)`)

// commands are those of a document, without their comments.
func commands(t *testing.T, document string) (all []string) {
	t.Helper()
	content, err := os.ReadFile(document)
	require.NoError(t, err)
	shell := false
	text := strings.ReplaceAll(string(content), "\\\n", "")
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if fence, found := strings.CutPrefix(line, "```"); found {
			shell = fence == "sh"
			continue
		}
		if match := commandLine.FindStringSubmatch(line); match != nil {
			line = match[1]
		} else if !shell {
			continue
		}
		line, _, _ = strings.Cut(line, " #")
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, line)
		}
	}
	return all
}

// Whatever a document tells its reader to type does what it says. Commands of the project itself are run
// elsewhere, as the comments say.
func TestCommandsOfTheDocumentsWork(t *testing.T) {
	t.Parallel()
	needed.Program(t, "sh")
	elsewhere := regexp.MustCompile(`^(go (run ./cmd/bentoctl demo|test |vet |install ./cmd/bentoctl)` + // .ci/run
		`|go (mod edit|mod tidy|get)|make [a-z-]+` + // checks/consumer; TestTasksOfTheDocumentsAreInTheMakefile
		`|go run ./internal/(mutate|fleet)\b` + // tests of their own
		`|git |CGO_ENABLED=0 |scripts/)`) // a release: scripts/release-check
	documents, err := filepath.Glob("../../*.md")
	require.NoError(t, err)
	more, err := filepath.Glob("../../docs/*.md")
	require.NoError(t, err)
	for _, document := range append(documents, more...) {
		var mine []string
		for _, command := range commands(t, document) {
			if !elsewhere.MatchString(command) {
				mine = append(mine, command)
			}
		}
		if len(mine) == 0 {
			continue
		}
		t.Run(filepath.Base(document), func(t *testing.T) {
			t.Parallel()
			shell := newShell(t)
			for _, command := range mine {
				shell.run(command)
			}
		})
	}
}

// A shell is a directory with what the documents' reader has, and a Bento.
type shell struct {
	t    *testing.T
	dir  string
	base string // of Bento's address
	env  []string
}

func newShell(t *testing.T) *shell {
	t.Helper()
	server, err := fake.New()
	require.NoError(t, err)
	listening := httptest.NewServer(server)
	t.Cleanup(listening.Close)
	dir := t.TempDir()
	self, err := os.Executable()
	require.NoError(t, err)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "bin"), 0o700))
	require.NoError(t, os.Symlink(self, filepath.Join(dir, "bin", "bentoctl")))
	base := listening.URL + gen.BasePath
	s := &shell{t: t, dir: dir, base: base, env: []string{
		"PATH=" + filepath.Join(dir, "bin") + ":" + os.Getenv("PATH"), "HOME=" + dir, "NO_COLOR=1", asProgram + "=1",
		bento.EnvBaseURL + "=" + base, bento.EnvPublishableKey + "=pk", bento.EnvSecretKey + "=sk", bento.EnvSiteUUID + "=site", bento.EnvUserAgent + "=AcmeCRM/1.0",
	}}
	s.write("hello.html", "<p>Hello</p>")
	s.write("orders.csv", "Email,Order,Total\nari@example.com,1234,79.95\n")
	s.zip("mailchimp-export.zip", "subscribed_members_export.csv", "Email Address,First Name\nari@example.com,Ari\n")
	recording, err := os.ReadFile("../../conformance/testdata/conventions.har")
	require.NoError(t, err)
	s.write("recording.har", string(recording))
	s.write("recordings/today.har", string(recording))
	s.spool()
	return s
}

func (s *shell) write(name, content string) {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	require.NoError(s.t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(s.t, os.WriteFile(path, []byte(content), 0o600))
}

func (s *shell) zip(name, inside, content string) {
	s.t.Helper()
	var packed strings.Builder
	w := zip.NewWriter(&packed)
	f, err := w.Create(inside)
	require.NoError(s.t, err)
	_, err = f.Write([]byte(content))
	require.NoError(s.t, err)
	require.NoError(s.t, w.Close())
	s.write(name, packed.String())
}

// spool is an outbox whose entries 12 to 14 are in doubt.
func (s *shell) spool() {
	ctx, t := s.t.Context(), s.t
	t.Helper()
	store, err := sqlitestore.Open(ctx, filepath.Join(s.dir, "spool", outboxFile))
	require.NoError(t, err)
	defer func() { _ = store.Close() }()
	sender := outbox.New(nil, store)
	for range 14 {
		_, err := sender.Enqueue(ctx, outbox.Email(bento.Email{To: "ari@example.com", From: "team@acme.example", Subject: "Hello", HTMLBody: "x"}))
		require.NoError(t, err)
	}
	lease, err := store.Acquire(ctx, outbox.Emails, "a relay that was killed", time.Now(), time.Second)
	require.NoError(t, err)
	require.NoError(t, store.Begin(ctx, lease, []int64{12, 13, 14}, time.Now()))
	var doubts []outbox.Verdict
	for id := range int64(3) {
		doubts = append(doubts, outbox.Verdict{ID: 12 + id, State: outbox.Parked, Reason: "no answer came"})
	}
	require.NoError(t, store.Settle(ctx, lease, doubts, time.Now()))
	require.NoError(t, store.Release(ctx, lease))
}

// What the documents name and this machine has not.
var nearby = strings.NewReplacer("n1.internal:4222,n2.internal:4222", "127.0.0.1:1,127.0.0.1:1", "db.internal", "127.0.0.1:1")

// Commands that go on until they are told to end, and what they say first.
var daemons = regexp.MustCompile(`^(BENTO_\w+=\S+ )?bentoctl (fake|relay|record)\b`)

func (s *shell) run(command string) {
	s.t.Helper()
	there := nearby.Replace(command)
	switch {
	case there != command:
		_, code := s.exec(there, "")
		assert.Equal(s.t, exitGaveUp, code, "%s: nobody answers", command)
	case daemons.MatchString(command):
		s.serve(command)
	default:
		typed := "yes\n"
		if command == "bentoctl login" {
			command, typed = command+" --base-url "+s.base, "pk\nsk\nsite\n" // else it would ask Bento
		}
		out, code := s.exec(command, typed)
		fine := []int{exitDone}
		if strings.HasPrefix(command, "bentoctl check ") {
			fine = append(fine, exitFailures) // a recording may break the contract
		}
		assert.Contains(s.t, fine, code, "%s\n%s", command, out)
	}
}

func (s *shell) command(ctx context.Context, line string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "sh", "-c", line)
	cmd.Dir, cmd.Env = s.dir, s.env
	return cmd
}

func (s *shell) exec(line, typed string) (out string, code int) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	cmd := s.command(ctx, line)
	cmd.Stdin = strings.NewReader(typed)
	said, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		require.NoError(s.t, err)
	}
	return string(said), cmd.ProcessState.ExitCode()
}

// serve runs a daemon until it has said its first line, and ends it as Ctrl-C does.
func (s *shell) serve(line string) {
	s.t.Helper()
	if strings.Contains(line, "bentoctl fake") || strings.Contains(line, "bentoctl record") {
		line += " --listen 127.0.0.1:0" // at a port that is free
	}
	cmd := s.command(s.t.Context(), "exec "+line)
	out, err := cmd.StdoutPipe()
	require.NoError(s.t, err)
	require.NoError(s.t, cmd.Start())
	said, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(s.t, err, line)
	assert.Regexp(s.t, `^(listening on|recording|relaying) `, said, line)
	require.NoError(s.t, cmd.Process.Signal(syscall.SIGINT))
	err = cmd.Wait()
	assert.Contains(s.t, []int{0, exitInterrupted}, cmd.ProcessState.ExitCode(), "%s: %v", line, err)
}
