package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"example.com/bento-go/cmd/bentoctl/internal/intake"
)

// A progress tells how far an import has come: on a terminal by a line that is written anew, elsewhere
// by a line now and then.
type progress struct {
	out      io.Writer
	name     string
	terminal bool
	began    time.Time
	last     time.Time
	first    int // rows that were dealt with before
	from     int64
	attempts *attempts
	shown    int // columns of the line at hand
}

// How often it tells.
const (
	eachFrame = 100 * time.Millisecond
	eachLine  = 10 * time.Second
)

func (g *globals) newProgress(name string, a *attempts) *progress {
	p := &progress{out: g.err, name: name, terminal: isTerminal(g.err), began: time.Now(), last: time.Now(), attempts: a}
	if g.quiet {
		p.out = io.Discard
	}
	return p
}

// isTerminal reports whether w is a terminal; TERM=dumb is none that could write a line anew.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// start notes what was dealt with before, which is not to the credit of this run.
func (p *progress) start(rows int, f *intake.File) { p.first, p.from = rows, f.Offset() }

func (p *progress) update(s *importState, f *intake.File) {
	now, each := time.Now(), eachLine
	if p.terminal {
		each = eachFrame
	}
	if now.Sub(p.last) < each {
		return
	}
	p.last = now
	line := p.line(now.Sub(p.began), s.Rows, f.Offset(), f.Size)
	if !p.terminal {
		fmt.Fprintf(p.out, "%s: %s\n", p.name, line)
		return
	}
	p.show(line)
}

// show writes the line of a terminal anew.
func (p *progress) show(line string) {
	line = cut(p.name+"  "+line, widthOf(p.out)-1)
	fmt.Fprintf(p.out, "\r%s%s", line, strings.Repeat(" ", max(0, p.shown-len([]rune(line)))))
	p.shown = len([]rune(line))
}

// line says how much is done, how fast, and how long the rest takes at this rate.
func (p *progress) line(passed time.Duration, rows int, offset, size int64) string {
	rate := float64(rows-p.first) / passed.Seconds()
	parts := []string{thousands(rows) + " rows", thousands(int(rate+0.5)) + "/s"}
	if size > 0 && offset > p.from {
		left := time.Duration(float64(passed) * float64(size-offset) / float64(offset-p.from))
		parts = append([]string{bar(float64(offset)/float64(size)) + fmt.Sprintf(" %3d%%", offset*100/size)}, append(parts, left.Round(time.Second).String()+" left")...)
	}
	if n := p.attempts.retries(); n > 0 {
		parts = append(parts, fmt.Sprintf("retried %d", n))
	}
	return strings.Join(parts, "  ")
}

// end leaves the terminal clean.
func (p *progress) end() {
	if p.terminal && p.shown > 0 {
		fmt.Fprintf(p.out, "\r%s\r", strings.Repeat(" ", p.shown))
	}
}

func bar(done float64) string {
	const columns = 20
	full := int(done*columns + 0.5)
	return strings.Repeat("█", min(full, columns)) + strings.Repeat("░", max(0, columns-full))
}
