package main

import (
	"bufio"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"example.com/bento-go/gen"
)

// A tablePrinter writes for people: a list as lines under a header, a single thing as a line for
// each of its values, or as many as it needs: a list is cut to the width, a single thing is wrapped.
type tablePrinter struct {
	out            *bufio.Writer
	columns, every []string
	width          int
	widths         []int // the widest cell of each column so far
}

func (p *tablePrinter) one(item json.RawMessage) error {
	t := thingOf(item)
	names := t.names(p.every)
	longest := 0
	for _, name := range names {
		longest = max(longest, columnsOf(escaped(name)))
	}
	longest = min(longest, p.width/2)
	for _, name := range names {
		cell := escaped(name)
		for _, part := range folded(orDash(plainText(t.at(name))), p.width-longest-2) {
			p.line([]int{longest, columnsOf(part)}, []string{cell, part})
			cell = ""
		}
	}
	return p.out.Flush()
}

// page writes its lines as wide as what came so far needs: a later page may widen a column.
func (p *tablePrinter) page(items []json.RawMessage) error {
	if len(items) == 0 {
		return nil
	}
	var lines [][]string
	if len(p.columns) == 0 {
		p.columns = namesOf(items)
	}
	if p.widths == nil {
		p.widths = make([]int, len(p.columns))
		header := make([]string, len(p.columns))
		for i, column := range p.columns {
			header[i] = escaped(column)
		}
		lines = append(lines, header)
	}
	for _, item := range items {
		t := thingOf(item)
		cells := make([]string, len(p.columns))
		for i, column := range p.columns {
			cells[i] = orDash(briefly(column, t.at(column)))
		}
		lines = append(lines, cells)
	}
	for _, cells := range lines {
		for i, cell := range cells {
			p.widths[i] = max(p.widths[i], columnsOf(cell))
		}
	}
	fitted := fit(p.columns, p.widths, p.width)
	for _, cells := range lines {
		p.line(fitted, cells)
	}
	return p.out.Flush()
}

func (p *tablePrinter) end() error { return nil }

func (p *tablePrinter) line(widths []int, cells []string) {
	var b strings.Builder
	for i, cell := range cells {
		cell = cut(cell, widths[i])
		b.WriteString(cell + strings.Repeat(" ", widths[i]-columnsOf(cell)+2))
	}
	_, _ = p.out.WriteString(strings.TrimRight(b.String(), " ") + "\n")
}

// Below these widths no column shrinks; the times of a list are whole.
const minColumn, timeColumn = 6, len("2006-01-02 15:04Z")

// fit shrinks the widest columns until a line fits, or nothing can be shrunk any more. The first column,
// which names the thing, is the last to be shrunk.
func fit(names []string, widths []int, width int) []int {
	fitted := slices.Clone(widths)
	over := 2 * (len(fitted) - 1)
	for _, w := range fitted {
		over += w
	}
	for over -= width; over > 0; over-- {
		widest := 0
		for i := 1; i < len(fitted); i++ {
			if fitted[i] > leastOf(names[i]) && (widest == 0 || fitted[i] > fitted[widest]) {
				widest = i
			}
		}
		if widest == 0 && fitted[0] <= minColumn {
			break
		}
		fitted[widest]--
	}
	return fitted
}

func leastOf(name string) int {
	if strings.HasSuffix(name, "_at") {
		return timeColumn
	}
	return minColumn
}

// briefly is a value for a narrow column: a time without its seconds, in UTC.
func briefly(name string, value json.RawMessage) string {
	var at gen.Time
	if strings.HasSuffix(name, "_at") && len(value) > 0 {
		_ = at.UnmarshalJSON(value)
	}
	if !at.IsZero() {
		return at.UTC().Format("2006-01-02 15:04Z")
	}
	return plainText(value)
}

// orDash is text fit for a cell.
func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return escaped(text)
}

// escaped shows what would move the cursor, change colours or hide text, instead of doing it.
func escaped(text string) string {
	var b strings.Builder
	for _, r := range text {
		if unicode.IsGraphic(r) {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
	}
	return b.String()
}

// cut shortens text to a width, and marks that it did.
func cut(text string, width int) string {
	if columnsOf(text) <= width {
		return text
	}
	used := 0
	for i, r := range text {
		if used += columnOf(r); used > width-1 {
			return text[:i] + "…"
		}
	}
	return text
}

// folded breaks text into lines of a width, behind a space where there is one. Nothing is lost.
func folded(text string, width int) (lines []string) {
	for columnsOf(text) > width {
		used, end, space := 0, len(text), 0
		for i, r := range text {
			if used += columnOf(r); used > width && i > 0 {
				end = i
				break
			}
			if r == ' ' {
				space = i + 1
			}
		}
		if space > 0 {
			end = space
		}
		lines, text = append(lines, text[:end]), text[end:]
	}
	return append(lines, text)
}

// columnsOf is how many columns of a terminal text takes.
func columnsOf(text string) int {
	n := 0
	for _, r := range text {
		n += columnOf(r)
	}
	return n
}

// wide are the runes that take two columns: the scripts of East Asia, and pictures.
var wide = &unicode.RangeTable{
	R16: []unicode.Range16{
		{0x1100, 0x115f, 1}, {0x2e80, 0x303e, 1}, {0x3041, 0xa4cf, 1}, {0xac00, 0xd7a3, 1}, {0xf900, 0xfaff, 1},
		{0xfe30, 0xfe6f, 1}, {0xff00, 0xff60, 1}, {0xffe0, 0xffe6, 1},
	},
	R32: []unicode.Range32{{0x1f300, 0x1f64f, 1}, {0x1f680, 0x1f6ff, 1}, {0x1f900, 0x1faff, 1}, {0x20000, 0x3fffd, 1}},
}

func columnOf(r rune) int {
	switch {
	case unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Me, r): // stands on the rune before it
		return 0
	case unicode.Is(wide, r):
		return 2
	}
	return 1
}
