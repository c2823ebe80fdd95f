package main

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"strings"
)

// explanations reads the tables of a document: the rows of a package, by the key of their mutant.
// A row is file, function, mutant and why it survives; the package is the heading above.
func explanations(document, pkg string) (map[string]bool, error) {
	file, err := os.Open(document)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	rows := map[string]bool{}
	here := false
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		line := lines.Text()
		if heading, ok := strings.CutPrefix(line, "## "); ok {
			here = heading == pkg
		}
		if cells := row(line); here && len(cells) == 4 && strings.HasSuffix(cells[0], ".go") {
			rows[cells[0]+" "+cells[1]+" "+cells[2]] = true
		}
	}
	return rows, lines.Err()
}

// row splits a line of a table; code loses its quotes, and \| is a bar.
func row(line string) []string {
	if !strings.HasPrefix(line, "| ") {
		return nil
	}
	const bar = "\x00"
	line = strings.Trim(strings.ReplaceAll(line, `\|`, bar), "| ")
	var cells []string
	for cell := range strings.SplitSeq(line, "|") {
		cell = strings.ReplaceAll(strings.TrimSpace(cell), bar, "|")
		quote := "`"
		if strings.HasPrefix(cell, "`` ") {
			quote = "`` "
		}
		if quoted, ok := strings.CutPrefix(cell, quote); ok {
			cell = strings.TrimSpace(strings.TrimSuffix(quoted, strings.TrimSpace(quote)))
		}
		cells = append(cells, cell)
	}
	return cells
}

// asRow is the inverse of row, its reason still open.
func asRow(m mutant) string {
	quote := func(s string) string {
		if strings.Contains(s, "`") {
			s = "`` " + s + " ``"
		} else {
			s = "`" + s + "`"
		}
		return strings.ReplaceAll(s, "|", `\|`)
	}
	return "| " + m.file + " | " + quote(m.function) + " | " + quote(m.change) + " | ? |"
}
