package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/zalando/go-keyring"
	"go.uber.org/goleak"

	"example.com/bento-go/conformance"
	"example.com/bento-go/gen"
	"example.com/bento-go/internal/scratch"
	bento "example.com/bento-go/wrapper"
)

func TestMain(m *testing.M) {
	_ = flag.Set("test.parallel", "6") // much of a test is waiting
	keyring.MockInit()                 // in memory
	end := scratch.Begin()
	_ = os.Setenv("XDG_CONFIG_HOME", filepath.Join(os.TempDir(), "no-such-configuration"))
	_ = os.Setenv("XDG_DATA_HOME", filepath.Join(os.TempDir(), "no-such-data"))
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		end()
		os.Exit(code)
	}))
}

// A result is what a run of bentoctl left.
type result struct {
	code     int
	out, err string
}

// bentoctl runs the whole program but for the process.
func bentoctl(ctx context.Context, stdin string, args ...string) result {
	var out, errs bytes.Buffer
	code := run(ctx, args, streams{strings.NewReader(stdin), &out, &errs})
	return result{code, out.String(), errs.String()}
}

func write(t *testing.T, name, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
	return file
}

const conventions = "../../conformance/testdata/conventions.har"

func TestExitCodesAndWhatIsSaid(t *testing.T) {
	t.Parallel()
	whole, err := os.ReadFile(conventions)
	require.NoError(t, err)
	wrong := strings.Replace(string(whole), "site_uuid=REDACTED", "", 1)
	for name, tc := range map[string]struct {
		args  []string
		stdin string
		code  int
		says  []string
	}{
		"no verb is help":                {nil, "", 0, []string{"Available Commands"}},
		"a verb that is none":            {[]string{"chekc"}, "", 2, []string{`unknown command "chekc"`}},
		"a flag that is none":            {[]string{"check", "--colour"}, "", 2, []string{"unknown flag: --colour", "--help"}},
		"no file":                        {[]string{"check"}, "", 2, []string{"FILE, DIRECTORY, PATTERN or - is missing"}},
		"a conformant recording":         {[]string{"check", conventions}, "", 0, []string{"conformant: 0 errors", "7 of 44 operations"}},
		"quiet says nothing on success":  {[]string{"check", "--quiet", conventions}, "", 0, nil},
		"from standard input":            {[]string{"check", "-"}, string(whole), 0, []string{"conformant"}},
		"a wrong recording":              {[]string{"check", "-"}, wrong, 1, []string{"request.site-uuid", "not conformant", "-:0"}},
		"a file that is not there":       {[]string{"check", "nowhere.har"}, "", 2, []string{"nowhere.har", "no such file"}},
		"a directory without recordings": {[]string{"check", emptyDirectory(t)}, "", 2, []string{"holds no recording: want files that end in .har"}},
		"a pattern of nothing":           {[]string{"check", "no-such-*.har"}, "", 2, []string{"no file has such a name"}},
		"a bad severity":                 {[]string{"check", "--fail-on", "all", conventions}, "", 2, []string{"want error, warning or drift"}},
		"a baseline that is none":        {[]string{"check", "--baseline", conventions, conventions}, "", 2, []string{"not a JSON report"}},
		"too little coverage":            {[]string{"check", "--min-coverage", "99", conventions}, "", 1, []string{"less than --min-coverage 99"}},
		"an upstream that is not https":  {[]string{"record", "--upstream", "http://example.com/api/v1", "-o", "x.har"}, "", 2, []string{"must be https"}},
		"not a recording":                {[]string{"check", "main.go"}, "", 2, []string{"main.go: not a recording: not JSON at byte 0: want HAR, a cassette of go-vcr, or NDJSON"}},
		"an empty file":                  {[]string{"check", "-"}, "", 2, []string{"-: not a recording: the file is empty"}},
		"a truncated recording":          {[]string{"check", "-"}, string(whole[:len(whole)/2]), 2, []string{"breaks off at byte", "checked"}},
		"nothing of Bento's": {
			[]string{"check", "-"}, `{"log":{"entries":[{"request":{"method":"GET","url":"https://a.example/"},"response":{"status":200}}]}}`, 2,
			[]string{"nothing was checked", "none of the 1 entries"},
		},
		"an unknown format":         {[]string{"check", "--format", "xml", conventions}, "", 2, []string{"want text, json"}},
		"a report nobody can write": {[]string{"check", "-o", "/nowhere/report", conventions}, "", 2, []string{"/nowhere/report"}},
		"help for no verb":          {[]string{"help", "nosuch"}, "", 2, []string{`no verb "nosuch"`}},
		"help for a verb":           {[]string{"help", "check"}, "", 0, []string{"bentoctl check"}},
		"completion for no shell":   {[]string{"completion", "nosuch"}, "", 2, []string{"unknown command"}},
		"a timeout":                 {[]string{"demo", "--timeout", "1ms"}, "", 4, []string{"--timeout is over"}},
		"two recordings in one":     {[]string{"check", "-"}, string(whole) + string(whole), 2, []string{"more follows the recording"}},
		"a missing file of events":  {[]string{"demo", "--events", "nowhere.ndjson"}, "", 2, []string{"nowhere.ndjson"}},
		"version":                   {[]string{"version"}, "", 0, []string{"bentoctl "}},
		"faults that are none":      {[]string{"fake", "--faults", "x"}, "", 2, []string{"--faults", "OPERATION[#N|/N|~P]=ACTION"}},
		"limits that are none":      {[]string{"fake", "--limits", "some"}, "", 2, []string{"--limits", "want off, docs"}},
		"credentials that are none": {[]string{"fake", "--credentials", "a:b"}, "", 2, []string{"PUBLISHABLE_KEY:SECRET_KEY:SITE_UUID"}},
		"strict and lenient":        {[]string{"fake", "--strict", "--lenient"}, "", 2, []string{"exclude each other"}},
		"an address that is none":   {[]string{"fake", "--listen", "256.0.0.1:1"}, "", 2, []string{"--listen"}},
		"live without files":        {[]string{"demo", "--live"}, "", 2, []string{"give your own"}},
		"live without a yes":        {[]string{"demo", "--live", "--subscribers", "a", "--events", "b"}, "no\n", 2, []string{"nothing was sent"}},
		"live with half an email":   {[]string{"demo", "--live", "--subscribers", "a", "--events", "b", "--to", "c"}, "", 2, []string{"--from and --to"}},
		"a file that is no CSV":     {[]string{"demo", "--subscribers", "nowhere.csv"}, "", 2, []string{"nowhere.csv"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := bentoctl(t.Context(), tc.stdin, tc.args...)
			assert.Equal(t, tc.code, got.code, got.err)
			for _, want := range tc.says {
				assert.Contains(t, got.out+got.err, want)
			}
			if tc.says == nil {
				assert.Empty(t, got.out+got.err)
			}
		})
	}
}

