package main

import (
	"encoding/json"
	"errors"
	"io"

	"example.com/bento-go/cmd/bentoctl/internal/intake"
	"example.com/bento-go/gen"
	bento "example.com/bento-go/wrapper"
)

// A chunk is rows that follow one another, as many as a request holds.
type chunk struct {
	rows     int // of the file, whatever became of them
	tally    importTally
	memory   []byte
	records  []json.RawMessage
	lines    []int
	cells    []string // of the records of a CSV, one row after the other
	wide     int      // bytes of them, about
	keyed    bool     // each is an event whose repeat Bento drops
	unsubbed []json.RawMessage
}

func (c *chunk) reset() {
	clear(c.cells)
	*c = chunk{memory: c.memory[:0], records: c.records[:0], lines: c.lines[:0], cells: c.cells[:0], unsubbed: c.unsubbed[:0], keyed: true}
}

// keep copies a record into the chunk's memory.
func (c *chunk) keep(record []byte) json.RawMessage {
	from := len(c.memory)
	c.memory = append(c.memory, record...)
	return c.memory[from:len(c.memory):len(c.memory)]
}

// maxChunk bounds a chunk, in bytes: a request holds four megabytes.
const maxChunk = 3 << 20

// fill reads rows into the chunk until it has so many, or so many bytes, or a request holds no more.
func (j *importJob) fill(rows, bytes int) error {
	op, _ := gen.OperationByID(j.operation())
	for len(j.chunk.records) < op.BatchMax && len(j.chunk.unsubbed) < op.BatchMax && j.chunk.rows < rows {
		row, err := j.reader.Next()
		switch {
		case errors.Is(err, io.EOF):
			return err
		case err != nil:
			return j.unreadable(err)
		}
		j.chunk.rows++
		if err := j.take(&row); err != nil {
			return err
		}
		if len(j.chunk.memory)+j.chunk.wide > bytes {
			break
		}
	}
	return nil
}

// unreadable ends a file in the middle: the rows before are sent, and what follows is not to be had.
func (j *importJob) unreadable(err error) error {
	rows := j.state.Rows + j.chunk.rows
	if rows == 0 || j.dryRun {
		return usage("%w", err)
	}
	return usage("%w: the %s before it are dealt with; mend what follows them, and import it as a file of its own", err, plural(rows, "row"))
}

// cellOverhead is what a cell takes beside its text, in bytes.
const cellOverhead = 16

// take puts a row where it belongs.
func (j *importJob) take(row *intake.Row) error {
	t := &j.chunk.tally
	t.Read++
	switch {
	case row.Reason != "":
		t.LeftOut++
		t.tell("line %d: %s", row.Line, row.Reason)
		return j.rejected.put(row, row.Reason)
	case row.Standing != intake.Active:
		if t.Withheld == nil {
			t.Withheld = map[intake.Standing]int{}
		}
		t.Withheld[row.Standing]++
		if j.suppress == suppressByCommand {
			command, err := json.Marshal(bento.Unsubscribe(row.Email))
			j.chunk.unsubbed = append(j.chunk.unsubbed, command)
			return err
		}
		return j.withheld.put(row, string(row.Standing))
	}
	j.chunk.records = append(j.chunk.records, j.chunk.keep(row.Record))
	j.chunk.lines = append(j.chunk.lines, row.Line)
	if !j.dryRun && j.spool == nil { // Bento may refuse it
		j.chunk.cells = append(j.chunk.cells, row.Cells...)
		for _, cell := range row.Cells {
			j.chunk.wide += len(cell) + cellOverhead
		}
	}
	j.chunk.keyed = j.chunk.keyed && row.Keyed
	return nil
}

// judge asks the contract about records that were not made here: lines of NDJSON. Those it does not
// allow are left out.
func (j *importJob) judge() error {
	if j.reader.Header() != nil || len(j.chunk.records) == 0 {
		return nil
	}
	wrong, err := j.contract.judge(j.operation(), j.chunk.records)
	if err != nil || len(wrong) == 0 {
		return err
	}
	kept, lines := j.chunk.records[:0], j.chunk.lines[:0]
	for at, record := range j.chunk.records {
		line := j.chunk.lines[at]
		if message, isWrong := wrong[at]; isWrong {
			j.chunk.tally.LeftOut++
			j.chunk.tally.tell("line %d: %s", line, message)
			if err := j.rejected.put(&intake.Row{Line: line, Text: record}, message); err != nil {
				return err
			}
			continue
		}
		kept, lines = append(kept, record), append(lines, line)
	}
	j.chunk.records, j.chunk.lines = kept, lines
	return nil
}
