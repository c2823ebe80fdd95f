package main

import "strings"

// A screen is as much of a terminal as plain programs need: lines, and a return to their begin.
type screen struct {
	rows, columns int
	lines         [][]rune
	at            int // the column to write to, of the last line
}

func newScreen(rows, columns int) *screen {
	return &screen{rows: rows, columns: columns, lines: [][]rune{nil}}
}

func (s *screen) write(text string) {
	for _, r := range text {
		line := &s.lines[len(s.lines)-1]
		switch r {
		case '\r':
			s.at = 0
		case '\n':
			s.newLine()
		default:
			if s.at == s.columns {
				s.newLine()
				line = &s.lines[len(s.lines)-1]
			}
			for len(*line) <= s.at {
				*line = append(*line, ' ')
			}
			(*line)[s.at] = r
			s.at++
		}
	}
}

func (s *screen) newLine() {
	s.lines = append(s.lines, nil)
	if len(s.lines) > s.rows {
		s.lines = s.lines[1:]
	}
	s.at = 0
}

func (s *screen) String() string {
	var b strings.Builder
	for _, line := range s.lines {
		b.WriteString(strings.TrimRight(string(line), " ") + "\n")
	}
	return b.String()
}
