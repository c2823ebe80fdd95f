package main

import (
	"bytes"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/creack/pty"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// On a terminal one line is written anew, and is gone when the import is done.
func TestTheProgressBarOnATerminal(t *testing.T) {
	serving(t, faultsOf(t, "importSubscribers#1=503,importSubscribers#3=503,importSubscribers=delay:60ms"))
	t.Setenv("TERM", "xterm")
	t.Setenv("COLUMNS", "100")
	file := write(t, "people.csv", crowd(12_000))
	screen, terminal, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminal on this machine: %v", err)
	}
	var seen, out bytes.Buffer
	read := make(chan struct{})
	go func() {
		_, _ = io.Copy(&seen, screen) // ends when the terminal is closed
		close(read)
	}()
	code := run(t.Context(), []string{"import", "subscribers", file, "--yes", "--limits", "off"}, streams{strings.NewReader(""), &out, terminal})
	require.NoError(t, terminal.Close())
	<-read
	require.NoError(t, screen.Close())
	assert.Equal(t, 0, code, seen.String())
	frames := regexp.MustCompile(`\rpeople\.csv  [█░]{20}  *\d+%  [\d,]+ rows  [\d,]+/s  \S+ left`).FindAllString(seen.String(), -1)
	assert.GreaterOrEqual(t, len(frames), 3, "%q", seen.String())
	for line := range strings.SplitSeq(seen.String(), "\r") {
		assert.LessOrEqual(t, len([]rune(strings.TrimSpace(strings.SplitN(line, "\n", 2)[0]))), 100)
	}
	assert.True(t, strings.HasSuffix(seen.String(), " \r"), "the line is wiped: %q", seen.String()[max(0, seen.Len()-40):])
	assert.Contains(t, seen.String(), "\rpeople.csv  Bento answers 503 Service Unavailable (attempt 1)", "from the first attempt that fails")
	assert.NotContains(t, seen.String(), "(attempt 1)\n", "it goes away with the line")
	assert.Contains(t, seen.String(), "  retried 2")
	assert.NotContains(t, out.String(), "█", "results are by themselves")
}
