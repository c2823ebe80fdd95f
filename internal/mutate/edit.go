package main

import (
	"cmp"
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// An edit puts text around a piece of source, or in the place of one. Line numbers stay.
type edit struct {
	from, to      int // offsets
	before, after string
	replaces      bool // before stands in the place of from to to
	mutants       []int
}

func (s *source) around(n ast.Node, before, after string, mutants ...int) edit {
	return edit{from: s.fset.Position(n.Pos()).Offset, to: s.fset.Position(n.End()).Offset, before: before, after: after, mutants: mutants}
}

func (s *source) instead(at token.Pos, length int, text string, mutants ...int) edit {
	offset := s.fset.Position(at).Offset
	return edit{from: offset, to: offset + length, before: text, replaces: true, mutants: mutants}
}

// apply makes the edits. Of two around the same piece the earlier one is the outer.
func apply(content []byte, edits []edit) string {
	type cut struct {
		at, skip int
		text     string
	}
	slices.SortStableFunc(edits, func(a, b edit) int { return cmp.Or(a.from-b.from, b.to-a.to) })
	var cuts []cut
	for _, e := range edits { // the outer ones first
		skip := 0
		if e.replaces {
			skip = e.to - e.from
		}
		cuts = append(cuts, cut{e.from, skip, e.before})
	}
	for _, e := range slices.Backward(edits) { // the inner ones first
		if !e.replaces {
			cuts = append(cuts, cut{e.to, 0, e.after})
		}
	}
	var b strings.Builder
	at := 0
	// A piece ends before the next one begins at the same place.
	order := func(i int) int {
		if i < len(edits) {
			return 1
		}
		return 0
	}
	indexes := make([]int, len(cuts))
	for i := range indexes {
		indexes[i] = i
	}
	slices.SortStableFunc(indexes, func(i, j int) int { return cmp.Or(cuts[i].at-cuts[j].at, order(i)-order(j)) })
	for _, i := range indexes {
		b.Write(content[at:cuts[i].at])
		b.WriteString(cuts[i].text)
		at = cuts[i].at + cuts[i].skip
	}
	b.Write(content[at:])
	return b.String()
}