func TestCheckWritesJSON(t *testing.T) {
	t.Parallel()
	report := filepath.Join(t.TempDir(), "report.json")
	got := bentoctl(t.Context(), "", "check", "--format", "json", "-o", report, conventions, conventions)
	assert.Equal(t, result{}, got)
	content, err := os.ReadFile(report)
	require.NoError(t, err)
	var decoded struct{ Summary conformance.Summary }
	require.NoError(t, json.Unmarshal(content, &decoded))
	assert.Equal(t, 32, decoded.Summary.Checked)
	assert.JSONEq(t, bentoctl(t.Context(), "", "check", "--json", conventions, conventions).out, string(content))
}

// A report that shows values is for nobody else to read, though it was there before.
func TestAReportThatShowsValuesIsPrivate(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"text", "json", "html"} {
		dir := t.TempDir()
		there := filepath.Join(dir, "there")
		require.NoError(t, os.WriteFile(there, nil, 0o644))
		for _, report := range []string{there, filepath.Join(dir, "new")} {
			assert.Equal(t, result{}, bentoctl(t.Context(), "", "check", "--show-values", "--format", format, "-o", report, conventions))
			info, err := os.Stat(report)
			require.NoError(t, err)
			assert.NotZero(t, info.Size())
			assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
		}
	}
}

// An out that calls back at a word, as a person who presses Ctrl-C when they see it.
type interruptAt struct {
	bytes.Buffer
	word   string
	cancel func()
}

func (i *interruptAt) Write(p []byte) (int, error) {
	if strings.Contains(string(p), i.word) {
		i.cancel()
	}
	return i.Buffer.Write(p)
}

func TestCtrlCEndsAReadOfStandardInput(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"check", "-"}, {"demo", "--live", "--subscribers", conventions, "--events", conventions}} {
		ctx, cancel := context.WithCancel(t.Context())
		stdin, hold := io.Pipe() // nobody ever types
		code := make(chan int, 1)
		errs := &interruptAt{word: "Type yes", cancel: cancel}
		go func() { code <- run(ctx, args, streams{stdin, io.Discard, errs}) }()
		if args[0] == "check" {
			cancel()
		}
		assert.Equal(t, 130, <-code, args)
		_ = hold.Close()
	}
}

