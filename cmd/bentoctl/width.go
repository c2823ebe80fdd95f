package main

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"os"
	"strings"

	"golang.org/x/term"
)

// How wide a line may be.
const (
	unbounded = math.MaxInt32 // where nobody looks: a file or a pipe
	usual     = 80            // of a terminal that does not say
	narrowest = 40            // below it a table holds nothing
	readable  = 200           // of text for people: above it eyes lose the line
)

// widthOf is how many columns a line to w may take: COLUMNS says it, or else the terminal itself. What is no
// terminal takes any.
func widthOf(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return unbounded
	}
	own, _, _ := term.GetSize(int(f.Fd())) // 0 where it does not know
	return max(cmp.Or(columnsSaid(), own, usual), narrowest)
}

// textWidth is that of text which is wrapped, wherever it goes.
func textWidth(w io.Writer) int {
	width := widthOf(w)
	if width == unbounded {
		width = max(cmp.Or(columnsSaid(), usual), narrowest)
	}
	return min(width, readable)
}

// columnsSaid is what COLUMNS says, and 0 where it says nothing.
func columnsSaid() int {
	var said int
	_, _ = fmt.Sscanf(strings.TrimSpace(os.Getenv("COLUMNS")), "%d", &said)
	return max(said, 0)
}
