package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"slices"
	"strings"
)

// A printer writes things as they come, and holds no more than a page. Only a list has an end.
type printer interface {
	one(item json.RawMessage) error
	page(items []json.RawMessage) error
	end() error
}

func (g *globals) newPrinter(format string, r reading) printer {
	out := bufio.NewWriter(g.out)
	columns := strings.Fields(r.columns)
	every := slices.Concat(columns, strings.Fields(r.more))
	switch format {
	case "json":
		return &jsonPrinter{out: out}
	case "ndjson":
		return &ndjsonPrinter{out: out}
	case "csv":
		return &csvPrinter{out: csv.NewWriter(out), flush: out.Flush, columns: every}
	default:
		return &tablePrinter{out: out, columns: columns, every: every, width: widthOf(g.out)}
	}
}

// A jsonPrinter writes one document. A list that breaks off stays open, so that nobody takes it for
// a whole one.
type jsonPrinter struct {
	out    *bufio.Writer
	opened bool
}

func (p *jsonPrinter) one(item json.RawMessage) error { return p.write("", item, "", "\n") }

func (p *jsonPrinter) page(items []json.RawMessage) error {
	for _, item := range items {
		before := ",\n  "
		if !p.opened {
			before = "[\n  "
		}
		p.opened = true
		if err := p.write(before, item, "  ", ""); err != nil {
			return err
		}
	}
	return nil
}

func (p *jsonPrinter) end() error {
	closing := "\n]\n"
	if !p.opened {
		closing = "[]\n"
	}
	_, _ = p.out.WriteString(closing)
	return p.out.Flush()
}

func (p *jsonPrinter) write(before string, item json.RawMessage, indent, after string) error {
	var indented bytes.Buffer
	if err := json.Indent(&indented, bytes.TrimSpace(item), indent, "  "); err != nil {
		return err
	}
	_, _ = p.out.WriteString(before + indented.String() + after)
	return p.out.Flush()
}

// An ndjsonPrinter writes a thing a line.
type ndjsonPrinter struct{ out *bufio.Writer }

func (p *ndjsonPrinter) one(item json.RawMessage) error { return p.page([]json.RawMessage{item}) }

func (p *ndjsonPrinter) page(items []json.RawMessage) error {
	for _, item := range items {
		var line bytes.Buffer
		if err := json.Compact(&line, item); err != nil {
			return err
		}
		line.WriteByte('\n')
		_, _ = p.out.Write(line.Bytes())
	}
	return p.out.Flush()
}

func (p *ndjsonPrinter) end() error { return nil }

// A csvPrinter writes a header and a thing a row. What nests is JSON in its cell.
type csvPrinter struct {
	out     *csv.Writer
	flush   func() error
	columns []string
	headed  bool
}

func (p *csvPrinter) one(item json.RawMessage) error { return p.page([]json.RawMessage{item}) }

func (p *csvPrinter) page(items []json.RawMessage) error {
	if len(p.columns) == 0 {
		if p.columns = namesOf(items); len(p.columns) == 0 {
			return nil
		}
	}
	if !p.headed {
		p.headed = true
		if err := p.out.Write(p.columns); err != nil {
			return err
		}
	}
	row := make([]string, len(p.columns))
	for _, item := range items {
		t := thingOf(item)
		for i, column := range p.columns {
			row[i] = plainText(t.at(column))
		}
		if err := p.out.Write(row); err != nil {
			return err
		}
	}
	p.out.Flush()
	if err := p.out.Error(); err != nil {
		return err
	}
	return p.flush()
}

func (p *csvPrinter) end() error { return p.page(nil) }
