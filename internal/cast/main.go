// Command cast runs a session at a shell and draws it as an animated SVG: what is typed, what the
// programs really print, and when. Long waits are cut short.
//
//	go run ./internal/cast -o docs/bentoctl.svg scripts/session
//
// Each line of the session is typed and run in one shell; lines that begin with # are shown only,
// and those that begin with ! are run and not shown.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/creack/pty"
)

const (
	rows, columns = 24, 80
	eachKey       = 28 * time.Millisecond
	longestWait   = 900 * time.Millisecond // within a program's output
	pause         = 1100 * time.Millisecond
)

func main() {
	out := flag.String("o", "session.svg", "where to write")
	flag.Parse()
	if err := run(flag.Arg(0), *out); err != nil {
		fmt.Fprintln(os.Stderr, "cast:", err)
		os.Exit(1)
	}
}

func run(session, out string) error {
	script, err := os.ReadFile(session)
	if err != nil {
		return err
	}
	r := &recording{screen: newScreen(rows, columns)}
	for line := range strings.SplitSeq(strings.TrimSpace(string(script)), "\n") {
		if err := r.perform(line); err != nil {
			return fmt.Errorf("%s: %w", line, err)
		}
	}
	r.frame(4 * time.Second)                         // time to read the end
	return os.WriteFile(out, []byte(r.svg()), 0o644) //nolint:gosec // a picture for everybody
}

// A recording is what the screen showed, and for how long.
type recording struct {
	screen *screen
	frames []frame
	setup  []string // hidden lines, run before each that is shown
}

type frame struct {
	text  string
	lasts time.Duration
}

func (r *recording) frame(lasts time.Duration) {
	text := r.screen.String()
	if n := len(r.frames); n > 0 && r.frames[n-1].text == text {
		r.frames[n-1].lasts += lasts
		return
	}
	r.frames = append(r.frames, frame{text, lasts})
}

func (r *recording) perform(line string) error {
	if hidden, ok := strings.CutPrefix(line, "!"); ok {
		r.setup = append(r.setup, hidden)
		return nil
	}
	r.screen.write("$ ")
	for i := 0; i < len(line); i += 3 { // three keys a frame
		r.screen.write(line[i:min(i+3, len(line))])
		r.frame(3 * eachKey)
	}
	r.screen.write("\r\n")
	r.frame(200 * time.Millisecond)
	if strings.HasPrefix(line, "#") {
		return nil
	}
	if err := r.execute(line); err != nil {
		return err
	}
	r.frame(pause)
	return nil
}

// execute runs a line on a terminal of its own, and films what it prints.
func (r *recording) execute(line string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-c", strings.Join(append(r.setup, line), "\n"))
	cmd.Env = append(os.Environ(), "TERM=xterm", "NO_COLOR=1", fmt.Sprintf("COLUMNS=%d", columns))
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: rows, Cols: columns})
	if err != nil {
		return err
	}
	buffer := make([]byte, 4096)
	for last := time.Now(); ; {
		n, err := terminal.Read(buffer)
		if n > 0 {
			r.frame(min(time.Since(last), longestWait))
			last = time.Now()
			r.screen.write(string(buffer[:n]))
		}
		if err != nil { // the program has ended
			break
		}
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = nil // the session may show failures
	}
	_ = terminal.Close()
	return err
}