func serveForTest(ctx context.Context, t *testing.T, handler http.Handler) (address string, stopped chan struct{}) {
	t.Helper()
	out := &firstLine{line: make(chan string, 1)}
	stopped = make(chan struct{})
	go func() {
		defer close(stopped)
		g := &globals{streams: streams{out: out, err: io.Discard}}
		assert.NoError(t, g.listen(ctx, "127.0.0.1:0", handler))
	}()
	return strings.TrimPrefix(<-out.line, "listening on http://"), stopped
}

type firstLine struct {
	once sync.Once
	line chan string
}

func (f *firstLine) Write(p []byte) (int, error) {
	f.once.Do(func() { f.line <- strings.TrimSpace(string(p)) })
	return len(p), nil
}

func TestFakeTellsWhereItListensAndEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	out := &firstLine{line: make(chan string, 1)}
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, []string{"fake", "--listen", "127.0.0.1:0", "--limits", "off", "--lenient"}, streams{strings.NewReader(""), out, io.Discard})
	}()
	line := <-out.line
	address, ok := strings.CutPrefix(line, "listening on ")
	require.True(t, ok, line)
	client, err := bento.New(bento.Config{
		PublishableKey: "pk_any", SecretKey: "sk_any", SiteUUID: "any", UserAgent: "AcmeCRM/1.0", BaseURL: address + gen.BasePath,
	})
	require.NoError(t, err)
	_, err = client.ListTags(t.Context())
	require.NoError(t, err)
	client.CloseIdleConnections()
	second := bentoctl(t.Context(), "", "fake", "--listen", strings.TrimPrefix(address, "http://"))
	assert.Equal(t, 2, second.code)
	assert.Contains(t, second.err, "choose another address")
	cancel()
	assert.Equal(t, 0, <-code)
}

// The address is the one that was asked for, and that the network reaches it is said, be it quiet or not.
func TestWhoListensSaysWhoMayUseIt(t *testing.T) {
	t.Parallel()
	const warning = "warning: it is not on loopback: anybody in the network may use it\n"
	every, own := net.IPv6zero, net.IPv4(127, 0, 0, 1)
	for _, tc := range []struct {
		asked        string
		got          net.IP
		shown, warns string
	}{
		{"0.0.0.0:0", every, "0.0.0.0:7373", warning}, {":0", every, "[::]:7373", warning}, {"localhost:0", own, "127.0.0.1:7373", ""},
		{"127.0.0.1:0", own, "127.0.0.1:7373", ""}, {"[::1]:7373", net.IPv6loopback, "[::1]:7373", ""},
	} {
		for _, quiet := range []bool{false, true} {
			var out, errs bytes.Buffer
			g := &globals{streams: streams{out: &out, err: &errs}, quiet: quiet}
			g.announce(tc.asked, &net.TCPAddr{IP: tc.got, Port: 7373})
			api := "the API is under http://" + tc.shown + "/api/v1; Ctrl-C ends it\n"
			if quiet {
				api = ""
			}
			assert.Equal(t, "listening on http://"+tc.shown+"\n", out.String())
			assert.Equal(t, api+tc.warns, errs.String(), tc.asked)
		}
	}
}

func TestATimeoutEndsTheFakeToo(t *testing.T) {
	t.Parallel()
	start := time.Now()
	assert.Equal(t, 0, bentoctl(t.Context(), "", "fake", "--listen", "127.0.0.1:0", "--timeout", "10ms").code)
	assert.Less(t, time.Since(start), 30*time.Second)
}

// Cobra runs a command's parent for a misspelt child, and exits 0, unless each has Args and RunE.
func TestEveryCommandRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		assert.NotNil(t, cmd.Args, cmd.CommandPath())
		assert.True(t, cmd.RunE != nil || cmd.Run != nil, cmd.CommandPath())
		assert.NotEmpty(t, cmd.Short, cmd.CommandPath())
		for _, child := range cmd.Commands() {
			walk(child)
		}
	}
	walk(newRoot(&globals{}))
}

func TestExitCodesFollowWhatEndedTheCommand(t *testing.T) {
	t.Parallel()
	assert.Equal(t, 0, exitCode(nil))
	assert.Equal(t, 1, exitCode(errors.New("x")))
	assert.Equal(t, 130, exitCode(context.Canceled))
	assert.Equal(t, 4, exitCode(bento.ErrRateLimited))
	assert.Equal(t, 3, exitCode(bento.ErrForbidden))
	assert.Equal(t, 2, exitCode(bento.ErrInvalid))
}
